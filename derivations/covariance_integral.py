r"""Integration in the covariance, in the class of functions that Price's ladder produces.

With \(D = s_1^2 s_2^2 - c^2\) the class is spanned by \(c^i\), \(c^i \arcsin\frac{c}{s_1 s_2}\) and
\(c^i D^{j/2}\) (j odd); it is closed under \(\int_0^c\). Nothing here is trusted: each integral becomes a
derivation step that is checked by differentiating it.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from derivations.symbols import c, s_1, s_2

_A = s_1**2 * s_2**2
_D = _A - c**2
_ARC = sp.asin(c / (s_1 * s_2))
_ARC_SYMBOL = sp.Dummy("arc", real=True)
_ROOT = sp.Dummy("root", positive=True)


def integrate_from_zero(expression: sp.Expr) -> sp.Expr:
    r"""\(\int_0^c f(t)\,dt\) for f in the class.

    Raises
    ------
    ValueError
        If `expression` is not in the class.

    Examples
    --------
    >>> from derivations.gaussian import origin_density
    >>> integrate_from_zero(origin_density(0, 0))
    asin(c/(s_1*s_2))/(2*pi)
    """
    antiderivative = sp.expand(
        sp.Add(*(factor * _antiderivative(i, arc, j) for (i, arc, j), factor in _terms(expression).items()))
    )
    at_zero = antiderivative.subs({c: 0, _ARC_SYMBOL: 0, _ROOT: sp.sqrt(_A)})
    collected = sp.collect(antiderivative - at_zero, [_ARC_SYMBOL, _ROOT])
    return collected.subs({_ROOT: sp.sqrt(_D), _ARC_SYMBOL: _ARC})


def _with_generators(expression: sp.Expr) -> sp.Expr:
    """Expanded in c and in symbols for the arcsine and for D^(1/2)."""
    # Radicals first: `expand` would split D^(-3/2) into D^(-1) and D^(-1/2) and multiply the former out.
    generic = expression.replace(
        lambda e: e.is_Pow and e.base.has(c) and sp.expand(e.base - _D) == 0,
        lambda e: _ROOT ** (2 * e.exp),
    )
    return sp.expand(generic.subs(_ARC, _ARC_SYMBOL))


def _terms(expression: sp.Expr) -> dict[tuple[int, int, int], sp.Expr]:
    """Coefficients of c^i asin^arc D^(j/2), with j odd or zero."""
    result: dict[tuple[int, int, int], sp.Expr] = {}
    for term in sp.Add.make_args(_with_generators(expression)):
        powers = term.as_powers_dict()
        i, p, j = (int(powers.pop(g, 0)) for g in (c, _ARC_SYMBOL, _ROOT))
        factor = sp.Mul(*(base**exponent for base, exponent in powers.items()))
        if (
            factor.has(c, _ARC_SYMBOL, _ROOT)
            or i < 0
            or p not in (0, 1)
            or (p and j)
            or (j % 2 == 0 and j < 0)
        ):
            raise ValueError(f"not in the class that integrates in the covariance: {term}")
        if j and j % 2 == 0:
            for (i_2, _, _), more in _terms(sp.expand(c**i * _D ** (j // 2))).items():
                result[i_2, p, 0] = result.get((i_2, p, 0), sp.S.Zero) + factor * more
        else:
            result[i, p, j] = result.get((i, p, j), sp.S.Zero) + factor
    return result


@cache
def _antiderivative(i: int, arc: int, j: int) -> sp.Expr:
    """Of c^i asin^arc D^(j/2), expanded in c and the generators: unexpanded it would double with every step."""
    if arc:
        # By parts: the derivative of the arcsine is D^(-1/2).
        found = (c ** (i + 1) * _ARC_SYMBOL - _antiderivative(i + 1, 0, -1)) / (i + 1)
    elif j == 0:
        found = c ** (i + 1) / sp.Integer(i + 1)
    elif i >= 2:
        # c^2 = A - D.
        found = _A * _antiderivative(i - 2, 0, j) - _antiderivative(i - 2, 0, j + 2)
    elif i == 1:
        found = -(_ROOT ** (j + 2)) / (j + 2)
    elif j == -1:
        found = _ARC_SYMBOL
    # d/dc [c D^(k/2)] = (k+1) D^(k/2) - k A D^(k/2-1), read upwards and downwards.
    elif j < -1:
        k = j + 2
        found = ((k + 1) * _antiderivative(0, 0, k) - c * _ROOT**k) / (k * _A)
    else:
        found = (c * _ROOT**j + j * _A * _antiderivative(0, 0, j - 2)) / (j + 1)
    return sp.expand(found)
