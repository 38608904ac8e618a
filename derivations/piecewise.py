r"""Piecewise polynomials with a knot at 0 and their distributional derivatives.

\[ f(z) = \sum_n p_n z^n + \sum_n s_n z^n \theta(z) + \sum_k \delta_k \delta^{(k)}(z) \]

with \(\theta\) the unit step. The class is closed under differentiation, and (without Dirac terms) under
products, which is all that Price's theorem needs. ReLU is \(z\theta(z)\).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import sympy as sp

from derivations.errors import InputError
from derivations.symbols import z

Kind = Literal["power", "step", "dirac"]
# Kernels hold squares of coefficients, which float64 has to represent.
_SMALLEST, _LARGEST = sp.Rational(1, 10**100), sp.Integer(10**100)


@dataclass(frozen=True)
class Piecewise:
    r"""A generalised function: coefficients of \(z^n\), \(z^n\theta(z)\) and \(\delta^{(n)}(z)\).

    Examples
    --------
    >>> from derivations.piecewise import from_expression
    >>> from derivations.symbols import z
    >>> import sympy as sp
    >>> relu = from_expression(sp.Max(0, z))
    >>> relu.derivative().derivative().expression(z)
    DiracDelta(z)
    """

    terms: Mapping[tuple[Kind, int], sp.Expr]

    def __iter__(self) -> Iterator[tuple[Kind, int, sp.Expr]]:
        return ((kind, n, coefficient) for (kind, n), coefficient in sorted(self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def degree(self) -> int:
        """Largest power of z, -1 where there is none."""
        return max((n for kind, n, _ in self if kind != "dirac"), default=-1)

    @property
    def is_regular(self) -> bool:
        """Whether it is an ordinary function (no Dirac terms)."""
        return all(kind != "dirac" for kind, _, _ in self)

    @property
    def homogeneity(self) -> int | None:
        """The h with f(t z) = t^h f(z) for t > 0, or None."""
        degrees = {-1 - n if kind == "dirac" else n for kind, n, _ in self}
        return degrees.pop() if len(degrees) == 1 else None

    def derivative(self) -> Piecewise:
        """The distributional derivative: the step's is a Dirac term."""
        result: dict[tuple[Kind, int], sp.Expr] = {}
        for kind, n, coefficient in self:
            term: tuple[Kind, int]
            factor = 1
            match kind, n:
                case "power", 0:
                    continue
                case "step", 0:
                    term = "dirac", 0
                case "dirac", _:
                    term = "dirac", n + 1
                case _:
                    term, factor = (kind, n - 1), n
            result[term] = result.get(term, sp.S.Zero) + factor * coefficient
        return Piecewise(result)

    def reflected(self) -> Piecewise:
        """f(-z), for an ordinary function."""
        result: dict[tuple[Kind, int], sp.Expr] = {}
        for kind, n, coefficient in self:
            value = (-1) ** n * coefficient
            # theta(-z) = 1 - theta(z).
            result["power", n] = result.get(("power", n), sp.S.Zero) + value
            if kind == "step":
                result["step", n] = result.get(("step", n), sp.S.Zero) - value
        return Piecewise({term: value for term, value in result.items() if value != 0})

    def product(self, other: Piecewise) -> Piecewise:
        """The pointwise product of two ordinary functions."""
        if not (self.is_regular and other.is_regular):
            raise ValueError("a product with a Dirac term is not defined")
        result: dict[tuple[Kind, int], sp.Expr] = {}
        for kind_1, n_1, first in self:
            for kind_2, n_2, second in other:
                term: tuple[Kind, int] = ("step" if "step" in (kind_1, kind_2) else "power", n_1 + n_2)
                result[term] = result.get(term, sp.S.Zero) + first * second
        return Piecewise({term: value for term, value in result.items() if value != 0})

    def expression(self, argument: sp.Expr) -> sp.Expr:
        """As a SymPy expression of `argument`, with `Heaviside` and `DiracDelta`."""
        atoms = {
            "power": lambda n: argument**n,
            "step": lambda n: argument**n * sp.Heaviside(argument),
            "dirac": lambda n: sp.DiracDelta(argument, n) if n else sp.DiracDelta(argument),
        }
        return sp.Add(*(coefficient * atoms[kind](n) for kind, n, coefficient in self))


def from_expression(expression: sp.Expr) -> Piecewise:
    """Normal form of `expression` in z.

    Parameters
    ----------
    expression : Expr
        Built from z, numbers, powers, `Max`, `Min`, `Abs`, `sign`, `Heaviside`, and a polynomial on either
        side of 0.

    Raises
    ------
    InputError
        If it is not a piecewise polynomial with its knot at 0.
    """
    try:
        left, right = _branch(expression, -1), _branch(expression, 1)
    except sp.PolynomialError:
        raise InputError(
            "activation must be a polynomial in z on either side of 0 to have a closed form here, "
            f"got {sp.sstr(expression)}"
        ) from None
    terms: dict[tuple[Kind, int], sp.Expr] = {("power", n): value for (n,), value in left.terms()}
    terms |= {("step", n): value for (n,), value in (right - left).terms()}
    if not all(value == 0 or _SMALLEST <= abs(value) <= _LARGEST for value in terms.values()):
        raise InputError("activation's coefficients must be within 1e-100 and 1e100, some are not")
    return Piecewise({term: value for term, value in terms.items() if value != 0})


def _branch(expression: sp.Expr, side: int) -> sp.Poly:
    """The polynomial that `expression` is for z of sign `side`."""
    t = sp.Symbol("t", positive=True)

    def larger(p: sp.Expr, q: sp.Expr) -> sp.Expr:
        terms = sp.Poly(p - q, t).terms()
        if len(terms) != 1:
            raise sp.PolynomialError("the order of the two changes elsewhere than at 0")
        return p if terms[0][1] >= 0 else q

    resolved = expression.subs(z, side * t)
    resolved = resolved.replace(sp.Max, lambda *args: functools.reduce(larger, args))
    resolved = resolved.replace(sp.Min, lambda *args: -functools.reduce(larger, [-e for e in args]))
    polynomial = sp.Poly(sp.expand(resolved.subs(t, side * z)), z)
    if not all(value.is_number and value.is_real for value in polynomial.coeffs()):
        raise sp.PolynomialError("coefficients must be real numbers")
    return polynomial
