"""Names for the parts of a kernel that recur, for people to read it by."""

from __future__ import annotations

import sympy as sp

from derivations.symbols import r_i, r_j


def abbreviated(kernel: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Expr]]]:
    """A kernel as a sum of short terms, and what the names in it stand for; a polynomial in the norms as it is.

    Radicands become ``D``, the other sums in denominators ``A_i`` and ``A_j`` by the norm that they depend on.

    Examples
    --------
    >>> from derivations import derive
    >>> abbreviated(derive("gaussian").nngp.off_diagonal)[0]
    1/sqrt(D)
    """
    radicands = {
        e.base for e in kernel.atoms(sp.Pow) if e.base.is_Add and e.exp.is_Rational and not e.exp.is_Integer
    }
    inverses = {e.base for e in kernel.atoms(sp.Pow) if e.base.is_Add and e.exp.is_negative} - radicands
    radicands = {base for base in radicands if base.has(r_i, r_j)}
    names: list[tuple[sp.Symbol, sp.Expr]] = []
    for index, base in enumerate(sorted(radicands, key=sp.default_sort_key), 1):
        names.append((sp.Symbol("D" if len(radicands) == 1 else f"D_{index}", positive=True), base))
    for norm, letter in ((r_i, "A_i"), (r_j, "A_j")):
        own = sorted(
            (base for base in inverses if base.free_symbols & {r_i, r_j} == {norm}), key=sp.default_sort_key
        )
        for index, base in enumerate(own, 1):
            names.append((sp.Symbol(letter if len(own) == 1 else f"{letter}{index}", positive=True), base))
    if not names:
        return kernel, []
    # The largest first: a radicand may contain another sum.
    for symbol, value in sorted(names, key=lambda pair: -sp.count_ops(pair[1])):
        kernel = _replaced(kernel, symbol, value)
    return sp.expand(kernel), [(symbol, value) for symbol, value in names if kernel.has(symbol)]


def _replaced(expression: sp.Expr, symbol: sp.Symbol, total: sp.Expr) -> sp.Expr:
    """`symbol` for `total`, also where other terms stand in the same sum."""
    terms = set(total.args)
    return expression.replace(
        lambda e: e.is_Add and terms <= set(e.args),
        lambda e: sp.Add(symbol, *(term for term in e.args if term not in terms)),
    )
