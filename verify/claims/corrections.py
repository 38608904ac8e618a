"""What holds instead of a statement, or how it comes true: the words of its judges."""

from __future__ import annotations

from verify.claims.dynamics import late
from verify.claims.spectrum.extremes import REMARKS
from verify.claims.spectrum.orderings import CONDITION, ON_THE_SPHERE
from verify.claims.spectrum.orders import LARGEST_INSTEAD, SMALLEST_INSTEAD

_ON_ALL_RUNGS = {
    "A9": LARGEST_INSTEAD,
    "A12": SMALLEST_INSTEAD,
    "A13": ON_THE_SPHERE,
    "A14": CONDITION,
    "A17": late.INSTEAD,
}


def correction(id: str, rung: str) -> str:
    """What a rung's judge adds to its verdict; empty where it adds nothing.

    Examples
    --------
    >>> correction("A9", "exact")
    'instead: of the order (m/d + 1) n for n >= d'
    >>> correction("A7", "simplified")
    ''
    """
    return _ON_ALL_RUNGS.get(id) or REMARKS.get((id, rung), "")
