r"""Hypothesis strategies: data matrices with the rows on which formulas for kernels fail.

A generic matrix proves little: its rows are far apart, of about one norm, and independent. A matrix drawn
here is a list of rows, each of one of these kinds; the last six refer to a row above.

=================== =================================================== ===================================
kind                row                                                 what it breaks
=================== =================================================== ===================================
``axis``            +-s e_k: equal, opposite or exactly orthogonal      division by an inner product of 0
``integer``         integers from -3 to 3, not all 0                    formulas that need equal norms
``generic``         any direction, any norm                             (the ordinary case)
``zero``            0                                                   division by a norm, a cosine of 0/0
``duplicate``       x, bit for bit                                      a diagonal told by index, not value
``scaled``          s x, s > 0                                          arccos of 1 + 1e-16
``antipodal``       -x, bit for bit                                     arccos of -1 - 1e-16; ReLU's K = 0
``near``            x + delta |x| u, |u| = 1, delta = 1e-3 .. 1e-12     arccos loses half of the digits
``near_antipodal``  the same, negated                                   the same at pi
``combination``     a x + b y with a, b = +-1, +-2                      inverses; bounds that need full rank
=================== =================================================== ===================================

Rows of kind ``axis``, ``generic`` and ``scaled`` also draw their norm: as they come, at the ends of the range
`norms`, or between. Every row that is not 0 has its norm in that range, up to rounding; a row that would leave
it is scaled back, and then a ``near`` row is at a relative distance of up to 2 delta instead of delta. A kind
that refers to a row above gives the row e_1 where there is none.

Failing examples shrink: towards few rows, then few columns, then rows (1, 0, ..., 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from derivations.errors import InputError
from verify.activations import Array
from verify.inputs import check_choice, check_positive_integer, shown

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ImportError(
        "strategies need Hypothesis, which is not installed: pip install 'gluntk[testing]'"
    ) from error

# In the order in which failing examples shrink: the first is the simplest.
ROWS = (
    "axis",
    "integer",
    "generic",
    "duplicate",
    "antipodal",
    "scaled",
    "near",
    "near_antipodal",
    "combination",
    "zero",
)
# Squares of norms, and of their products with delta = 1e-12, neither overflow nor vanish.
_SMALLEST, _LARGEST = 1e-140, 1e140

Range = int | tuple[int, int]
Recipe = tuple[Any, ...]


def dimensions(largest: int = 8) -> st.SearchStrategy[int]:
    """Input dimensions d: 1, ..., `largest`. Shrinks towards 1.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(dimensions(), lambda d: d > 4)
    5
    """
    return st.integers(1, check_positive_integer(largest, "largest"))


def widths(largest: int = 4096) -> st.SearchStrategy[int]:
    """Widths m: 1, ..., `largest`, half of them at most 4. Shrinks towards 1.

    Small widths are where a kernel's terms without m weigh as much as those with it: at m = 4096 a wrong
    gradient block of a standard network is an error of d / m.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(widths(), lambda m: m >= 64)
    64
    """
    largest = check_positive_integer(largest, "largest")
    return st.one_of(st.integers(1, min(4, largest)), st.integers(1, largest))


def data_matrices(
    n: Range = (1, 8),
    d: Range = (1, 6),
    rows: Sequence[str] = ROWS,
    *,
    zero_rows: bool = True,
    norms: tuple[float, float] = (1e-3, 1e3),
) -> st.SearchStrategy[Array]:
    """Data matrices whose rows are of the kinds in the table of this module, mixed.

    Parameters
    ----------
    n, d : int or (int, int)
        Rows and columns: a number, or the smallest and the largest.
    rows : sequence of str
        Kinds to choose from, equally often. One kind alone is as good: ``rows=["axis"]`` gives orthogonal
        or parallel rows, ``rows=["integer"]`` integer-valued data (with `norms` that admit them).
    zero_rows : bool
        False takes the kind ``zero`` out.
    norms : (float, float)
        Smallest and largest norm of a row that is not 0, between 1e-140 and 1e140.

    Returns
    -------
    strategy of (n, d) float64

    Raises
    ------
    InputError
        For a range that is empty, a kind that is unknown, or no kind at all.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(data_matrices(), lambda X: len(X) > 1)
    array([[1.],
           [1.]])
    >>> find(data_matrices(), lambda X: np.linalg.matrix_rank(X) > 1)
    array([[1., 0.],
           [0., 1.]])
    """
    kinds = tuple(check_choice(kind, "rows", ROWS) for kind in rows if zero_rows or kind != "zero")
    if not kinds:
        raise InputError(f"rows must name at least one kind of {', '.join(ROWS)}, got {shown(rows)}")
    fewest, most = _range(n, "n")
    dimension = st.integers(*_range(d, "d"))
    low, high = norms
    if not _SMALLEST <= low <= high <= _LARGEST:
        raise InputError(f"norms must be a range within [{_SMALLEST}, {_LARGEST}], got {shown(norms)}")

    @st.composite
    def matrices(draw: st.DrawFn) -> Array:
        columns = draw(dimension)
        X = np.zeros((0, columns))
        for kind, *details in draw(_recipes(kinds, columns, fewest, most, low, high)):
            X = np.vstack([X, _clipped(_row(X, kind, details), low, high)])
        return X

    return matrices()


def sphere_matrices(
    n: Range = (1, 8), d: Range = (1, 6), rows: Sequence[str] = ROWS
) -> st.SearchStrategy[Array]:
    """Data matrices with |x|^2 = d for every row, up to two roundings; otherwise as `data_matrices`.

    Zero rows are left out. A ``scaled`` row is a duplicate up to the rounding of its entries.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(sphere_matrices(d=4), lambda X: True)
    array([[2., 0., 0., 0.]])
    """
    return unit_rows(n, d, rows).map(lambda X: X * np.sqrt(X.shape[1]))


def unit_rows(n: Range = (1, 8), d: Range = (1, 6), rows: Sequence[str] = ROWS) -> st.SearchStrategy[Array]:
    """Data matrices with |x| = 1 for every row, up to rounding; otherwise as `sphere_matrices`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(unit_rows(), lambda X: X.shape[1] > 1 and len(X) > 1)
    array([[1., 0.],
           [1., 0.]])
    """
    return data_matrices(n, d, rows, zero_rows=False).map(
        lambda X: X / np.linalg.norm(X, axis=1, keepdims=True)
    )


@lru_cache(maxsize=1024)  # building strategies takes far longer than drawing from them
def _recipes(
    kinds: tuple[str, ...], d: int, fewest: int, most: int, low: float, high: float
) -> st.SearchStrategy[list[Recipe]]:
    """Recipes for all rows. None depends on another: what a failing example does not need can be deleted."""
    recipe = st.one_of([_recipe(kind, d, most, low, high) for kind in kinds])
    return st.lists(recipe, min_size=fewest, max_size=most)


def _recipe(kind: str, d: int, most: int, low: float, high: float) -> st.SearchStrategy[Recipe]:
    """How to make one row of this kind, without the rows that it may refer to."""
    name = st.just(kind)
    above = st.integers(0, max(most - 2, 0))
    sign = st.sampled_from([1.0, -1.0])
    # The norm of a row; None: as it comes.
    norm = st.one_of(
        st.none(),
        st.sampled_from([low, high]),
        st.floats(np.log10(low), np.log10(high)).map(lambda power: float(10.0**power)),
    )
    axis = st.tuples(st.integers(0, d - 1), sign)
    delta = st.integers(3, 12).map(lambda digits: 10.0**-digits)
    # Half precision is enough: norms make all 53 bits of a row differ, and short numbers shrink fast.
    entry = st.floats(-4.0, 4.0, width=16, allow_subnormal=False)
    factor = st.sampled_from([1.0, -1.0, 2.0, -2.0])
    match kind:
        case "axis":
            return st.tuples(name, axis, norm)
        case "integer":
            return st.tuples(name, st.lists(st.integers(-3, 3), min_size=d, max_size=d))
        case "generic":
            return st.tuples(name, st.lists(entry, min_size=d, max_size=d), norm)
        case "scaled":
            return st.tuples(name, above, norm)
        case "near" | "near_antipodal":
            return st.tuples(name, above, delta, st.lists(st.integers(-3, 3), min_size=d, max_size=d))
        case "combination":
            return st.tuples(name, above, above, factor, factor)
    return st.tuples(name, above)  # duplicate, antipodal, zero


def _row(X: Array, kind: str, details: Sequence[Any]) -> Array:
    """The row of a recipe, below the rows X."""
    d = X.shape[1]
    if kind == "zero":
        return np.zeros(d)
    if kind == "axis":
        (k, sign), norm = details
        return sign * _resized(_unit(d, k), norm)
    if kind in ("integer", "generic"):
        entries, *norm = details
        x = np.array(entries, dtype=np.float64)
        return _resized(x if x.any() else _unit(d), *norm)
    x = X[details[0] % len(X)] if len(X) else _unit(d)
    if kind == "scaled":
        return _resized(x, details[1])
    if kind in ("near", "near_antipodal"):
        delta, direction = details[1:]
        u = np.array(direction, dtype=np.float64)
        u = _resized(u if u.any() else _unit(d, d - 1), 1.0)
        return (1.0 if kind == "near" else -1.0) * (x + delta * np.linalg.norm(x) * u)
    if kind == "combination":
        a, b = details[2:]
        other = X[details[1] % len(X)] if len(X) else x
        sum_ = a * x + b * other
        return sum_ if sum_.any() else x
    return x if kind == "duplicate" else -x


def _unit(d: int, k: int = 0) -> Array:
    return np.eye(1, d, k)[0]


def _resized(x: Array, norm: float | None = None) -> Array:
    """x with this norm, the direction kept; without a norm, or for 0, x itself."""
    length = np.linalg.norm(x)
    return x if norm is None or length == 0.0 else x * (norm / length)


def _clipped(x: Array, low: float, high: float) -> Array:
    length = float(np.linalg.norm(x))
    # Only beyond rounding: a duplicate of a row whose norm was set to `high` must stay one, bit for bit.
    outside = not low * (1 - 1e-14) <= length <= high * (1 + 1e-14)
    return _resized(x, min(max(length, low), high)) if outside else x


def _range(value: Range, name: str) -> tuple[int, int]:
    low, high = value if isinstance(value, tuple) else (value, value)
    low, high = check_positive_integer(low, name), check_positive_integer(high, name)
    if low > high:
        raise InputError(f"{name} must be a number or a range (smallest, largest), got {shown(value)}")
    return low, high
