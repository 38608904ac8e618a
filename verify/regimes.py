r"""Where published formulas of extreme eigenvalues are right: stated over true on a grid of n and d.

The true value is that of the infinite-width kernel of Gaussian rows: by the sharp law where it is reliable, else the mean
over dense kernels of drawn rows, where n is small enough for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from derivations.arguments import check_choice, check_positive_integer
from derivations.errors import InputError
from verify.claims.spectrum import CLAIMS
from verify.claims.spectrum.cells import Spectra, SpectrumCell
from verify.claims.spectrum.extremes import QUANTITIES
from verify.claims.spectrum.laws import law
from verify.claims.spectrum.matrices import NETWORKS
from verify.claims.spectrum.orderings import condition_ahead
from verify.claims.spectrum.quantities import LOWER, RATIO, UPPER, Size, compiled
from verify.streams import Seed, seed_sequence

CONDITION = "condition"
"""What A14 compares: the gated kernel's condition number over the plain one's, stated to be below 1."""
ORDERINGS = ("A13", "A14")
IDS = (*QUANTITIES, "A14")
DENSE = 400
"""Rows of the largest dense kernels."""
ROWS = 2000
"""Drawn in all at least, for dense means: small kernels fluctuate most."""


@dataclass(frozen=True)
class Regime:
    """One size of a map.

    Attributes
    ----------
    claim, formula : str
    relation : str
        ``ratio``, or the kind of bound, ``lower`` or ``upper``.
    n, d, m : int
    stated, true : float
        NaN where the true value is not known.
    ratio : float
        stated / true; of an ordering that fails NaN.
    holds : bool or None
        Of an ordering (A13, A14), whether it holds on average; of a bound, whether it does; None for a plain formula.
    source : str
        ``law``, ``dense`` or nothing.
    """

    claim: str
    formula: str
    relation: str
    n: int
    d: int
    m: int
    stated: float
    true: float
    ratio: float
    holds: bool | None
    source: str


def regime_map(
    claim: str,
    samples: Sequence[int],
    dimensions: Sequence[int],
    *,
    width: int | None = None,
    width_per_dimension: float | None = None,
    draws: int = 8,
    rng: Seed = 0,
) -> list[Regime]:
    """Stated over true for every formula of a claim on a grid of sizes.

    Parameters
    ----------
    claim : str
        A7, A8, A10, A11, A13 or A14.
    samples, dimensions : sequence of int
        n and d (at least 2). A13 and A14 speak of n > d: other sizes are left out.
    width, width_per_dimension
        m, or m/d; one of them.
    draws : int
        Data sets behind a dense mean, at least 2; more where n is small.
    rng : int or numpy.random.SeedSequence

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
    >>> f"{found.stated:.1f} {found.true:.1f} {found.ratio:.2f} {found.source}"
    '115.8 32.4 3.58 law'
    """
    check_choice(claim, "claim", IDS)
    if (width is None) == (width_per_dimension is None):
        raise InputError("width or width_per_dimension must be given, and not both")
    if check_positive_integer(draws, "draws") < 2:
        raise InputError(f"draws must be at least 2, got {draws}")
    found = []
    for dimension in dimensions:
        if check_positive_integer(dimension, "dimensions") < 2:
            raise InputError(f"dimensions must be at least 2, got {dimension}")
        m = width if width is not None else max(1, round((width_per_dimension or 0) * dimension))
        for n in samples:
            size = (check_positive_integer(n, "samples"), dimension, check_positive_integer(m, "width"))
            if claim not in ORDERINGS or n > dimension:
                found += _at(claim, size, draws, rng)
    return found


def _at(claim: str, size: Size, draws: int, rng: Seed) -> list[Regime]:
    statement = next(each.statement for each in CLAIMS if each.id == claim)
    if claim == "A14":
        true, source = _condition_ratio(size, draws, rng)
        return [_row(claim, CONDITION, UPPER, size, 1.0, true, source)]
    found = []
    for quantity in QUANTITIES[claim]:
        stated = compiled(statement.formula(quantity.formula))(*size)
        true, source = quantity.by_law("exact", size), "law"
        if not quantity.reliable("exact", size):
            spectra = _dense(size, draws, rng)
            known = spectra is not None
            true = float(quantity.measured("exact", spectra).mean()) if spectra else np.nan
            source = "dense" if known else ""
        found.append(_row(claim, quantity.formula, quantity.relation, size, stated, true, source))
    return found


def _dense(size: Size, draws: int, rng: Seed) -> Spectra | None:
    if size[0] > DENSE:
        return None
    return SpectrumCell(*size, max(draws, ROWS // size[0]), ("exact",)).measure(seed_sequence(rng), 1.0)


def _condition_ratio(size: Size, draws: int, rng: Seed) -> tuple[float, str]:
    """cond(gated) / cond(plain), the geometric mean over draws, and where it comes from."""
    ends = [law("exact", name, *size) for name in NETWORKS]
    if all(each.reliable for each in ends):
        plain, gated = (each.largest / each.smallest for each in ends)
        return gated / plain, "law"
    spectra = _dense(size, draws, rng)
    if spectra is None:
        return np.nan, ""
    return float(np.exp(-condition_ahead("exact", spectra).mean())), "dense"


def _row(
    claim: str, formula: str, relation: str, size: Size, stated: float, true: float, source: str
) -> Regime:
    ratio, holds = stated / true, None
    if claim == "A13":
        ratio, holds = (ratio, True) if true > 0 else (np.nan, None if np.isnan(true) else False)
    elif relation != RATIO and not np.isnan(true):
        holds = true >= stated if relation == LOWER else true <= stated
    return Regime(claim, formula, relation, *size, stated, true, ratio, holds, source)
