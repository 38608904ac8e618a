"""The symbolic rungs: an identity between a published formula and a derived one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import product

import sympy as sp

from derivations import derive, network
from derivations.identity import vanishes
from derivations.kernel_derivation import KernelDerivation
from derivations.symbols import d, m, rho
from verify.claim import Evidence, Verdict


@lru_cache(maxsize=16)
def derived(name: str, variances: str = "numeric") -> KernelDerivation:
    """The derivation of a named network, every step checked."""
    result = derive(network(name, variances=variances))
    result.check()
    return result


def judge_identities(pairs: Iterable[tuple[str, sp.Expr, sp.Expr]], grounds: str) -> Evidence:
    """PROVED if every (name, stated, derived) pair is an identity, else REFUTED with a small counterexample."""
    pairs = list(pairs)
    for name, stated, expected in pairs:
        if not vanishes(stated - expected):
            return Evidence(Verdict.REFUTED, _counterexample(name, stated, expected))
    names = ", ".join(name for name, _, _ in pairs)
    return Evidence(Verdict.PROVED, f"{names}: identical to {grounds}")


def _counterexample(name: str, stated: sp.Expr, expected: sp.Expr) -> str:
    """The first point of a small grid where the two sides differ, smallest width and dimension first."""
    cosines = [sp.Rational(1, 2), sp.S.Zero, sp.Rational(-1, 2)]
    known = (m, d, rho)
    others = sorted((stated.free_symbols | expected.free_symbols) - set(known), key=str)
    for values in product(range(1, 4), range(1, 4), cosines):
        point = dict(zip(known, values, strict=True)) | dict.fromkeys(others, 1)
        left, right = (sp.N(e.subs(point), 12) for e in (stated, expected))
        if abs(left - right) > abs(right) * 1e-9 + 1e-12:
            used = [symbol for symbol in (*known, *others) if stated.has(symbol) or expected.has(symbol)]
            where = ", ".join(f"{symbol} = {point[symbol]}" for symbol in used)
            return f"{name} at {where}: stated {sp.N(left, 6)}, derived {sp.N(right, 6)}"
    return f"{name}: not an identity; stated minus derived is {sp.sstr(stated - expected)}"
