r"""Decide whether an expression vanishes identically, by a normal form rather than by `simplify`.

Expressions here are rational in symbols, \(\pi\), square roots and arcsines. Each square root and each
opaque object (an arcsine, a sum, an expectation) becomes a generator; square roots carry the relation
\(S^2 = \text{radicand}\). An expression whose numerator reduces to the zero polynomial modulo these
relations is zero wherever it is defined, so ``True`` is a proof; ``False`` says only that the normal form
does not settle it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import reduce

import sympy as sp

_OPAQUE = (
    sp.asin,
    sp.atan,
    sp.atan2,
    sp.Sum,
    sp.Integral,
    sp.Derivative,
    sp.Subs,
    sp.Heaviside,
    sp.DiracDelta,
    sp.exp,
    sp.erf,
    sp.Max,
)


def _split_radicals(expression: sp.Expr) -> sp.Expr:
    """Write every square root over its factored radicand, so that squares of positive symbols come out."""

    def factored(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        return sp.powdenest(sp.factor(base) ** exponent)

    return expression.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and not e.base.is_Atom,
        lambda e: factored(e.base, e.exp),
    )


def _canonical_arcs(expression: sp.Expr) -> sp.Expr:
    """One form for the argument of every arctangent: then equal arcs are equal symbols."""

    def canonical(argument: sp.Expr) -> sp.Expr:
        roots: dict[sp.Expr, sp.Symbol] = {}
        rational = _split_radicals(argument).replace(
            lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q == 2,
            lambda e: roots.setdefault(e.base, sp.Dummy(positive=True)) ** e.exp.p,
        )
        # 1 / root as root / radicand, so that it does not matter where the root stood.
        top, bottom = sp.fraction(sp.cancel(sp.together(rational)))
        for base, root in roots.items():
            power = sp.Poly(bottom, root).degree() if bottom.has(root) else 0
            if power % 2:
                top, bottom = top * root, sp.expand(bottom * root)
            bottom = bottom.subs(root, sp.sqrt(base))
        value = sp.cancel(top / bottom)
        return sp.atan(sp.factor(value).subs({root: sp.sqrt(base) for base, root in roots.items()}))

    return expression.replace(sp.atan, canonical) if expression.has(sp.atan) else expression


def _canonical_exponentials(expression: sp.Expr) -> sp.Expr:
    """Powers of one symbol for all exponentials whose exponents are rational multiples of one another."""
    expression = expression.replace(sp.exp, lambda t: sp.exp(sp.expand(sp.cancel(t))))
    expression = sp.expand_power_exp(expression)
    exponents: dict[sp.Expr, set[sp.Rational]] = defaultdict(set)
    for e in expression.atoms(sp.exp, sp.E.func):
        number, rest = (sp.S.One if e == sp.E else e.exp).as_coeff_Mul()
        exponents[rest].add(number)
    values: dict[sp.Expr, sp.Expr] = {}
    for rest, numbers in exponents.items():
        unit = reduce(sp.gcd, numbers)
        symbol = sp.Dummy(positive=True)
        values |= {sp.exp(number * rest): symbol ** (number / unit) for number in numbers}
    return expression.xreplace(values)


def _generators(expression: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Expr]]]:
    """Replace opaque objects and radicals by symbols; return the relations of the radicals."""
    opaque = [
        e
        for e in sp.preorder_traversal(expression)
        if isinstance(e, (*_OPAQUE, sp.core.function.AppliedUndef))
    ]
    opaque += [e for e in sp.preorder_traversal(expression) if type(e).__module__ == "derivations.symbols"]
    expression = expression.subs({e: sp.Dummy() for e in sorted(set(opaque), key=sp.count_ops, reverse=True)})
    roots: dict[sp.Expr, sp.Symbol] = {}

    def root(base: sp.Expr, exponent: sp.Rational) -> sp.Expr:
        if exponent.q != 2:
            raise NotImplementedError(f"only square roots have a normal form here, got exponent {exponent}")
        return roots.setdefault(base, sp.Dummy()) ** exponent.p

    expression = expression.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer,
        lambda e: root(e.base, e.exp),
    )
    return expression, [(symbol, base) for base, symbol in roots.items()]


def vanishes(expression: sp.Expr) -> bool:
    r"""Whether `expression` is zero as a formal identity.

    Parameters
    ----------
    expression : Expr
        Rational in symbols, \(\pi\), square roots, arcsines, arccosines and opaque objects.

    Returns
    -------
    bool
        ``True`` is a proof; ``False`` means that the normal form of the numerator is not zero.

    Examples
    --------
    >>> from sympy import acos, asin, pi, sqrt, symbols
    >>> s = symbols("s", positive=True)
    >>> t = symbols("t", real=True)
    >>> vanishes(sqrt(s**2 - s**2 * t**2) / s - sqrt(1 - t**2))
    True
    >>> vanishes(asin(t) + acos(t) - pi / 2)
    True
    >>> vanishes(sqrt(1 - t**2) - 1)
    False
    """
    expression = sp.sympify(expression)
    expression = expression.xreplace({e: _opaque_integral(e) for e in expression.atoms(sp.Integral)})
    expression = expression.replace(sp.acos, lambda t: sp.pi / 2 - sp.asin(t))
    if expression.has(sp.exp, sp.E):
        expression = _canonical_exponentials(expression)
    expression, relations = _generators(_split_radicals(_canonical_arcs(expression)))
    numerator = sp.expand(sp.together(expression).as_numer_denom()[0])
    # A later root's radicand may contain an earlier root; reduce until nothing changes.
    for _ in range(len(relations) + 1):
        for symbol, base in relations:
            numerator = sp.expand(_reduce_square(numerator, symbol, base))
        numerator = sp.together(numerator).as_numer_denom()[0].expand()
    return numerator == 0


def _opaque_integral(integral: sp.Integral) -> sp.Expr:
    """A symbol, or 0 over an empty range."""
    ((_, start, end),) = integral.limits
    return sp.S.Zero if start == end else sp.Dummy()


def _reduce_square(expression: sp.Expr, symbol: sp.Symbol, base: sp.Expr) -> sp.Expr:
    """Replace even powers of `symbol` by powers of its square, `base`."""
    if not expression.has(symbol):
        return expression
    polynomial = sp.Poly(expression, symbol)
    return sum(
        (
            coefficient * base ** (degree // 2) * symbol ** (degree % 2)
            for (degree,), coefficient in polynomial.terms()
        ),
        sp.S.Zero,
    )
