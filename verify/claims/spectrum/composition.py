r"""What the published eigenvalues must be if they follow from the simplified matrices: the ends of derived chains.

A statement that is not the end of its chain is wrong in a coefficient, whatever its relation to any matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy as sp

from derivations.sources import STATEMENTS, Statement
from derivations.sources.glu_spectrum import S_GATED, S
from derivations.spectrum import published_derivation
from verify.claim import Verdict
from verify.claims.symbolic import judge_identities

Composition = Mapping[str, Mapping[str, sp.Expr]]
"""By id of the statement and name of the formula."""


@lru_cache(maxsize=1)
def composed() -> dict[str, dict[str, sp.Expr]]:
    """What the derivations of `derivations.spectrum.published` end in, every step checked.

    Examples
    --------
    >>> composed()["A7"]["lambda_1"]
    d/2 + m*n/(2*pi) - m/(2*pi) + m/2
    """
    ends: dict[str, dict[str, sp.Expr]] = {}
    for id in ("A7", "A8", "A10", "A11", "A13"):
        chains = {name: published_derivation(id, name) for name, _ in STATEMENTS[id].formulas}
        for chain in chains.values():
            chain.check()
        ends[id] = {name: chain.steps[-1].rhs for name, chain in chains.items()}
    return ends


def contradiction(statement: Statement, composition: Composition) -> str:
    """Where a statement is not the end of its chain; nothing where it is, or where it has no formulas.

    Examples
    --------
    >>> contradiction(STATEMENTS["A10"], composed())
    ''
    """
    stated = dict(statement.formulas)
    pairs = [
        (name, _opaque(stated[name]), _opaque(expected))
        for name, expected in composition.get(statement.id, {}).items()
    ]
    evidence = judge_identities(pairs, "the end of its derivation")
    return evidence.detail if evidence.verdict == Verdict.REFUTED else ""


def _opaque(formula: sp.Expr) -> sp.Expr:
    """With the two edges, which no normal form resolves, as symbols."""
    names = {S: sp.Symbol("s", positive=True), S_GATED: sp.Symbol("s_gated", positive=True)}
    return formula.subs(names)
