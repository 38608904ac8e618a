"""An activation as a flat list of operations, to be run over real balls and complex boxes without SymPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import acb, arb, fmpq

from derivations.arguments import shown
from derivations.errors import InputError
from derivations.symbols import z

HEADS: dict[type[sp.Basic], str] = {
    sp.exp: "exp",
    sp.log: "log",
    sp.tanh: "tanh",
    sp.erf: "erf",
    sp.erfc: "erfc",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.asinh: "asinh",
    sp.atan: "atan",
}
"""Functions that are operations of their own; sinh, cosh and their inverses become sums of exp."""

_IN_EXPONENTIALS: dict[type[sp.Basic], Callable[[sp.Expr], sp.Expr]] = {
    sp.sinh: lambda f: (sp.exp(f) - sp.exp(-f)) / 2,
    sp.cosh: lambda f: (sp.exp(f) + sp.exp(-f)) / 2,
    sp.sech: lambda f: 2 / (sp.exp(f) + sp.exp(-f)),
}
_LARGEST_POWER = 1000
_MOST_OPERATIONS = 2000
_LONGEST_NUMBER = 4096  # bits

_NAMES = ", ".join([*HEADS.values(), "sinh", "cosh", "sech"])


@dataclass(frozen=True)
class Instruction:
    """One operation; its operands are the results of earlier instructions, by index.

    `number` is the value of a ``rational`` or the exponent of a ``power``. An ``exp`` of a polynomial
    ``a z^2 + b z + c`` also names a, b, c after its argument: they bound it more sharply than its argument.
    """

    operation: str
    operands: tuple[int, ...]
    number: sp.Rational
    source: sp.Expr


@dataclass(frozen=True)
class Program:
    """Instructions in order; the last one is the activation. `varies[i]`: whether result i depends on z."""

    instructions: tuple[Instruction, ...]
    varies: tuple[bool, ...]

    def constants(self) -> list[arb | None]:
        """The values of the instructions without z, at the current precision; None for the others.

        Raises
        ------
        InputError
            If one of them is not a finite real number.
        """
        results: list[Any] = []
        for instruction, varies in zip(self.instructions, self.varies, strict=True):
            value = None if varies else evaluate(instruction, [results[i] for i in instruction.operands])
            if value is not None and not value.is_finite():
                raise InputError(
                    f"activation must have finite real constants, got {shown(instruction.source)}"
                )
            results.append(value)
        return results

    def __call__(self, points: Sequence[arb]) -> list[arb]:
        """Balls that hold the activation at real points, at the current precision."""
        results: list[list[arb]] = []
        constants = self.constants()
        for instruction, constant in zip(self.instructions, constants, strict=True):
            if constant is not None:
                results.append([constant] * len(points))
            elif instruction.operation == "variable":
                results.append(list(points))
            else:
                columns = [results[i] for i in instruction.operands]
                results.append([evaluate(instruction, row) for row in zip(*columns, strict=True)])
        return results[-1]


def evaluate(instruction: Instruction, operands: Sequence[Any]) -> Any:
    """The value of one instruction other than ``variable``, of real or complex balls."""
    match instruction.operation:
        case "rational":
            return arb(fmpq(int(instruction.number.p), int(instruction.number.q)))
        case "pi":
            return arb.pi()
        case "add":
            return operands[0] + operands[1]
        case "multiply":
            return operands[0] * operands[1]
        case "power":
            return operands[0] ** int(instruction.number)
        case "inverse":
            return 1 / operands[0]
    return _FUNCTIONS[instruction.operation](operands[0])


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sqrt": lambda f: f.sqrt(),
    "exp": lambda f: f.exp(),
    "log": lambda f: f.log(),
    "tanh": lambda f: f.tanh(),
    "erf": lambda f: f.erf(),
    "erfc": lambda f: f.erfc(),
    "sin": lambda f: f.sin(),
    "cos": lambda f: f.cos(),
    "asinh": lambda f: f.asinh(),
    "atan": lambda f: f.atan(),
}


class UnprovedError(Exception):
    """Something needed could not be proved on a region; the text says what, for the caller's error line."""


def evaluate_on_box(instruction: Instruction, operands: Sequence[Any]) -> acb:
    r"""The value of one instruction on a complex box, if it is analytic there.

    A finite result proves a meromorphic function analytic on the box: near a pole it would be unbounded.
    Functions with cuts are asked for their cut: \((-\infty, 0]\) for log and sqrt, \(\pm i[1, \infty)\) for
    asinh and atan.
    """
    if instruction.operation in ("log", "sqrt"):
        w = acb(operands[0])
        if not (w.real > 0 or not w.imag.contains(0)):
            raise UnprovedError(f"the argument of {shown(instruction.source)} may reach (-oo, 0]")
    elif instruction.operation in ("asinh", "atan"):
        w = acb(operands[0])
        if w.real.contains(0) and not abs(w.imag) < 1:
            raise UnprovedError(f"the argument of {shown(instruction.source)} may reach i or -i")
    value = acb(evaluate(instruction, operands))
    if not value.is_finite():
        raise UnprovedError(f"{shown(instruction.source)} may have a pole")
    return value


