"""The sizes at which asymptotic statements are judged: n, d and m growing at fixed ratios."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from verify.claim import Setting
from verify.claims.spectrum.cells import SpectrumCell
from verify.claims.spectrum.quantities import Size

Ratios = tuple[Fraction, Fraction]
"""n/d and m/d."""

_SAMPLES = (Fraction(1, 2), Fraction(2), Fraction(5), Fraction(20))
_WIDTHS = (Fraction(1, 10), Fraction(1), Fraction(10))
RATIOS: tuple[Ratios, ...] = tuple(product(_SAMPLES, _WIDTHS))

DIMENSIONS = (128, 512, 2048, 8192, 32768)
"""Of the law's ladders."""
_MEASURED = {
    Fraction(1, 2): (50, 100, 200),
    Fraction(2): (50, 100, 200),
    Fraction(5): (20, 40, 80),
    Fraction(20): (5, 10, 20),
}
_MORE = {Fraction(1, 2): (400,), Fraction(2): (400,), Fraction(5): (160,), Fraction(20): (40,)}
_DRAWS = {25: 48, 50: 48, 100: 40, 200: 20, 400: 10, 800: 6}
_NARROW = 10
"""Networks up to this width fluctuate so much that twice the draws are needed."""
_FEWEST_NEURONS = 2
"""At the last size of a measured ladder there have to be more neurons."""


def size(ratios: Ratios, dimension: int) -> Size:
    """n, d and m at this dimension.

    Examples
    --------
    >>> size((Fraction(1, 2), Fraction(1, 10)), 100)
    (50, 100, 10)
    """
    return round(ratios[0] * dimension), dimension, max(1, round(ratios[1] * dimension))


def _cells(dimensions: Mapping[Fraction, tuple[int, ...]]) -> dict[Ratios, tuple[SpectrumCell, ...]]:
    found = {}
    for ratios in RATIOS:
        sizes = [size(ratios, dimension) for dimension in dimensions[ratios[0]]]
        if sizes[-1][2] > _FEWEST_NEURONS:
            draws = [_DRAWS[n] * (2 if m <= _NARROW else 1) for n, _, m in sizes]
            found[ratios] = tuple(SpectrumCell(*at, count) for at, count in zip(sizes, draws, strict=True))
    return found


LADDERS = _cells(_MEASURED)
"""The measured cells of pairs of ratios, smallest first; without n/d = 20, m/d = 1/10, where m is 1 and 2."""
FURTHER = _cells(_MORE)
"""One octave more."""
CELLS = tuple(cell for ladder in LADDERS.values() for cell in ladder)
FURTHER_CELLS = tuple(cell for ladder in FURTHER.values() for cell in ladder)


def ladder(ratios: Ratios, setting: Setting) -> tuple[SpectrumCell, ...]:
    """What was measured at these ratios, smallest first."""
    cells = (*LADDERS.get(ratios, ()), *FURTHER.get(ratios, ()))
    return tuple(cell for cell in cells if cell in setting.measured)


def shown(ratios: Ratios) -> str:
    """For people.

    Examples
    --------
    >>> shown((Fraction(1, 2), Fraction(10)))
    'n/d = 1/2, m/d = 10'
    """
    return f"n/d = {ratios[0]}, m/d = {ratios[1]}"
