r"""What the published eigenvalues are made of: the terms of the simplified matrices, one by one, at |x|^2 = d.

On the sphere the vector of ones has Rayleigh quotients \(dn\) of \(rr^T\), about \(d\) of G, about \(nd + d^2\) of
\(G\circ G\) and \(d\) of D; on the other end \(\lambda_n(G) \approx dS^2\) and \(\lambda_n(G\circ G) \approx d^2\tilde S^2\).
A statement that is not the sum of its terms is wrong in a coefficient, whatever its relation to any matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy as sp

from derivations.sources import STATEMENTS, Statement
from derivations.sources.glu_spectrum import S_GATED, S
from derivations.symbols import d, n
from verify.claim import Verdict
from verify.claims.symbolic import judge_identities

Composition = Mapping[str, Mapping[str, sp.Expr]]
"""By id of the statement and name of the formula."""


@lru_cache(maxsize=1)
def composed() -> dict[str, dict[str, sp.Expr]]:
    """The sums of terms, from the coefficients of A5 and A6.

    Examples
    --------
    >>> composed()["A7"]["lambda_1"]
    d*(1/4 + m/(4*d)) + d*(1/4 - m/(2*pi*d) + m/(4*d)) + m*n/(2*pi)
    """
    alpha, beta, gamma = (STATEMENTS["A5"].formula(name) for name in ("alpha", "beta", "gamma"))
    gated_alpha, gated_beta, gated_gamma = (
        STATEMENTS["A6"].formula(name) for name in ("alpha", "beta", "gamma")
    )
    lower = gated_alpha * (n * d + d**2) + gated_gamma * d**2
    smallest = alpha * d * S**2 + gamma * d
    gated_smallest = gated_alpha * d**2 * S_GATED**2 + gated_beta * d**2 * S**2 + gated_gamma * d**2
    return {
        "A7": {"lambda_1": beta * d * n + alpha * d + gamma * d},
        "A8": {"lower": lower, "upper": lower + gated_beta * d * (n + d)},
        "A10": {"lambda_n": smallest},
        "A11": {"lambda_n": gated_smallest},
        # For n > d, where S = 0.
        "A13": {"difference": (gated_smallest - smallest).subs(S, 0)},
    }


def contradiction(statement: Statement, composition: Composition) -> str:
    """Where a statement is not the sum of its terms; nothing where it is, or where it has no formulas.

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
    evidence = judge_identities(pairs, "the sum of its terms")
    return evidence.detail if evidence.verdict == Verdict.REFUTED else ""


def _opaque(formula: sp.Expr) -> sp.Expr:
    """With the two edges, which no normal form resolves, as symbols."""
    names = {S: sp.Symbol("s", positive=True), S_GATED: sp.Symbol("s_gated", positive=True)}
    return formula.subs(names)
