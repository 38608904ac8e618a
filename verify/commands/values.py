"""Numbers as commands give them: in JSON and for people."""

from __future__ import annotations

import numpy as np

SCHEMA = 1


def number(value: float) -> float | str:
    """JSON has no infinities: they are strings there.

    Examples
    --------
    >>> number(2), number(np.inf)
    (2.0, 'inf')
    """
    return float(value) if np.isfinite(value) else str(float(value))


def readable(value: object, digits: int = 8) -> str:
    """A number to so many digits; a string as it is.

    Examples
    --------
    >>> readable(1 / 3, 3), readable("inf")
    ('0.333', 'inf')
    """
    return value if isinstance(value, str) else f"{value:.{digits}g}"