def compiled(phi: sp.Expr) -> Program:
    """The program of an activation.

    Raises
    ------
    InputError
        If the expression has a part that is not on the whitelist.

    Examples
    --------
    >>> [instruction.operation for instruction in compiled(1 / (1 + sp.exp(-z))).instructions]
    ['rational', 'rational', 'variable', 'multiply', 'rational', 'exp', 'add', 'inverse']
    """
    if not isinstance(phi, sp.Expr):
        raise InputError(f"activation must be a SymPy expression in z, got {shown(phi)}")
    instructions: list[Instruction] = []
    varies: list[bool] = []
    known: dict[sp.Basic, int] = {}

    def emit(
        operation: str, operands: tuple[int, ...], source: sp.Expr, number: sp.Rational = sp.S.Zero
    ) -> int:
        if len(instructions) >= _MOST_OPERATIONS:
            raise InputError(f"activation must have at most {_MOST_OPERATIONS} operations, got more")
        instructions.append(Instruction(operation, operands, number, source))
        varies.append(operation == "variable" or any(varies[i] for i in operands))
        return len(instructions) - 1

    def visit(f: sp.Expr) -> int:
        if f not in known:
            known[f] = translate(f)
        return known[f]

    def fold(operation: str, f: sp.Expr) -> int:
        first, *rest = f.args
        index = visit(first)
        for part in rest:
            index = emit(operation, (index, visit(part)), f)
        return index

    def translate(f: sp.Expr) -> int:
        match f:
            case sp.Rational():
                if max(f.p.bit_length(), f.q.bit_length()) > _LONGEST_NUMBER:
                    raise InputError(f"activation's numbers must have at most {_LONGEST_NUMBER} bits")
                return emit("rational", (), f, f)
            case sp.Symbol() if f == z:
                return emit("variable", (), f)
            case sp.Add():
                return fold("add", f)
            case sp.Mul():
                return fold("multiply", f)
            case sp.exp():
                return emit("exp", (visit(f.args[0]), *map(visit, _quadratic(f))), f)
            case sp.log() if f.args[0].is_Pow and f.args[0].exp.is_negative:
                # The reciprocal may come close to 0 where its denominator only grows.
                return visit(sp.Mul(-1, sp.log(1 / f.args[0], evaluate=False), evaluate=False))
            case sp.Pow() if f.exp.is_Integer or (f.exp.is_Rational and f.exp.q == 2):
                return power(f)
            case sp.Pow() if f.base.is_positive and not f.base.has(z):
                return visit(sp.exp(f.exp * sp.log(f.base), evaluate=False))
        if f is sp.pi:
            return emit("pi", (), f)
        if f is sp.E:
            return emit("exp", (visit(sp.S.One),), f)
        if f.func in _IN_EXPONENTIALS:
            return visit(_IN_EXPONENTIALS[f.func](f.args[0]))
        if f.func in HEADS:
            return emit(HEADS[f.func], (visit(f.args[0]),), f)
        raise InputError(
            f"activation must be built from z, exact numbers, + - * /, whole powers, sqrt and {_NAMES}, "
            f"got {shown(f)}"
        )

    def power(f: sp.Pow) -> int:
        exponent, index = abs(int(f.exp.p)), visit(f.base)
        if exponent > _LARGEST_POWER:
            raise InputError(f"activation's powers must be at most {_LARGEST_POWER}, got {shown(f)}")
        if f.exp.q == 2:
            index = emit("sqrt", (index,), f)
        if exponent > 1:
            index = emit("power", (index,), f, sp.Integer(exponent))
        return emit("inverse", (index,), f) if f.exp.is_negative else index

    try:
        last = visit(phi)
    except RecursionError:
        raise InputError(f"activation is nested too deeply, got {shown(phi)}") from None
    if last != len(instructions) - 1:
        raise AssertionError("the whole expression is translated last")
    return Program(tuple(instructions), tuple(varies))


def _quadratic(f: sp.Expr) -> tuple[sp.Expr, ...]:
    """Coefficients a, b, c where f = exp(a z^2 + b z + c), none otherwise."""
    argument = f.args[0]
    if not (argument.has(z) and argument.is_polynomial(z)):
        return ()
    polynomial = sp.Poly(argument, z)
    if polynomial.degree() > 2:
        return ()
    a = polynomial.coeff_monomial(z**2)
    if a.is_positive:
        raise InputError(f"activation must grow at most like exp(b |z|), got {shown(f)}")
    return a, polynomial.coeff_monomial(z), polynomial.coeff_monomial(1)
