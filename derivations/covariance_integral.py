r"""Integration in the covariance, in the class of functions that Price's ladder produces.

With \(D = A - B c^2\), A and B free of c, the class is spanned by \(c^i\), \(c^i D^{j/2}\) (j odd) and
\(c^i \arctan\frac{\sqrt B c}{\sqrt D}\), for any number of D; it is closed under \(\int_0^c\). Nothing here is
trusted: each integral becomes a derivation step that is checked by differentiating it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import sympy as sp

from derivations.identity import vanishes
from derivations.normal_form import NotInClass
from derivations.symbols import c, s_1, s_2

# Coefficients of c^i arc^p D^(j/2).
Terms = dict[tuple[int, int, int], sp.Expr]
_ROOT = sp.Dummy("root", positive=True)
_INVERSE = sp.Dummy("inverse", positive=True)
_ARC = sp.Dummy("arc", real=True)


@dataclass(frozen=True)
class Radical:
    """D = A - B c^2."""

    A: sp.Expr
    B: sp.Expr

    @property
    def D(self) -> sp.Expr:
        """The radicand, as it is printed."""
        return sp.expand(self.A - self.B * c**2)

    @property
    def arc(self) -> sp.Expr:
        """The integral of sqrt(B / D) from 0."""
        if sp.expand(self.A - s_1**2 * s_2**2) == 0 and self.B == 1:
            return sp.asin(c / (s_1 * s_2))
        return sp.atan(sp.sqrt(self.B) * c / sp.sqrt(self.D))


def integrate_from_zero(expression: sp.Expr, at_zero: sp.Expr = sp.S.Zero) -> sp.Expr:
    r"""\(F(0) + \int_0^c f(t)\,dt\) for f in the class, with F(0) given.

    Raises
    ------
    NotInClass
        If `expression` is not in the class.

    Examples
    --------
    >>> from derivations.gaussian import origin_density
    >>> integrate_from_zero(origin_density(0, 0))
    asin(c/(s_1*s_2))/(2*pi)
    """
    if not expression.is_polynomial(c) and not _radicals(expression):
        raise NotInClass(f"not in the class that integrates in the covariance: {expression}")
    total, rest, constant = sp.S.Zero, expression, at_zero
    for radical in _radicals(expression):
        part = sp.Add(*(term for term in sp.Add.make_args(rest) if _involves(term, radical)))
        rest -= part
        found, start = _integrated(part, radical)
        total, constant = total + found, constant - start
    # What is left is a polynomial, in no radical.
    total += _integrated(rest, Radical(sp.S.One, sp.S.One))[0]
    constant = sp.S.Zero if vanishes(constant) else sp.factor(sp.together(constant))
    return total + constant


def _radicals(expression: sp.Expr) -> list[Radical]:
    """One for every square root of a polynomial in c that occurs."""
    bases = {
        sp.expand(e.base)
        for e in expression.atoms(sp.Pow)
        if e.base.has(c) and e.exp.is_Rational and e.exp.q == 2
    }
    bases |= {s_1**2 * s_2**2 - c**2 for _ in expression.atoms(sp.asin)}
    return [_radical(base) for base in sorted(bases, key=sp.default_sort_key)]


def _radical(base: sp.Expr) -> Radical:
    if not base.is_polynomial(c):
        raise NotInClass(f"not in the class that integrates in the covariance: sqrt({base})")
    polynomial = sp.Poly(base, c)
    if set(polynomial.monoms()) - {(0,), (2,)}:
        raise NotInClass(f"not in the class that integrates in the covariance: sqrt({base})")
    return Radical(sp.factor(polynomial.coeff_monomial(1)), -polynomial.coeff_monomial(c**2))


def _involves(term: sp.Expr, radical: Radical) -> bool:
    return term.has(radical.arc) or any(
        e.base.has(c) and sp.expand(e.base - radical.D) == 0 for e in term.atoms(sp.Pow)
    )


def _integrated(expression: sp.Expr, radical: Radical) -> tuple[sp.Expr, sp.Expr]:
    """An integral of an expression in one radical, and its value at 0."""
    total: Terms = defaultdict(lambda: sp.S.Zero)
    for term, factor in _terms(expression, radical).items():
        for found, coefficient in _antiderivative(*term, radical).items():
            total[found] += factor * coefficient
    at_zero = sp.Add(
        *(factor * sp.sqrt(radical.A) ** j for (i, p, j), factor in total.items() if i == p == 0)
    )
    return _collected(total, radical), at_zero


def _terms(expression: sp.Expr, radical: Radical) -> Terms:
    """`expression` as a polynomial in c, its radical, the inverse of that and its arc."""

    def power(e: sp.Expr) -> sp.Expr:
        exponent = 2 * e.exp
        return _ROOT**exponent if exponent > 0 else _INVERSE**-exponent

    generic = expression.subs(radical.arc, _ARC).replace(
        lambda e: e.is_Pow and e.base.has(c) and sp.expand(e.base - radical.D) == 0, power
    )
    try:
        polynomial = sp.Poly(generic, c, _ARC, _ROOT, _INVERSE)
    except sp.PolynomialError:
        raise NotInClass(f"not in the class that integrates in the covariance: {expression}") from None
    result: Terms = defaultdict(lambda: sp.S.Zero)
    for (i, p, up, down), factor in polynomial.terms():
        j = up - down
        if factor.has(c) or p > 1 or (p and j) or (j < 0 and j % 2 == 0):
            raise NotInClass(f"not in the class that integrates in the covariance: {expression}")
        # Even powers of the root are polynomials.
        whole = j // 2 if j % 2 == 0 else 0
        for k in range(whole + 1):
            weight = sp.binomial(whole, k) * radical.A ** (whole - k) * (-radical.B) ** k
            result[i + 2 * k, p, j - 2 * whole] += factor * weight
    return result


@cache
def _antiderivative(i: int, arc: int, j: int, radical: Radical) -> Terms:
    """Of c^i arc^p D^(j/2)."""
    A, B = radical.A, radical.B
    if arc:
        # By parts: the derivative of the arc is sqrt(B / D).
        parts = [(sp.S.One, {(i + 1, 1, 0): sp.S.One}), (-sp.sqrt(B), _antiderivative(i + 1, 0, -1, radical))]
        divisor = sp.Integer(i + 1)
    elif j == 0:
        return {(i + 1, 0, 0): sp.Rational(1, i + 1)}
    elif i >= 2:
        # c^2 = (A - D) / B.
        parts = [
            (A, _antiderivative(i - 2, 0, j, radical)),
            (-sp.S.One, _antiderivative(i - 2, 0, j + 2, radical)),
        ]
        divisor = B
    elif i == 1:
        return {(0, 0, j + 2): -1 / (B * (j + 2))}
    elif j == -1:
        return {(0, 1, 0): 1 / sp.sqrt(B)}
    # d/dc [c D^(k/2)] = (k+1) D^(k/2) - k A D^(k/2-1), read upwards and downwards.
    elif j < -1:
        k = j + 2
        below = _antiderivative(0, 0, k, radical) if k + 1 else {}
        parts, divisor = [(sp.Integer(k + 1), below), (-sp.S.One, {(1, 0, k): sp.S.One})], k * A
    else:
        below = _antiderivative(0, 0, j - 2, radical)
        parts, divisor = [(sp.S.One, {(1, 0, j): sp.S.One}), (j * A, below)], sp.Integer(j + 1)
    result: Terms = defaultdict(lambda: sp.S.Zero)
    for factor, terms in parts:
        for key, value in terms.items():
            result[key] += factor * value / divisor
    return result


def _collected(terms: Terms, radical: Radical) -> sp.Expr:
    """A polynomial in c, a multiple of the arc, and one of an odd power of the root as short as it gets."""
    polynomial = arc = sp.S.Zero
    odd: dict[int, sp.Expr] = defaultdict(lambda: sp.S.Zero)
    for (i, p, j), factor in terms.items():
        if p:
            arc += factor * c**i
        elif j:
            odd[j] += factor * c**i
        else:
            polynomial += factor * c**i
    total = sp.expand(polynomial) + sp.factor(arc) * radical.arc
    if not odd:
        return total
    lowest = min(odd)
    numerator = sp.factor(sp.Add(*(factor * radical.D ** ((j - lowest) // 2) for j, factor in odd.items())))
    top, bottom = sp.fraction(numerator)
    while top != 0:
        quotient, remainder = sp.div(sp.Poly(top, c), sp.Poly(radical.D, c))
        if not remainder.is_zero:
            break
        top, lowest = quotient.as_expr(), lowest + 2
    return total + _positive(top, radical) / sp.factor(bottom) * radical.D ** sp.Rational(lowest, 2)


def _positive(polynomial: sp.Expr, radical: Radical) -> sp.Expr:
    """`polynomial` without differences of large numbers, by -c^2 = (D - A) / B, where that is possible."""
    content, part = polynomial.as_independent(s_1, s_2, c, as_Add=False)
    for sign in (1, -1):
        found = _without_differences(sign * part, radical)
        if found is not None:
            return sign * content * found
    return sp.factor(polynomial)


def _without_differences(polynomial: sp.Expr, radical: Radical) -> sp.Expr | None:
    terms = sp.Poly(polynomial, c).as_dict()
    lowest = min(terms)[0]
    if any((k - lowest) % 2 for (k,) in terms):
        return None
    coefficients = {(k - lowest) // 2: value for (k,), value in terms.items()}
    total = sp.S.Zero
    for k in range(max(coefficients), -1, -1):
        plus, minus = _by_sign(coefficients.get(k, sp.S.Zero))
        total += plus * c ** (2 * k)
        if minus == 0:
            continue
        if k == 0:
            return None
        total += sp.factor(minus / radical.B) * radical.D * c ** (2 * k - 2)
        below = coefficients.get(k - 1, sp.S.Zero) - minus * radical.A / radical.B
        coefficients[k - 1] = sp.expand(below)
    return c**lowest * total


def _by_sign(coefficient: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The terms with positive numbers, and minus those with negative ones, each factored."""
    terms = sp.Add.make_args(sp.expand(coefficient))
    minus = sp.Add(*(-term for term in terms if term.as_coeff_Mul()[0] < 0))
    return sp.factor(coefficient + minus), sp.factor(minus)
