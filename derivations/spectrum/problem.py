"""What a law of the spectrum is asked about: a network, and rows of a given kind; all checks of arguments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from derivations.arguments import check_choice, check_positive_integer
from derivations.errors import InputError
from derivations.matrix import check_matrix
from derivations.networks import TwoLayer, as_network
from derivations.spectrum.gegenbauer import GegenbauerExpansion, gegenbauer_expansion
from derivations.spectrum.harmonics import Array, degrees_spanning, log_multiplicities, multiplicities
from derivations.spectrum.reliability import expected_largest_cosine, extreme_cosines
from derivations.spectrum.rows import EQUAL, RowWeights, gaussian_weights, weights_of

SHORTEST, LONGEST = 1e-15, 1e15
"""Cubes of their sixth powers, which the weights of two gates are, stay within float64."""
RESOLVED = 30
"""Degrees are followed until they span this many times n: what is beyond is a multiple of the identity."""
MORE_DEGREES, MOST_DEGREES = 36, 2000
"""The former so that no degree of a polynomial (32 at most, two gates, one for the slope) is left out."""


@dataclass(frozen=True)
class Problem:
    """A network's kernel of n random rows.

    Attributes
    ----------
    network : TwoLayer
    n, d : int
    width : int or None
    data : str
        ``sphere``, ``gaussian`` or ``given``.
    rows : RowWeights
        Weights p^h, p = |x|^2 / d, of a kernel homogeneous of degree h in each argument; p itself if it is coupled.
    power : int
        That h, or 1.
    cosines : (2,) float
        Of the pairs nearest to equal and to opposite.
    expansion : GegenbauerExpansion
        On the sphere |x|^2 = d.
    """

    network: TwoLayer
    n: int
    d: int
    width: int | None
    data: str
    rows: RowWeights
    power: int
    cosines: Array
    expansion: GegenbauerExpansion

    @property
    def is_coupled(self) -> bool:
        """Whether lengths enter each degree in another way."""
        return self.network.activation.homogeneity is None and self.data != "sphere"


def problem(
    network: TwoLayer | str, n: int, d: int, width: int | None = None, data: str | ArrayLike = "sphere"
) -> Problem:
    """Read and check the arguments of `derivations.spectrum.spectrum_law`.

    Examples
    --------
    >>> problem("silu", n=100, d=20, width=8, data="gaussian").is_coupled
    True
    >>> problem("relu", n=100, d=1, width=8)
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: d must be at least 2 for directions to be spread, got 1
    """
    network = as_network(network)
    n, d = check_positive_integer(n, "n"), check_positive_integer(d, "d")
    if d < 2:
        raise InputError(f"d must be at least 2 for directions to be spread, got {d}")
    if network.parametrization.variances == "symbolic":
        raise InputError("variances must be numeric for a spectrum, got symbols")
    if network.parametrization.has_biases:
        raise InputError("bias_variance must be 0 for a law of the spectrum: biases add a column to the rows")
    if network.parametrization.name == "standard":
        check_positive_integer(width, "width")
    homogeneity = network.activation.homogeneity
    power = 1 if homogeneity is None else homogeneity + network.gates
    cosines = np.array([1.0, -1.0]) * expected_largest_cosine(n, d)
    rows = EQUAL
    if not isinstance(data, str):
        lengths, found = _lengths_and_cosines(data, n, d)
        cosines = cosines if found is None else found
        rows = weights_of((lengths / np.sqrt(d)) ** 2, power)
    elif check_choice(data, "data", ("sphere", "gaussian")) == "gaussian":
        rows = gaussian_weights(n, d, power)
    kind = data if isinstance(data, str) else "given"
    return Problem(network, n, d, width, kind, rows, power, cosines, _expansion(network, n, d, width))


def _lengths_and_cosines(data: ArrayLike, n: int, d: int) -> tuple[Array, Array | None]:
    """Lengths of the rows, and the extreme cosines if rows are given."""
    is_vector = np.ndim(data) == 1
    X = check_matrix([data] if is_vector else data, "data")
    if X.shape != ((1, n) if is_vector else (n, d)):
        shape = X.shape[1:] if is_vector else X.shape
        raise InputError(f"data must be {n} lengths or have shape ({n}, {d}), got shape {shape}")
    with np.errstate(over="ignore", under="ignore"):
        lengths = X[0] if is_vector else np.linalg.norm(X, axis=1)
    if np.min(lengths) <= 0:
        raise InputError(f"data must have rows of positive length, got a length of {np.min(lengths):g}")
    for length in (np.min(lengths), np.max(lengths)):
        if not SHORTEST <= length <= LONGEST:
            raise InputError(f"data must have lengths from {SHORTEST:g} to {LONGEST:g}, got {length:.3g}")
    return lengths, None if is_vector else extreme_cosines(X)


def _expansion(network: TwoLayer, n: int, d: int, width: int | None) -> GegenbauerExpansion:
    """To as many degrees as n rows can feel."""
    degrees = degrees_spanning(d, RESOLVED * n, MOST_DEGREES)
    expansion = gegenbauer_expansion(network, d, width, (degrees or 0) + MORE_DEGREES)
    if not np.any(expansion.masses[1:]):
        raise InputError(f"activation must not be constant to rounding, got {network.activation.name}")
    if degrees is None and expansion.rest:
        most = int(np.sum(multiplicities(log_multiplicities(d, MOST_DEGREES))) / RESOLVED)
        raise InputError(f"n must be at most {most} for {network.name} and d = {d}, got {n}")
    return expansion
