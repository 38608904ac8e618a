r"""A class of activations that is closed under differentiation and products, and how expressions are read into it.

\[ f(z) = \sum_t k_t\, z^{n_t}\, \theta(z)^{e_t} \prod_j \Phi(s_{tj} z)\; e^{-a_t z^2/2 + b_t z}
          + \sum_n \delta_n\, \delta^{(n)}(z) \]

with \(\theta\) the unit step and \(\Phi\) the normal distribution function. ReLU is \(z\theta(z)\), GELU \(z\Phi(z)\),
erf \(2\Phi(\sqrt2 z) - 1\), sine a difference of exponentials with b = i and -i. Derivatives are those of
distributions: the step's is a Dirac term.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp

from derivations.errors import InputError
from derivations.symbols import z

Kind = Literal["power", "step", "dirac"]
# Kernels hold squares of coefficients, which float64 has to represent.
_SMALLEST, _LARGEST = sp.Rational(1, 10**100), sp.Integer(10**100)


class NotInClass(InputError):  # noqa: N818 - not always an error: other ways may know the activation
    """The activation, or what becomes of it, is not a sum of the class' terms."""


def not_in_class(part: sp.Expr) -> NotInClass:
    """The error of which a line tells that `part` is not in the class."""
    return NotInClass(
        "activation must be a polynomial in z on either side of 0, or one times erf, sin, cos or exp factors, to have "
        f"a closed form, got {sp.sstr(part)}"
    )


@dataclass(frozen=True)
class Atom:
    r"""\(z^n \theta(z)^e \prod_j \Phi(s_j z) e^{-a z^2/2 + b z}\), or the Dirac term \(\delta^{(n)}(z)\).

    Attributes
    ----------
    kind : {"power", "step", "dirac"}
        e = 0, e = 1, or the Dirac term.
    n : int
    scales : tuple of Expr
        The s_j, sorted.
    rate, tilt : Expr
        a >= 0 and b; b may be complex.
    """

    kind: Kind
    n: int
    scales: tuple[sp.Expr, ...] = ()
    rate: sp.Expr = sp.S.Zero
    tilt: sp.Expr = sp.S.Zero

    @property
    def pieces(self) -> int:
        """How many steps and distribution functions it multiplies."""
        return len(self.scales) + (self.kind == "step")

    @property
    def is_smooth(self) -> bool:
        """Whether it is a polynomial times an exponential."""
        return self.kind == "power" and not self.scales

    def derivative(self) -> Iterator[tuple[Atom, sp.Expr]]:
        """Its derivative's terms and their coefficients."""
        if self.kind == "dirac":
            yield replace(self, n=self.n + 1), sp.S.One
            return
        if self.n:
            yield replace(self, n=self.n - 1), sp.Integer(self.n)
        elif self.kind == "step":
            yield Atom("dirac", 0), sp.Rational(1, 2 ** len(self.scales))
        for index, scale in enumerate(self.scales):
            others = self.scales[:index] + self.scales[index + 1 :]
            yield replace(self, scales=others, rate=self.rate + scale**2), scale / sp.sqrt(2 * sp.pi)
        if self.rate != 0:
            yield replace(self, n=self.n + 1), -self.rate
        if self.tilt != 0:
            yield self, self.tilt

    def product(self, other: Atom) -> Atom:
        """The pointwise product."""
        if "dirac" in (self.kind, other.kind):
            raise ValueError("a product with a Dirac term is not defined")
        return Atom(
            "step" if "step" in (self.kind, other.kind) else "power",
            self.n + other.n,
            tuple(sorted(self.scales + other.scales, key=sp.default_sort_key)),
            self.rate + other.rate,
            sp.expand(self.tilt + other.tilt),
        )

    def expression(self, argument: sp.Expr) -> sp.Expr:
        """As a SymPy expression."""
        if self.kind == "dirac":
            return sp.DiracDelta(argument, self.n) if self.n else sp.DiracDelta(argument)
        value = argument**self.n * sp.exp(-self.rate * argument**2 / 2) * sp.exp(self.tilt * argument)
        for scale in self.scales:
            value *= (1 + sp.erf(scale * argument / sp.sqrt(2))) / 2
        return value * sp.Heaviside(argument) if self.kind == "step" else value


