"""Names for the parts of a kernel that recur, for people to read it by."""

from __future__ import annotations

import sympy as sp

from derivations.symbols import r_i, r_j


def abbreviated(kernel: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Expr, sp.Expr]]]:
    """A kernel as a sum of short terms, and what the names in it stand for; a polynomial in the norms as it is.

    Radicands become ``D``, the other sums in denominators ``A_i`` and ``A_j`` by the norm that they depend on,
    integrals ``I`` and sums in them ``H``.

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
    names: list[tuple[sp.Expr, sp.Expr]] = []
    for index, base in enumerate(sorted(radicands, key=sp.default_sort_key), 1):
        names.append((sp.Symbol("D" if len(radicands) == 1 else f"D_{index}", positive=True), base))
    for norm, letter in ((r_i, "A_i"), (r_j, "A_j")):
        own = sorted(
            (base for base in inverses if base.free_symbols & {r_i, r_j} == {norm}), key=sp.default_sort_key
        )
        for index, base in enumerate(own, 1):
            names.append((sp.Symbol(letter if len(own) == 1 else f"{letter}{index}", positive=True), base))
    integrals = sorted(kernel.atoms(sp.Integral), key=sp.default_sort_key)
    if not names and not integrals:
        return kernel, []
    # The largest first: a radicand may contain another sum.
    for symbol, value in sorted(names, key=lambda pair: -sp.count_ops(pair[1])):
        kernel = _replaced(kernel, symbol, value)
    used = [(symbol, value) for symbol, value in names if kernel.has(symbol)]
    letters, inside = _named_integrals(sorted(kernel.atoms(sp.Integral), key=sp.default_sort_key))
    # Expanded outside of integrals only: one of a sum is one integral.
    return sp.expand(kernel.xreplace(letters)), inside + used


def _named_integrals(
    integrals: list[sp.Integral],
) -> tuple[dict[sp.Expr, sp.Expr], list[tuple[sp.Expr, sp.Expr]]]:
    """Symbols for integrals, and what they and the long sums in them stand for, each sum once."""
    sums: dict[sp.Expr, sp.Expr] = {}
    letters, names = {}, []
    for index, integral in enumerate(integrals, 1):
        letters[integral] = sp.Symbol("I" if len(integrals) == 1 else f"I_{index}", real=True)
        variable = integral.variables[0]
        longest = max(sp.Mul.make_args(integral.function), key=sp.count_ops)
        name = sums.setdefault(longest, sp.Function(f"H_{len(sums) + 1}")(variable))
        names.append((letters[integral], sp.Integral(integral.function / longest * name, *integral.limits)))
    return letters, names + [(name, total) for total, name in sums.items()]


def _replaced(expression: sp.Expr, symbol: sp.Symbol, total: sp.Expr) -> sp.Expr:
    """`symbol` for `total`, also where other terms stand in the same sum."""
    terms = set(total.args)
    return expression.replace(
        lambda e: e.is_Add and terms <= set(e.args),
        lambda e: sp.Add(symbol, *(term for term in e.args if term not in terms)),
    )
