"""The sharp law of the extreme eigenvalues of an infinite-width kernel on random data: the entry point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from derivations.arguments import check_choice, check_positive_integer
from derivations.errors import InputError
from derivations.matrix import check_matrix
from derivations.networks import TwoLayer, as_network
from derivations.spectrum.extremes import Extremes, coupled_extremes, homogeneous_extremes
from derivations.spectrum.gegenbauer import GegenbauerExpansion, gegenbauer_expansion
from derivations.spectrum.harmonics import Array, degrees_spanning
from derivations.spectrum.reliability import expected_largest_cosine, extreme_cosines, nearest_pair
from derivations.spectrum.rows import EQUAL, RowWeights, gaussian_weights, weights_of

RESOLVED = 30
"""Degrees are followed until they span this many times n: what is beyond is a multiple of the identity."""
MORE_DEGREES, MOST_DEGREES = 36, 2000
"""The former so that no degree of a polynomial (32 at most, two gates, one for the slope) is left out."""
LARGEST_PAIR, LARGEST_FLUCTUATION = 0.5, 0.05


@dataclass(frozen=True)
class SpectrumLaw:
    """What the law says of the kernel of n rows.

    Attributes
    ----------
    network : str
    n, d : int
        Rows and columns of the data.
    width : int or None
    data : str
        ``sphere``, ``gaussian``, or ``given`` for lengths or rows of the caller's.
    lambda_min, lambda_max : float
        Typical extreme eigenvalues; lambda_min is 0 where the kernel is singular (to 1e-27 of its diagonal).
    outlier : bool
        Whether lambda_max stands apart from all others: the eigenvalue of the constant function.
    nearest_pair : float
        kappa of `derivations.spectrum.reliability`.
    fluctuation : float
        Standard deviation of lambda_min from draw to draw, relative, by Tracy and Widom's law.
    """

    network: str
    n: int
    d: int
    width: int | None
    data: str
    lambda_min: float
    lambda_max: float
    outlier: bool
    nearest_pair: float
    fluctuation: float

    @property
    def condition_number(self) -> float:
        """lambda_max / lambda_min, inf where that is 0."""
        return self.lambda_max / self.lambda_min if self.lambda_min > 0 else np.inf

    @property
    def reliable(self) -> bool:
        """Whether lambda_min is an affair of all rows rather than of the nearest two or of chance."""
        return self.nearest_pair <= LARGEST_PAIR and self.fluctuation <= LARGEST_FLUCTUATION


def spectrum_law(
    network: TwoLayer | str, n: int, d: int, width: int | None = None, data: str | ArrayLike = "sphere"
) -> SpectrumLaw:
    """The law of the NTK of n random rows in d dimensions.

    Parameters
    ----------
    network : TwoLayer or str
        A network or its name; its activation continuous, and analytic on either side of 0.
    n, d : int
        Rows and columns; d at least 2.
    width : int, optional
        The width m, for the standard parametrization.
    data : str or array
        ``"sphere"``: uniform on |x|^2 = d. ``"gaussian"``: N(0, I), lengths at their quantiles. Or actual data
        with directions like these: (n,) lengths |x_i|, or the rows themselves, (n, d), whose nearest pair then
        enters `nearest_pair`.

    Raises
    ------
    InputError
        For arguments out of range, or an activation or size that the law does not cover.

    Notes
    -----
    Directions must be uniform and independent: the law knows nothing of clusters or duplicates. How accurate it is
    at d >= 50, n >= 200: ``python -m benchmarks.spectrum_law``.

    Examples
    --------
    >>> law = spectrum_law("reglu", n=2000, d=100, width=500)
    >>> print(f"{law.lambda_min:.2f} {law.lambda_max:.0f} {law.condition_number:.1f} {law.reliable}")
    57.64 2654 46.0 True
    >>> spectrum_law("bilinear", n=2000, d=50, width=500).lambda_min  # 1275 products of two coordinates
    0.0
    >>> spectrum_law("relu", n=2000, d=1, width=500)
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
    if network.parametrization.name == "standard":
        check_positive_integer(width, "width")
    kind, lengths, cosines = _data(data, n, d)
    expansion = _expansion(network, n, d, width)
    homogeneity = network.activation.homogeneity
    power = 1 if homogeneity is None else homogeneity + network.gates
    rows = EQUAL
    if kind == "gaussian":
        rows = gaussian_weights(n, d, power)
    elif lengths is not None:
        rows = weights_of(lengths**2 / d, power)
    coupled = homogeneity is None and kind != "sphere"
    extremes = (
        coupled_extremes(network, expansion, n, width, rows)
        if coupled
        else homogeneous_extremes(expansion, n, rows)
    )
    return SpectrumLaw(
        network.name,
        n,
        d,
        width,
        kind,
        extremes.lambda_min,
        extremes.lambda_max,
        extremes.outlier is not None,
        nearest_pair(expansion, n, cosines),
        extremes.fluctuation,
    )


def _data(data: str | ArrayLike, n: int, d: int) -> tuple[str, Array | None, Array]:
    """The kind of data, lengths if they are given, and the cosines of the pairs nearest to equal and opposite."""
    expected = np.array([1.0, -1.0]) * expected_largest_cosine(n, d)
    if isinstance(data, str):
        return check_choice(data, "data", ("sphere", "gaussian")), None, expected
    if np.ndim(data) == 1:
        lengths, cosines = check_matrix([data], "lengths")[0], expected
        shape: tuple[int, ...] = lengths.shape
        wanted: tuple[int, ...] = (n,)
    else:
        X = check_matrix(data, "data")
        shape, wanted = X.shape, (n, d)
        lengths = np.linalg.norm(X, axis=1)
    if shape != wanted:
        raise InputError(f"data must have shape {wanted} or ({n},), got {shape}")
    if np.min(lengths) <= 0:
        raise InputError("data must have no rows of zeros: their kernel is singular")
    return "given", lengths, expected if np.ndim(data) == 1 else extreme_cosines(X)


def _expansion(network: TwoLayer, n: int, d: int, width: int | None) -> GegenbauerExpansion:
    """To as many degrees as n rows can feel."""
    degrees = degrees_spanning(d, RESOLVED * n, MOST_DEGREES)
    expansion = gegenbauer_expansion(network, d, width, (degrees or 0) + MORE_DEGREES)
    if degrees is None and expansion.rest:
        raise InputError(f"n is too large for d = {d}: the law would follow more than {MOST_DEGREES} degrees, got {n}")
    return expansion