@dataclass(frozen=True)
class NormalForm:
    r"""A generalised function of the class: its terms and their coefficients, none of them 0.

    Examples
    --------
    >>> from derivations.normal_form import from_expression
    >>> from derivations.symbols import z
    >>> import sympy as sp
    >>> relu = from_expression(sp.Max(0, z))
    >>> relu.derivative().derivative().expression(z)
    DiracDelta(z)
    >>> from_expression(sp.sin(z)).derivative().expression(z)
    cos(z)
    """

    terms: Mapping[Atom, sp.Expr]

    def __iter__(self) -> Iterator[tuple[Atom, sp.Expr]]:
        return iter(sorted(self.terms.items(), key=lambda item: _sort_key(item[0])))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: NormalForm) -> NormalForm:
        return _summed([*self.terms.items(), *other.terms.items()])

    def scaled(self, factor: sp.Expr) -> NormalForm:
        """`factor` times it."""
        return _summed((atom, factor * value) for atom, value in self.terms.items())

    @property
    def is_regular(self) -> bool:
        """Whether it is an ordinary function (no Dirac terms)."""
        return all(atom.kind != "dirac" for atom in self.terms)

    @property
    def is_dirac(self) -> bool:
        """Whether it has Dirac terms only."""
        return all(atom.kind == "dirac" for atom in self.terms)

    @property
    def is_piecewise_polynomial(self) -> bool:
        """Whether it is a polynomial on either side of 0, Dirac terms apart."""
        return all(not atom.scales and atom.rate == atom.tilt == 0 for atom in self.terms)

    @property
    def is_direct(self) -> bool:
        """Whether it has neither a step nor a distribution function: a Gaussian pair's integral is closed."""
        return all(atom.kind == "dirac" or atom.is_smooth for atom in self.terms)

    @property
    def homogeneity(self) -> int | None:
        """The h with f(t z) = t^h f(z) for t > 0, or None."""
        if not self.is_piecewise_polynomial:
            return None
        degrees = {-1 - atom.n if atom.kind == "dirac" else atom.n for atom in self.terms}
        return degrees.pop() if len(degrees) == 1 else None

    def derivative(self) -> NormalForm:
        """The distributional derivative."""
        return _summed(
            (part, factor * value) for atom, value in self.terms.items() for part, factor in atom.derivative()
        )

    def reflected(self) -> NormalForm:
        """f(-z), for an ordinary function: theta(-z) = 1 - theta(z), Phi(-z) = 1 - Phi(z)."""
        one = NormalForm({Atom("power", 0): sp.S.One})
        result = NormalForm({})
        for atom, value in self.terms.items():
            base = replace(atom, kind="power", scales=(), tilt=-atom.tilt)
            part = NormalForm({base: (-1) ** atom.n * value})
            for scale in atom.scales:
                part = part.product(one + NormalForm({Atom("power", 0, (scale,)): -sp.S.One}))
            if atom.kind == "step":
                part = part.product(one + NormalForm({Atom("step", 0): -sp.S.One}))
            result = result + part
        return result

    def product(self, other: NormalForm) -> NormalForm:
        """The pointwise product of two ordinary functions."""
        return _summed(
            (first.product(second), value * factor)
            for first, value in self.terms.items()
            for second, factor in other.terms.items()
        )

    def expression(self, argument: sp.Expr) -> sp.Expr:
        """As a SymPy expression of `argument`."""
        total = sp.Add(*(value * atom.expression(argument) for atom, value in self))
        if total.has(sp.I):  # sines and cosines, taken apart
            total = sp.expand(total.rewrite(sp.cos))
        return total


def monomial(n: int) -> NormalForm:
    """z^n."""
    return NormalForm({Atom("power", n): sp.S.One})


