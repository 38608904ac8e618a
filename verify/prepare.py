"""How the rows of a data matrix are scaled before a kernel is taken."""

import numpy as np
from numpy.typing import NDArray

from derivations.arguments import check_choice
from derivations.errors import InputError
from derivations.matrix import check_matrix

PREPARATIONS = ("raw", "standardize", "normalize")


def prepare_rows(X: object, how: str) -> NDArray[np.float64]:
    r"""Scale a data matrix.

    - ``raw``: nothing is changed.
    - ``standardize``: every column to mean 0 and variance 1,

      .. math:: x_{ij} \mapsto (x_{ij} - \mu_j) / \sigma_j, \quad
                \sigma_j^2 = \tfrac1n \sum_i (x_{ij} - \mu_j)^2.

      A constant column becomes zero; so does the only row when n = 1.
    - ``normalize``: every row to squared length d, :math:`x_i \mapsto \sqrt d\, x_i / |x_i|`.

    No square overflows or vanishes on the way, whatever the magnitude of the entries.

    Parameters
    ----------
    X : (n, d) array_like
        As `check_matrix` accepts it.
    how : {"raw", "standardize", "normalize"}
        Which scaling.

    Returns
    -------
    (n, d) float64
        For ``raw`` `X` itself when it needs no conversion.

    Raises
    ------
    InputError
        When `X` is no data matrix, `how` none of the three, or a row to be normalized is zero.

    Examples
    --------
    >>> prepare_rows([[3.0, 4.0], [0.0, -1e150]], "normalize").round(6)
    array([[ 0.848528,  1.131371],
           [ 0.      , -1.414214]])
    >>> prepare_rows([[1.0, 7.0], [3.0, 7.0]], "standardize")
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    check_choice(how, "prepare", PREPARATIONS)
    matrix = check_matrix(X)
    # What underflows is below 1e-308 of the largest entry: no loss, even for a caller who traps underflow.
    with np.errstate(under="ignore"):
        if how == "standardize":
            return _standardized(matrix)
        if how == "normalize":
            return _normalized(matrix)
    return matrix


def _scaled_exactly(matrix: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    # A power of two brings the largest entry along the axis into [1/2, 1) without rounding it, so that
    # squares neither overflow (entries above 1e154) nor vanish (below 1e-162).
    exponents = np.frexp(np.abs(matrix).max(axis=axis, keepdims=True))[1]
    return np.ldexp(matrix, -exponents)


def _standardized(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = _scaled_exactly(matrix, axis=0)
    # The first row is a nearby origin. Without it a column 1e8 + noise loses the noise's last digits, and a
    # constant column becomes the rounding errors of its mean, blown up to variance 1, instead of exact zeros.
    scaled = scaled - scaled[0]
    scaled -= scaled.mean(axis=0)
    deviation = np.sqrt(np.mean(scaled**2, axis=0))
    return scaled / np.where(deviation > 0, deviation, 1.0)


def _normalized(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    zero = ~matrix.any(axis=1)
    if zero.any():
        raise InputError(
            f"prepare must be raw or standardize for these data, got 'normalize': row {int(zero.argmax())} "
            f"(counted from 0), the first of {np.count_nonzero(zero)}, is zero and has no direction"
        )
    scaled = _scaled_exactly(matrix, axis=1)
    lengths = np.sqrt(np.sum(scaled**2, axis=1, keepdims=True))
    # In this order a row of d = 1 becomes 1 or -1 exactly.
    return scaled / lengths * np.sqrt(matrix.shape[1])
