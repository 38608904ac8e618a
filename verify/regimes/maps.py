r"""Where published statements on extreme eigenvalues hold: stated against true on a grid of n and d, at a width.

The true value is the mean over random rows, or the share of data sets: of dense kernels up to `DENSE` rows, beyond by the
sharp law where it is reliable; for networks dense kernels alone. A size holds, fails, or is undecided if the interval of
the true value says neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from derivations.arguments import check_choice, check_positive_integer, shown
from derivations.errors import InputError
from derivations.threads import one_blas_thread
from verify.claim import RUNGS
from verify.claims.spectrum.cells import Spectra, SpectrumCell
from verify.claims.spectrum.quantities import LOWER, UPPER, Size
from verify.inputs import DISTRIBUTIONS
from verify.regimes.formulas import ORDERING, SHARE, TOLERANCES, Formula, applies, formulas_of
from verify.regimes.truths import UNKNOWN, Known
from verify.streams import Seed, seed_sequence

DENSE = 400
"""Rows of the largest dense kernels."""
ENTRIES = 10**7
"""Of the largest data drawn for them."""
ROWS = 4000
"""Drawn in all at least, for dense means: small kernels fluctuate most."""
DRAWS = 16
DATA_SETS = 128
"""Drawn at least where shares are mapped: at 100 sizes, the first number of which all must agree to say nine of ten is 94."""
NETWORKS = 128
"""Most draws on the finite rung where n is small: each has the weights of two networks to draw."""
FALSE_ALARMS = 0.01
"""Probability with which anything that a map says of measured sizes is wrong."""
LARGEST = 10**9
"""Rows, columns and neurons."""
_MOST_OPERATIONS = 1e14

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Regime:
    """One size of a map.

    Attributes
    ----------
    claim, formula : str
    relation : str
        ``ratio``, a kind of bound, ``lower`` or ``upper``, ``order``, ``ordering``: true above 1, or ``share`` of data sets.
    rung, data : str
    n, d, m : int
    stated, true : float
        True NaN where it is not known.
    error : float
        The true value's standard error; 0 by the law.
    low, high : float
        What the true value lies between, at all sizes of the map with probability 99 %, or by the law's errors.
    ratio : float
        stated / true: infinite where true is 0, NaN where it is negative.
    tolerance : float
        Relative: a formula may be off by a factor of 1 + tolerance.
    holds : bool or None
        Whether the formula is right, or the bound is respected, to the tolerance; None where it cannot be said.
    source : str
        ``law``, ``dense`` (``networks`` on the finite rung) or nothing.
    draws : int
        Behind a mean; 0 elsewhere.
    """

    claim: str
    formula: str
    relation: str
    rung: str
    data: str
    n: int
    d: int
    m: int
    stated: float
    true: float
    error: float
    low: float
    high: float
    ratio: float
    tolerance: float
    holds: bool | None
    source: str
    draws: int

    @property
    def size(self) -> Size:
        """n, d and m."""
        return self.n, self.d, self.m


def regime_map(
    claim: str,
    samples: Sequence[int],
    dimensions: Sequence[int],
    *,
    width: int | None = None,
    width_per_dimension: float | None = None,
    rung: str = "exact",
    data: str = "gaussian",
    tolerance: float | None = None,
    draws: int | None = None,
    rng: Seed = 0,
    progress: Progress | None = None,
) -> list[Regime]:
    """Stated against true for every formula of a claim on a grid of sizes.

    Parameters
    ----------
    claim : str
        A7 to A14 or A17.
    samples, dimensions : sequence of int
        n and d (at least 2). Sizes that the claim does not speak of are left out: n <= d of A13 and A14, n < d of A9.
    width, width_per_dimension
        m, or m/d; one of them.
    rung : {"exact", "simplified", "finite"}
        Infinite-width kernels, the source's simplified matrices, or networks of width m.
    data : {"gaussian", "sphere"}
        Rows from N(0, I), as the source has them, or uniform on |x|^2 = d.
    tolerance : float, optional
        By what share a formula may be off; by default 0.1, of orders 3 (a factor of 4), or the share of data sets of which a
        statement may be wrong. An ordering has none.
    draws : int, optional
        Data sets, on the finite rung with a network each, behind a mean, at least 2; by default `DRAWS`, behind a share
        `DATA_SETS`. More where n is small.
    rng : int or numpy.random.SeedSequence
    progress : callable, optional
        Told what is computed, how many sizes are done, and of how many.

    Returns
    -------
    list of Regime
        `dataclasses.asdict` makes rows of a table of them.

    Raises
    ------
    InputError
        For another claim, or numbers out of range.

    Examples
    --------
    >>> (found,) = regime_map("A10", [2000], [100], width=1000)
    >>> f"{found.stated:.1f} {found.true:.1f} {found.ratio:.2f} {found.holds} {found.source}"
    '115.8 32.4 3.58 False law'
    >>> (found,) = regime_map("A7", [50], [50], width=400, rung="finite")
    >>> f"{found.stated:.0f} {found.true:.0f} +- {found.error:.0f} {found.source} {found.holds}"
    '3344 3421 +- 16 networks True'
    """
    chosen = formulas_of(claim)
    check_choice(rung, "rung", RUNGS)
    check_choice(data, "data", DISTRIBUTIONS)
    relations = {formula.relation for formula in chosen}
    if draws is None:
        draws = DATA_SETS if SHARE in relations else DRAWS
    if check_positive_integer(draws, "draws") < 2:
        raise InputError(f"draws must be at least 2, got {draws}")
    _check_tolerance(claim, relations, tolerance)
    sizes = list(_sizes(claim, samples, dimensions, width, width_per_dimension))
    networks = tuple(sorted({name for formula in chosen for name in formula.truth.networks}))
    cells = [_cell(size, rung, data, draws, networks) for size in sizes]
    _check_work(cells)
    # Every size of every formula has its share of the map's false alarms.
    alpha = FALSE_ALARMS / max(1, len(chosen) * sum(cell is not None for cell in cells))
    found = []
    for done, (size, cell) in enumerate(zip(sizes, cells, strict=True)):
        if progress:
            progress(f"n = {size[0]}, d = {size[1]}", done, len(sizes))
        # Kernels are small: a BLAS with threads of its own mostly spins.
        with one_blas_thread():
            spectra = None if cell is None else cell.measure(seed_sequence(rng), 1.0)
        found += [_row(claim, each, rung, data, size, spectra, alpha, tolerance) for each in chosen]
    return found


def _check_tolerance(claim: str, relations: set[str], tolerance: float | None) -> None:
    if tolerance is None:
        return
    if relations == {ORDERING}:
        raise InputError(f"tolerance must be left out for {claim}, an ordering, got {shown(tolerance)}")
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance must be a number, 0 or larger, got {shown(tolerance)}")
    if SHARE in relations and tolerance >= 1:
        raise InputError(
            f"tolerance must be below 1 for {claim}, a share of data sets, got {shown(tolerance)}"
        )


def _sizes(
    claim: str,
    samples: Sequence[int],
    dimensions: Sequence[int],
    width: int | None,
    width_per_dimension: float | None,
) -> Iterator[Size]:
    if (width is None) == (width_per_dimension is None):
        raise InputError("width or width-per-dimension must be given, and not both")
    if width_per_dimension is not None and not (0 < width_per_dimension < np.inf):
        raise InputError(f"width-per-dimension must be a positive number, got {shown(width_per_dimension)}")
    for name, values in (("n", samples), ("d", dimensions)):
        if not len(values):
            raise InputError(f"{name} must hold at least one number, got none")
    for dimension, n in product(_ascending(dimensions, "d"), _ascending(samples, "n")):
        m = max(1, round(width_per_dimension * dimension)) if width_per_dimension is not None else width
        if dimension < 2:
            raise InputError(f"d must be at least 2, got {dimension}")
        if applies(claim, n, dimension):
            yield n, dimension, _checked(m, "width")


def _ascending(values: Sequence[int], name: str) -> list[int]:
    return sorted({_checked(value, name) for value in values})


def _checked(value: object, name: str) -> int:
    number = check_positive_integer(value, name)
    if number > LARGEST:
        raise InputError(f"{name} must be at most {LARGEST:.0e}, got {shown(value)}")
    return number


def _cell(size: Size, rung: str, data: str, draws: int, networks: tuple[str, ...]) -> SpectrumCell | None:
    """What is measured at a size; nothing where kernels or data would be too large."""
    n, dimension, _ = size
    if n > DENSE or n * dimension > ENTRIES:
        return None
    many = min(ROWS // n, NETWORKS) if rung == "finite" else ROWS // n
    return SpectrumCell(*size, max(draws, many), (rung,), data, networks)


def _check_work(cells: Sequence[SpectrumCell | None]) -> None:
    """Refuse what no machine finishes: networks of a width with a few digits too many."""
    work = sum(
        c.draws * c.width * 10.0 * c.n * (c.n + c.d) for c in cells if c is not None and "finite" in c.rungs
    )
    if work > _MOST_OPERATIONS:
        raise InputError(
            f"width must be smaller for a map of networks, of which these {len(cells)} sizes need many hours"
        )


def _row(
    claim: str,
    formula: Formula,
    rung: str,
    data: str,
    size: Size,
    spectra: Spectra | None,
    alpha: float,
    tolerance: float | None,
) -> Regime:
    stated = formula.stated(*size)
    if formula.relation == ORDERING or tolerance is None:
        tolerance = TOLERANCES[formula.relation]
    known, source, draws = UNKNOWN, "", 0
    if spectra is not None:
        known = formula.truth.measured(rung, spectra, alpha)
        source, draws = ("networks" if rung == "finite" else "dense"), spectra.values[rung].shape[1]
    elif rung != "finite":
        known, source = _by_law(formula, rung, size, data), "law"
    if np.isnan(known.value):
        source, draws = "", 0
    holds = _holds(formula.relation, stated, known, tolerance)
    true = known.value
    ratio = stated / true if true > 0 else np.inf if true == 0 else np.nan
    return Regime(
        claim, formula.name, formula.relation, rung, data, *size, stated, *known, ratio, tolerance, holds, source,
        draws,
    )  # fmt: skip


def _by_law(formula: Formula, rung: str, size: Size, data: str) -> Known:
    try:
        return formula.truth.by_law(rung, size, data)
    except InputError:  # more rows than the law takes in few dimensions
        return UNKNOWN


def _holds(relation: str, stated: float, known: Known, tolerance: float) -> bool | None:
    """Whether all of an interval, or nothing of it, is where the formula says to the tolerance."""
    low, high = stated / (1 + tolerance), stated * (1 + tolerance)
    if relation == SHARE:
        low = stated - tolerance
    if relation in (LOWER, ORDERING):
        high = np.inf
    if relation == UPPER:
        low = -np.inf
    if low <= known.low and known.high <= high:
        return True
    return False if known.high < low or known.low > high else None
