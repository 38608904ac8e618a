r"""Where the published early stage is right: at every d and m the smallest n from which the plain loss falls faster.

The smallest n, of A16 stated to be at most 300 where d >= 5, is that of `derivations.dynamics.early`: in expectation over
Gaussian rows, and whatever the targets with \(Y^T(K-\tilde K)Y \ge 0\). Nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derivations.arguments import check_choice, check_positive_integer
from derivations.dynamics import EarlyRegion, early_stage, exact_region
from derivations.dynamics.initial import INITIAL, Initial
from derivations.errors import InputError
from verify.claims.dynamics.early import EARLY_DIMENSION as DIMENSION
from verify.claims.dynamics.early import EARLY_ROWS as ROWS
from verify.regimes.maps import LARGEST

CLAIM = "A16"
RUNGS = ("simplified", "exact")
"""Kernels that have expected traces."""


@dataclass(frozen=True)
class EarlySize:
    """One d and m of a map.

    Attributes
    ----------
    rung : str
        ``simplified`` or ``exact``.
    initial : str
        The covariance of the outputs before the first step: ``kernel``, K itself, or ``nngp``, a real network's.
    d : int
    m : int or None
        None in the limit of large widths.
    rows : int or None
        The smallest n from which the plain loss falls faster; None where it does so for no n.
    claimed : bool
        Whether the publication speaks of this d.
    holds : bool or None
        Whether the published number of rows is enough; None where it says nothing.
    """

    rung: str
    initial: Initial
    d: int
    m: int | None
    rows: int | None
    claimed: bool
    holds: bool | None

    @property
    def order(self) -> tuple[int, float]:
        """By d, then by m, the limit last."""
        return self.d, float("inf") if self.m is None else self.m


@dataclass(frozen=True)
class EarlySummary:
    """What a map says of one kernel and one covariance of the outputs.

    Attributes
    ----------
    rung, initial : str
    claimed, holds : int
        Sizes (d, m) that the publication speaks of; of these, those at which it is right.
    counterexample : EarlySize or None
        The smallest size where it is not: by d, then m.
    unclaimed : int
        Sizes at which fewer rows, or a smaller d, are enough: it is true there and not stated.
    some_rows, published_rows : tuple of (int, int or None)
        For every d the smallest m from which on some number of rows, or the published one, is enough; None if none is.
    """

    rung: str
    initial: Initial
    claimed: int
    holds: int
    counterexample: EarlySize | None
    unclaimed: int
    some_rows: tuple[tuple[int, int | None], ...]
    published_rows: tuple[tuple[int, int | None], ...]

    @property
    def share(self) -> float:
        """Of the sizes that are spoken of, those where it is right; NaN if there are none."""
        return self.holds / self.claimed if self.claimed else float("nan")


def region_of(rung: str, initial: Initial, dimension: int) -> EarlyRegion:
    """A and B of the kernels of a rung."""
    check_choice(rung, "rung", RUNGS)
    return early_stage(initial).at(dimension) if rung == "simplified" else exact_region(dimension, initial)


def early_map(
    dimensions: Sequence[int], widths: Sequence[int | None], rungs: Sequence[str] = RUNGS
) -> list[EarlySize]:
    """The smallest n at every d and m, of every kernel and both covariances of the outputs.

    Parameters
    ----------
    dimensions : sequence of int
        d, at least 2.
    widths : sequence of int or None
        m; None in the limit of large widths.
    rungs : sequence of str

    Returns
    -------
    list of EarlySize
        By rung, initial, d and m. `dataclasses.asdict` makes rows of a table of them.

    Raises
    ------
    InputError
        For numbers out of range, another rung, or nothing to map.

    Examples
    --------
    >>> [(size.initial, size.rows, size.holds) for size in early_map([5], [1, None], ["exact"])]
    [('kernel', None, False), ('kernel', 59, True), ('nngp', None, False), ('nngp', 59, True)]
    """
    for name, values in (("d", dimensions), ("width", widths), ("rung", rungs)):
        if not len(values):
            raise InputError(f"{name} must hold at least one number, got none")
    sizes = sorted({_checked(value, "d") for value in dimensions})
    if sizes[0] < 2:
        raise InputError(f"d must be at least 2, got {sizes[0]}")
    finite = sorted({_checked(value, "width") for value in widths if value is not None})
    wanted: list[int | None] = [*finite, *([None] if None in widths else [])]
    found = []
    for rung in rungs:
        for initial in INITIAL:
            for dimension in sizes:
                region = region_of(rung, initial, dimension)
                for width in wanted:
                    found.append(_size(rung, initial, dimension, width, region.smallest_rows(width)))
    return found


def _checked(value: object, name: str) -> int:
    number = check_positive_integer(value, name)
    if number > LARGEST:
        raise InputError(f"{name} must be at most {LARGEST:.0e}, got {number}")
    return number


def _size(rung: str, initial: Initial, dimension: int, width: int | None, rows: int | None) -> EarlySize:
    claimed = dimension >= DIMENSION
    enough = rows is not None and rows <= ROWS
    return EarlySize(rung, initial, dimension, width, rows, claimed, enough if claimed else None)


def early_summaries(sizes: Sequence[EarlySize]) -> tuple[EarlySummary, ...]:
    """Of every kernel and covariance of a map, in its order.

    Parameters
    ----------
    sizes : sequence of EarlySize
        From `early_map`.

    Examples
    --------
    >>> found, _ = early_summaries(early_map([4, 5], [10, 100], ["simplified"]))
    >>> found.holds, found.claimed, found.counterexample.m, found.unclaimed
    (1, 2, 10, 2)
    >>> found.some_rows, found.published_rows
    (((4, 34), (5, 15)), ((4, 92), (5, 24)))
    """
    kinds = list(dict.fromkeys((size.rung, size.initial) for size in sizes))
    return tuple(
        _summary(kind, [size for size in sizes if (size.rung, size.initial) == kind]) for kind in kinds
    )


def _summary(kind: tuple[str, Initial], sizes: Sequence[EarlySize]) -> EarlySummary:
    rung, initial = kind
    claimed = [size for size in sizes if size.claimed]
    fails = [size for size in claimed if not size.holds]
    dimensions = sorted({size.d for size in sizes})
    regions = {d: region_of(rung, initial, d) for d in dimensions}
    return EarlySummary(
        rung,
        initial,
        len(claimed),
        len(claimed) - len(fails),
        min(fails, key=lambda size: size.order, default=None),
        sum(size.rows is not None and (size.rows < ROWS or not size.claimed) for size in sizes),
        tuple((d, region.smallest_width()) for d, region in regions.items()),
        tuple((d, region.smallest_width(ROWS)) for d, region in regions.items()),
    )
