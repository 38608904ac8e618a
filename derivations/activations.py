"""Activations: the named ones, and the safe reading of a user's expression in z."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import sympy as sp

from derivations.arguments import shown
from derivations.errors import InputError
from derivations.normal_form import NormalForm, NotInClass, from_expression
from derivations.symbols import z

NAMED: dict[str, str] = {
    "relu": "max(0, z)",
    "leaky_relu": "max(z/100, z)",
    "abs": "abs(z)",
    "step": "step(z)",
    "relu2": "max(0, z)**2",
    "relu3": "max(0, z)**3",
    "identity": "z",
    "monomial2": "z**2",
    "monomial3": "z**3",
    # Orthonormal: the dual of He_k / sqrt(k!) is rho^k at unit variances.
    "hermite2": "(z**2 - 1)/sqrt(2)",
    "hermite3": "(z**3 - 3*z)/sqrt(6)",
    "erf": "erf(z)",
    "probit": "(1 + erf(z/sqrt(2)))/2",
    "gelu": "z*(1 + erf(z/sqrt(2)))/2",
    "gaussian": "exp(-z**2/2)",
    "sin": "sin(z)",
    "cos": "cos(z)",
    "exp": "exp(z)",
    "sigmoid": "sigmoid(z)",
    "silu": "z*sigmoid(z)",
    "tanh": "tanh(z)",
    "softplus": "log(1 + exp(z))",
    "mish": "z*tanh(log(1 + exp(z)))",
}
"""Named activations, each written in the language that `parse` reads."""


def _sigmoid(argument: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-argument))


_FUNCTIONS = {
    "max": sp.Max,
    "min": sp.Min,
    "abs": sp.Abs,
    "sign": sp.sign,
    "step": sp.Heaviside,
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "sin": sp.sin,
    "cos": sp.cos,
    "tanh": sp.tanh,
    "erf": sp.erf,
    "sigmoid": _sigmoid,
}
_OPERATORS = {
    ast.Add: lambda p, q: p + q,
    ast.Sub: lambda p, q: p - q,
    ast.Mult: lambda p, q: p * q,
    ast.Div: lambda p, q: p / q,
    ast.Pow: lambda p, q: p**q,
}
_LONGEST_EXPRESSION = 2000
_LARGEST_POWER = 32
_LARGEST_NUMBER = sp.Integer(10) ** 100


@dataclass(frozen=True)
class Activation:
    """An activation phi(z) of one real variable.

    Examples
    --------
    >>> relu = activation("relu")
    >>> relu.homogeneity, relu.is_continuous, relu.parity
    (1, True, None)
    >>> activation("abs").parity
    'even'
    """

    name: str
    phi: sp.Expr

    @cached_property
    def normal_form(self) -> NormalForm:
        """phi in the class of `derivations.normal_form`; raises NotInClass where it has no closed form."""
        return from_expression(self.phi)

    @cached_property
    def has_normal_form(self) -> bool:
        """Whether phi is in that class."""
        try:
            return bool(self.normal_form)
        except NotInClass:
            return False

    @property
    def homogeneity(self) -> int | None:
        """The h with phi(t z) = t^h phi(z) for t > 0, or None."""
        return self.normal_form.homogeneity if self.has_normal_form else None

    @property
    def is_continuous(self) -> bool:
        """Whether phi has no jump, so that its derivative is an ordinary function."""
        return not self.has_normal_form or self.normal_form.derivative().is_regular

    @property
    def parity(self) -> str | None:
        """``'even'``, ``'odd'`` or None."""
        if not self.has_normal_form:
            reflection = self.phi.subs(z, -z)
            return "even" if reflection == self.phi else "odd" if reflection == -self.phi else None
        form = dict(self.normal_form.terms)
        reflected = dict(self.normal_form.reflected().terms)
        if reflected == form:
            return "even"
        return "odd" if reflected == {term: -value for term, value in form.items()} else None


def activation(name: str) -> Activation:
    """The activation with this name.

    Raises
    ------
    InputError
        If there is none; the line suggests the nearest.
    """
    if name not in NAMED:
        near = difflib.get_close_matches(name.lower(), NAMED, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(NAMED)
        raise InputError(f"activation {name!r} is unknown; {hint}")
    return Activation(name, parse(NAMED[name]))


def parse(text: str) -> sp.Expr:
    """Read an expression in z; nothing is evaluated, only a whitelist of syntax is translated.

    Parameters
    ----------
    text : str
        Numbers, ``z``, ``pi``, ``+ - * / **``, and ``max, min, abs, sign, step, exp, log, sqrt, sin, cos, tanh,
        erf, sigmoid``.

    Raises
    ------
    InputError
        If the text is not such an expression; the line names the offending part.

    Examples
    --------
    >>> parse("max(0, z)")
    Max(0, z)
    >>> parse("__import__('os')")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: activation may call max, min, abs, sign, step, exp, log, sqrt, sin, cos, tanh,
    erf, sigmoid only, got __import__('os')
    """
    if len(text) > _LONGEST_EXPRESSION:
        raise InputError(f"activation must have at most {_LONGEST_EXPRESSION} characters, got {len(text)}")
    text = text.strip()
    # Python would read a comment past, and letters that merely look like z as z.
    if not (text.isascii() and text.isprintable()) or "#" in text:
        raise InputError(f"activation must be an expression in z of printable ASCII, got {shown(text)}")
    try:
        tree = ast.parse(text.replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"activation must be an expression in z, got {shown(text)}") from None
    try:
        expression = _translate(tree)
    except RecursionError:
        raise InputError(f"activation is nested too deeply, got {shown(text)}") from None
    if expression.free_symbols != {z}:
        raise InputError(f"activation must depend on z, got {shown(text)}")
    if expression.has(sp.zoo, sp.oo, sp.nan):
        raise InputError(f"activation must be finite, got {shown(text)}")
    _check_degree(expression)
    return expression


def _translate(node: ast.expr) -> sp.Expr:
    expression = _translated(node)
    # Before the next power multiplies its digits.
    if expression.is_Rational and max(abs(expression.p), expression.q) > _LARGEST_NUMBER:
        raise InputError(f"activation's numbers must be within 1e-100 and 1e100, got {_excerpt(node)}")
    return expression


def _translated(node: ast.expr) -> sp.Expr:
    match node:
        case ast.Constant(value=bool() | complex() | str() | bytes() | None):
            pass
        case ast.Constant(value=int() as number):
            return sp.Integer(number)
        case ast.Constant(value=float() as number) if isfinite(number):
            # The decimal that was typed, not its binary neighbour, so that 0.1 stays 1/10.
            return sp.Rational(repr(number))
        case ast.Name(id="z"):
            return z
        case ast.Name(id="pi"):
            return sp.pi
        case ast.Name(id=name):
            raise InputError(f"activation must be an expression in z, got the name {name!r}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_translate(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _translate(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _translate(right)
            if not (exponent.is_Integer and 0 <= exponent <= _LARGEST_POWER):
                raise InputError(
                    f"activation's powers must be whole numbers from 0 to {_LARGEST_POWER}, got {exponent}"
                )
            power = sp.Pow(_translate(left), exponent)
            _check_degree(power)
            return power
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            first, second = _translate(left), _translate(right)
            if isinstance(operator, ast.Div) and second == 0:
                raise InputError(f"activation divides by zero in {_excerpt(node)}")
            return _OPERATORS[type(operator)](first, second)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            wanted = "at least one argument" if name in ("max", "min") else "one argument"
            if not arguments or (name not in ("max", "min") and len(arguments) != 1):
                raise InputError(f"activation: {name} takes {wanted}, got {_excerpt(node)}")
            return _FUNCTIONS[name](*(_translate(argument) for argument in arguments))
        case ast.Call():
            raise InputError(f"activation may call {', '.join(_FUNCTIONS)} only, got {_excerpt(node)}")
    raise InputError(f"activation must be an expression in z, got {_excerpt(node)}")


def _excerpt(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."


def _check_degree(expression: sp.Expr) -> None:
    """Refuse, before anything is multiplied out, what would take forever to multiply out."""
    if _degree(expression) > _LARGEST_POWER:
        raise InputError(
            f"activation must have degree at most {_LARGEST_POWER} in z, got degree {_degree(expression)}"
        )


def _degree(expression: sp.Expr) -> int:
    """A bound of the degree on either side of 0."""
    degrees = [_degree(part) for part in expression.args]
    match expression:
        case sp.Mul():
            return sum(degrees)
        case sp.Pow():
            return degrees[0] * abs(int(expression.exp))
        case sp.Symbol():
            return 1
    return max(degrees, default=0)
