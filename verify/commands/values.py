"""Numbers as commands give them: in JSON and for people."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

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


def interval(bounds: tuple[float, float] | None, digits: int) -> str:
    """An interval to so many digits, rounded outwards; ``-`` for none.

    Examples
    --------
    >>> interval((0.123456, 7.0), 3), interval((0.0, 0.0), 3), interval((1.0, np.inf), 3)
    ('0.123 to 7', '0', '1 to inf')
    """
    if bounds is None:
        return "-"
    low, high = (
        readable(float(Decimal(side).normalize(Context(digits, way))) if np.isfinite(side) else side, digits)
        for side, way in zip(bounds, (ROUND_FLOOR, ROUND_CEILING), strict=True)
    )
    return low if low == high else f"{low} to {high}"
