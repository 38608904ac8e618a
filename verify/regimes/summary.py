"""A map in words: on what share of the sizes a formula holds, where it first fails, and for which n at every d."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verify.regimes.formulas import formulas_of
from verify.regimes.maps import Regime

HOLDS, FAILS, UNDECIDED, UNKNOWN = "holds", "fails", "undecided", "not known"


@dataclass(frozen=True)
class Summary:
    """What a map says of one formula.

    Attributes
    ----------
    formula : str
    sizes, holds, fails, undecided, unknown : int
        Sizes in all; where it holds to the tolerance; where it does not; where the true value is not known well enough
        to tell; where it is not known at all.
    counterexample : Regime or None
        The smallest size where it fails: by n, then d, then m.
    farthest : Regime or None
        Where it fails by the largest factor that is finite.
    regions : tuple of (int, tuple of (str, tuple of (int, int)))
        For every d, ascending: what is said (``holds``, ``fails``, ...) and the ranges of n, from and to, ascending.
    """

    formula: str
    sizes: int
    holds: int
    fails: int
    undecided: int
    unknown: int
    counterexample: Regime | None
    farthest: Regime | None
    regions: tuple[tuple[int, tuple[tuple[str, tuple[int, int]], ...]], ...]

    @property
    def share(self) -> float:
        """Of the sizes where it is decided, those where it holds; NaN if there are none."""
        decided = self.holds + self.fails
        return self.holds / decided if decided else np.nan


def summaries(regimes: Sequence[Regime]) -> tuple[Summary, ...]:
    """Of every formula of a map, in the claim's order.

    Parameters
    ----------
    regimes : sequence of Regime
        From `verify.regimes.regime_map`.

    Examples
    --------
    >>> from verify.regimes import regime_map
    >>> (found,) = summaries(regime_map("A10", [50, 100, 1000, 2000], [200], width=100))
    >>> found.sizes, found.holds, found.fails, found.counterexample.n
    (4, 2, 2, 1000)
    >>> found.regions
    ((200, (('holds', (50, 100)), ('fails', (1000, 2000)))),)
    """
    names = [formula.name for formula in formulas_of(regimes[0].claim)] if regimes else []
    return tuple(_summary(name, [regime for regime in regimes if regime.formula == name]) for name in names)


def said_of(regime: Regime) -> str:
    """What a map says of a size: ``holds``, ``fails``, ``undecided`` or ``not known``."""
    if regime.holds is None:
        return UNKNOWN if np.isnan(regime.true) else UNDECIDED
    return HOLDS if regime.holds else FAILS


def _summary(name: str, regimes: Sequence[Regime]) -> Summary:
    words = [said_of(regime) for regime in regimes]
    failing = [regime for regime in regimes if regime.holds is False]
    finite = [regime for regime in failing if 0 < regime.ratio < np.inf]
    dimensions = sorted({regime.d for regime in regimes})
    return Summary(
        name,
        len(regimes),
        words.count(HOLDS),
        words.count(FAILS),
        words.count(UNDECIDED),
        words.count(UNKNOWN),
        min(failing, key=lambda regime: regime.size, default=None),
        max(finite, key=lambda regime: abs(np.log(regime.ratio)), default=None),
        tuple((d, _ranges([regime for regime in regimes if regime.d == d])) for d in dimensions),
    )


def _ranges(regimes: Sequence[Regime]) -> tuple[tuple[str, tuple[int, int]], ...]:
    """Neighbouring n of which the same is said, together."""
    found: list[tuple[str, tuple[int, int]]] = []
    for regime in sorted(regimes, key=lambda regime: regime.n):
        word = said_of(regime)
        if found and found[-1][0] == word:
            found[-1] = word, (found[-1][1][0], regime.n)
        else:
            found.append((word, (regime.n, regime.n)))
    return tuple(found)
