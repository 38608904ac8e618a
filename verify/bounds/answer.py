"""What bounds of a spectrum are: intervals, scaled back, with what is known exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from verify.activations import Array
from verify.bounds.rounding import gamma

Interval = tuple[float, float]

NEGLIGIBLE = 1e-200
"""Share of the largest diagonal entry below which a row is only counted, not computed with."""
TINIEST = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class SpectrumBounds:
    """Intervals that hold the true values of the exact kernel of these very floating-point data.

    Attributes
    ----------
    lambda_min, lambda_max : (low, high)
    n : int
    mode : str
    singular : str or None
        Why the kernel matrix is singular for certain; lambda_min is then (0, 0).

    Examples
    --------
    >>> SpectrumBounds((1.0, 2.0), (4.0, 4.0), 3, "dense", None).condition_number
    (2.0, 4.0)
    """

    lambda_min: Interval
    lambda_max: Interval
    n: int
    mode: str
    singular: str | None

    @property
    def condition_number(self) -> Interval:
        """(low, high), infinite where the smallest eigenvalue is 0 or may be."""
        if self.n == 1 and self.lambda_max[0] > 0:
            return 1.0, 1.0
        with np.errstate(over="ignore"):
            low = _quotient(self.lambda_max[0], self.lambda_min[1], down=True)
            return max(low, 1.0), _quotient(self.lambda_max[1], self.lambda_min[0], down=False)


def _quotient(top: float, bottom: float, down: bool) -> float:
    if bottom <= 0:
        return float("inf")
    return (
        float(np.nextafter(np.float64(top) / bottom, 0.0 if down else np.inf))
        if top % bottom
        else top / bottom
    )


def worth_computing(diagonal: Array) -> NDArray[np.bool_]:
    """Which rows are not next to 0 : (n,) bool."""
    return np.asarray(diagonal > max(NEGLIGIBLE * float(np.max(diagonal)), TINIEST))


def finished(
    smallest: Interval,
    largest: Interval,
    scale: float,
    diagonal: Array,
    kept: NDArray[np.bool_],
    singular: str | None,
    mode: str,
) -> SpectrumBounds:
    """Scaled back, the smallest eigenvalue not negative, with the rows that were left out.

    Parameters
    ----------
    smallest, largest : (low, high)
        Of the kernel of the rows that are kept, over `scale`.
    scale : float
    diagonal : (n,) float
        Of all rows, unscaled.
    kept : (n,) bool
    singular, mode : str or None, str
    """
    n = len(diagonal)
    low, high = max(smallest[0], 0.0) * scale, max(smallest[1], 0.0) * scale
    bottom, top = max(largest[0], 0.0) * scale, largest[1] * scale
    if not np.all(kept):
        # Interlacing from above; from below nothing but that it is semidefinite.
        left = diagonal[~kept]
        low, high = 0.0, min(high, float(np.min(left)) * 2 + TINIEST)
        top += (float(np.sum(left)) * 2 + n * TINIEST) * (1 + gamma(n))
    if singular is not None:
        low = high = 0.0
    if not (low <= high and bottom <= top):
        raise AssertionError(f"bounds cross: lambda_min {low}, {high}; lambda_max {bottom}, {top}")
    return SpectrumBounds((low, high), (bottom, top), n, mode, singular)


def negligible(diagonal: Array, singular: str | None, mode: str) -> SpectrumBounds:
    """All entries are 0 or next to it."""
    n = len(diagonal)
    top = (
        0.0
        if singular is not None and not diagonal.any() and n == 1
        else 2 * float(np.sum(diagonal)) + n * TINIEST
    )
    found = SpectrumBounds((0.0, top), (0.0, top), n, mode, singular)
    return found if singular is None else replace(found, lambda_min=(0.0, 0.0))
