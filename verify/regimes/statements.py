"""What the claims that have a map say."""

from __future__ import annotations

from derivations.sources import STATEMENTS, Statement

_SOURCE = STATEMENTS["A7"].source
_STAGES = {
    statement.id: statement
    for statement in (
        Statement(
            "A16",
            "early in training the plain network's expected loss is the smaller one",
            _SOURCE,
            "rows N(0, I_d), d >= 5, n >= 300; Y^T (K - K~) Y >= 0; small eta k",
            (),
        ),
        Statement(
            "A17",
            "late in training the gated network's expected loss is the smaller one",
            _SOURCE,
            "rows N(0, I_d); eta below 1/lambda_1 of both kernels, so that the smallest eigenvalues decide",
            (),
        ),
    )
}


def statement_of(id: str) -> Statement:
    """The statement of this name.

    Examples
    --------
    >>> statement_of("A10").title
    'smallest eigenvalue of the plain kernel'
    """
    return STATEMENTS[id] if id in STATEMENTS else _STAGES[id]