def _sort_key(atom: Atom) -> tuple:
    parts = (*atom.scales, atom.rate, atom.tilt)
    return atom.kind, atom.n, len(atom.scales), tuple(sp.default_sort_key(part) for part in parts)


def _summed(terms: Iterable[tuple[Atom, sp.Expr]]) -> NormalForm:
    result: dict[Atom, sp.Expr] = {}
    for atom, value in terms:
        result[atom] = result.get(atom, sp.S.Zero) + value
    expanded = {atom: sp.expand(value) for atom, value in result.items()}
    return NormalForm({atom: value for atom, value in expanded.items() if value != 0})


def from_expression(expression: sp.Expr) -> NormalForm:
    """Normal form of `expression` in z.

    Parameters
    ----------
    expression : Expr
        Sums and products of polynomials on either side of 0 (`Max`, `Min`, `Abs`, `sign`, `Heaviside`), `erf` of
        multiples of z, `sin` and `cos` of multiples of z, and `exp` of quadratic polynomials that do not grow
        like a Gaussian.

    Raises
    ------
    NotInClass
        If it is none; the text says which part.
    InputError
        If a coefficient is out of range.
    """
    form = _read(expression)
    numbers = [value for atom, value in form.terms.items()]
    if not all(_SMALLEST <= abs(value) <= _LARGEST for value in numbers):
        raise InputError("activation's coefficients must be within 1e-100 and 1e100, some are not")
    return form


def _read(expression: sp.Expr) -> NormalForm:
    if not expression.has(sp.exp, sp.erf, sp.sin, sp.cos, sp.erfc):
        return _piecewise_polynomial(expression)
    match expression:
        case sp.Add():
            return functools.reduce(NormalForm.__add__, map(_read, expression.args))
        case sp.Mul():
            return functools.reduce(NormalForm.product, map(_read, expression.args))
        case sp.exp():
            return _exponential(expression.args[0])
        case sp.Pow() if expression.exp.is_Integer and expression.exp > 0:
            return functools.reduce(NormalForm.product, [_read(expression.base)] * int(expression.exp))
        case sp.erf():
            scale = sp.sqrt(2) * _multiple(expression)
            doubled = NormalForm({Atom("power", 0, (abs(scale),)): sp.Integer(2)})
            return (doubled + NormalForm({Atom("power", 0): -sp.S.One})).scaled(sp.sign(scale))
        case sp.erfc():
            return _read(1 - sp.erf(expression.args[0]))
        case sp.sin() | sp.cos():
            turn = sp.I * _multiple(expression)
            first, second = _exponential(turn * z), _exponential(-turn * z)
            if isinstance(expression, sp.sin):
                return (first + second.scaled(-sp.S.One)).scaled(1 / (2 * sp.I))
            return (first + second).scaled(sp.Rational(1, 2))
    raise not_in_class(expression)


def _multiple(call: sp.Expr) -> sp.Expr:
    """The real number t of erf(t z), sin(t z) or cos(t z)."""
    factor = call.args[0] / z
    if factor.is_number and factor.is_real and factor != 0:
        return factor
    raise not_in_class(call)


def _exponential(argument: sp.Expr) -> NormalForm:
    if not argument.is_polynomial(z) or sp.degree(argument, z) > 2:
        raise not_in_class(sp.exp(argument))
    curvature, slope, constant = (sp.Poly(argument, z).coeff_monomial(z**k) for k in (2, 1, 0))
    if not (curvature.is_real and curvature <= 0):
        raise not_in_class(sp.exp(argument))
    return NormalForm({Atom("power", 0, (), -2 * curvature, slope): sp.exp(constant)})


def _piecewise_polynomial(expression: sp.Expr) -> NormalForm:
    """A polynomial on either side of 0."""
    try:
        left, right = _branch(expression, -1), _branch(expression, 1)
    except sp.PolynomialError:
        raise not_in_class(expression) from None
    terms = {Atom("power", n): value for (n,), value in left.terms()}
    terms |= {Atom("step", n): value for (n,), value in (right - left).terms()}
    return NormalForm({atom: value for atom, value in terms.items() if value != 0})


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
