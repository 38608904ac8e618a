r"""Where two expected losses cross: the steps, how many there can be, and who is ahead at last.

The difference \(D(k) = \sum_i w_i e^{k\ell_i} - \sum_i \tilde w_i e^{k\tilde\ell_i}\) is an exponential sum. With all its
terms in the order of their exponents it has, for k > 0, at most as many zeros as its partial sums of coefficients, from
the slowest mode on, have changes of sign (Laguerre's rule), and an even number fewer. The first partial sum says who is
ahead at last, the whole sum who is at the start.

Source: E. Laguerre 1884, "Sur la théorie des équations numériques"; derived here from summation by parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.dynamics.difference import ROUNDED, Difference
from derivations.dynamics.loss import ExpectedLoss
from derivations.errors import InputError

PER_DECADE = 400
"""Steps at which the sign is looked at; two crossings closer than 0.6 % of k may be missed, and `most` tells."""
LAST = 10**8


@dataclass(frozen=True)
class Crossings:
    """Where the difference of two expected losses changes its sign.

    Attributes
    ----------
    steps : tuple of int
        The k >= 1 at which sign(L - L~) first differs from the one before.
    most : int
        No more crossings than this are possible, anywhere.
    ahead_at_start, ahead_at_last : int
        -1 if the first loss is the smaller one, 1 if the second one is, 0 if they are equal (to rounding).
    """

    steps: tuple[int, ...]
    most: int
    ahead_at_start: int
    ahead_at_last: int


def crossings(first: ExpectedLoss, second: ExpectedLoss, last: int = LAST) -> Crossings:
    r"""The steps up to `last` at which the difference of two expected losses changes its sign.

    Raises
    ------
    InputError
        If `last` is not a whole number from 1 to 10^15.

    Examples
    --------
    >>> from derivations.dynamics.loss import expected_loss
    >>> spread = expected_loss(np.diag([1.0, 0.01]), 0.5, [1.0, 1.0])
    >>> compact = expected_loss(np.diag([0.3, 0.1]), 0.5, [1.0, 1.0])
    >>> crossings(spread, compact)
    Crossings(steps=(4,), most=1, ahead_at_start=0, ahead_at_last=1)
    """
    if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= 10**15:
        raise InputError(f"last must be a whole number from 1 to 10^15, got {last!r}")
    terms = Difference.of(first, second)
    partial = np.cumsum(terms.coefficients)
    slack = ROUNDED * np.cumsum(terms.sizes)
    signs = np.where(np.abs(partial) <= slack, 0.0, np.sign(partial))
    changes = signs[signs != 0]
    start = first.start - second.start
    at_start = 0 if abs(start) <= ROUNDED * (first.start + second.start) else int(np.sign(start))
    most = int(np.count_nonzero(np.diff(changes)))
    at_last = int(changes[0]) if len(changes) else 0
    if not most:
        return Crossings((), 0, at_start, at_last)
    grid = _grid(last)
    found, before, previous = [], at_start, 0
    for k, sign in zip(grid, terms.signs(np.array(grid)).tolist(), strict=True):
        if sign and before and sign != before:
            found.append(_bisected(terms, previous, k, sign))
        if sign:
            before = sign
        previous = k
    return Crossings(tuple(found), most, at_start, at_last)


def _bisected(terms: Difference, low: int, high: int, sign: int) -> int:
    """The first k in (low, high] with this sign, there being one change."""
    while high - low > 1:
        middle = (low + high) // 2
        if terms.signs(np.array([middle]))[0] == sign:
            high = middle
        else:
            low = middle
    return high


def _grid(last: int) -> list[int]:
    whole = range(1, min(last, PER_DECADE) + 1)
    if last <= PER_DECADE:
        return list(whole)
    count = int(PER_DECADE * np.log10(last / PER_DECADE)) + 2
    return sorted({*whole, *(round(k) for k in np.geomspace(PER_DECADE, last, count)), last})
