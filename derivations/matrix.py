"""What counts as a data matrix: real, finite, one row per sample; returned as float64."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from derivations.errors import InputError

_WHY_REFUSED = {
    "c": "complex numbers: stack real and imaginary parts as columns",
    "O": "Python objects, which are neither unpickled nor converted",
    "U": "text",
    "S": "text",
    "T": "text",
    "V": "a structured or void type: stack the fields as columns",
    "M": "dates",
    "m": "time spans",
}


def check_form(shape: Sequence[int], dtype: np.dtype, name: str) -> None:
    """Check that an array of this shape and dtype can be a data matrix, before its values are touched.

    Parameters
    ----------
    shape : sequence of int
        Must be (n, d) with n >= 1 and d >= 1.
    dtype : numpy.dtype
        Must be boolean, integer or real floating point.
    name : str
        The argument's name, for the error line.

    Raises
    ------
    InputError
        When the shape or the dtype is another.

    Examples
    --------
    >>> check_form((3, 2), np.dtype("float32"), "X")
    >>> check_form((3, 2), np.dtype(complex), "X")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: X must hold real numbers, got dtype complex128 (complex numbers: stack real
    and imaginary parts as columns)
    """
    if dtype.kind not in "biuf":
        why = _WHY_REFUSED.get(dtype.kind, "not numbers")
        # A structured type prints all its fields, hundreds perhaps: its kind says enough.
        kind = "void" if dtype.kind == "V" else str(dtype)
        raise InputError(f"{name} must hold real numbers, got dtype {kind} ({why})")
    shape = tuple(shape)
    if 0 in shape:
        raise InputError(f"{name} must have at least one row and one column, got shape {shape}")
    if len(shape) == 1:
        raise InputError(
            f"{name} must be a matrix of shape (n, d), one row per sample, got shape {shape}: reshape(-1, 1) "
            f"reads it as {shape[0]} samples in one dimension, reshape(1, -1) as one sample"
        )
    if len(shape) != 2:
        raise InputError(f"{name} must be a matrix of shape (n, d), one row per sample, got shape {shape}")


def check_matrix(X: object, name: str = "X") -> NDArray[np.float64]:
    """Return `X` as a finite C-contiguous float64 matrix.

    Parameters
    ----------
    X : (n, d) array_like
        Booleans, integers or real floats of any width, byte order and memory layout, or a list of
        lists. Integers are rounded to the nearest float64.
    name : str
        The argument's name, for the error line.

    Returns
    -------
    (n, d) float64
        `X` itself, not a copy, when it is float64 and C-contiguous already.

    Raises
    ------
    InputError
        When `X` is of another rank, empty, complex, text, objects or masked, or has a value that is
        not finite in float64.

    Examples
    --------
    >>> check_matrix([[1, 2], [3, 4]])
    array([[1., 2.],
           [3., 4.]])
    >>> check_matrix([[1.0, float("nan")]])
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: X must hold finite numbers, got nan at row 0, column 1 (counted from 0);
    not finite: 1 of 2 entries
    """
    # asarray would silently uncover whatever lies under the mask.
    if np.ma.is_masked(X):
        raise InputError(
            f"{name} must not have masked values, got {np.ma.count_masked(X)}: fill or drop them"
        )
    array = _array_of_numbers(X, name)
    check_form(array.shape, array.dtype, name)
    # Signalling NaN and extended floats beyond 1.8e308: told below, with their position.
    with np.errstate(over="ignore", invalid="ignore"):
        matrix = np.ascontiguousarray(array, dtype=np.float64)
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = divmod(int(finite.argmin()), matrix.shape[1])
        count = matrix.size - np.count_nonzero(finite)
        raise InputError(
            f"{name} must hold finite numbers, got {array[row, column]!s} at row {row}, column {column} "
            f"(counted from 0); not finite: {count} of {matrix.size} entries"
        )
    return matrix


def _array_of_numbers(X: object, name: str) -> np.ndarray:
    try:
        array = np.asarray(X)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise InputError(
            f"{name} must be a matrix of shape (n, d), got a {type(X).__name__} that NumPy cannot read as "
            "one (rows of unequal length?)"
        ) from error
    # NumPy makes objects of integers that exceed 64 bits; float64 holds them up to 1.8e308.
    if array.dtype == object and not isinstance(X, np.ndarray):
        entries = list(array.flat)
        if all(isinstance(entry, int | float) for entry in entries):
            try:
                return array.astype(np.float64)
            except OverflowError as error:
                raise InputError(
                    f"{name} must hold numbers below 1.8e308, got an integer that is larger"
                ) from error
    return array


def check_matrices(X: object, Y: object | None) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """The two data matrices of a kernel, of which the second may be left out, as float64.

    Raises
    ------
    InputError
        As `check_matrix`, and for matrices with different numbers of columns.

    Examples
    --------
    >>> check_matrices([[1, 2]], None)
    (array([[1., 2.]]), None)
    >>> check_matrices([[1, 2]], [[1], [2]])
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: Y must have 2 columns as X has, got 1
    """
    first = check_matrix(X, "X")
    if Y is None:
        return first, None
    second = check_matrix(Y, "Y")
    if second.shape[1] != first.shape[1]:
        raise InputError(f"Y must have {first.shape[1]} columns as X has, got {second.shape[1]}")
    return first, second
