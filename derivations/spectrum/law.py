"""The sharp law of the extreme eigenvalues of an infinite-width kernel on random data: the entry point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum.coupled_density import coupled_density
from derivations.spectrum.density import Density, bulk_density
from derivations.spectrum.extremes import Extremes, coupled_extremes, homogeneous_extremes, single_entry
from derivations.spectrum.fixed_point import fixed_point
from derivations.spectrum.fluctuation import cosine_deviation, length_deviation
from derivations.spectrum.problem import Problem, problem
from derivations.spectrum.reliability import nearest_pair
from derivations.spectrum.rows import gaussian_slopes

LARGEST_PAIR = 0.35
LARGEST_FLUCTUATION = 0.024
"""Nine of ten draws are then within 4 %, where the nearest pair does not matter."""


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
        Typical extreme eigenvalues; lambda_min is 0 where the kernel is singular, or all but that: degrees
        with less than 1e-27 of its diagonal are taken not to be there, and eigenvalues below 1e-12 of it are not
        resolved where lengths are unequal and the activation is not homogeneous.
    outlier : bool
        Whether lambda_max stands apart from all others: the eigenvalue of the constant function.
    nearest_pair : float
        kappa of `derivations.spectrum.reliability`.
    fluctuation : float
        Standard deviation of lambda_min from draw to draw, relative, an estimate: of directions, and of lengths where
        these are drawn too (``data = "gaussian"``).
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
        """Whether a draw's lambda_min is this one to a few per cent: neither the nearest two rows nor chance decide."""
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
    102.71 3974 38.7 True
    >>> spectrum_law("bilinear", n=2000, d=50, width=500).lambda_min  # 1275 products of two coordinates
    0.0
    """
    asked = problem(network, n, d, width, data)
    about = (asked.network.name, asked.n, asked.d, asked.width, asked.data)
    if asked.n == 1:
        only = single_entry(asked.network, asked.expansion, asked.width, asked.rows, asked.is_coupled)
        return SpectrumLaw(*about, only, only, False, 0.0, 0.0)
    found = (
        coupled_extremes(asked.network, asked.expansion, asked.n, asked.width, asked.rows)
        if asked.is_coupled
        else homogeneous_extremes(asked.expansion, asked.n, asked.rows)
    )
    kappa = nearest_pair(asked.expansion, asked.n, asked.cosines)
    outlier = found.outlier is not None
    return SpectrumLaw(*about, found.lambda_min, found.lambda_max, outlier, kappa, _fluctuation(asked, found))


def _fluctuation(asked: Problem, found: Extremes) -> float:
    """The relative standard deviation of the smallest eigenvalue."""
    if not found.lower:
        return 0.0
    parts = [found.fluctuation, cosine_deviation(asked.expansion, found.lower, found.rows, asked.n)]
    if asked.data == "gaussian":
        # How a level grows with p, times how p grows with a row's rank.
        growth = np.gradient(np.log(found.lower.levels), np.log(asked.rows.values))
        slopes = growth * asked.power * gaussian_slopes(asked.n, asked.d)
        parts.append(length_deviation(found.lower, found.rows.shares, asked.n, slopes))
    return float(np.linalg.norm(parts))


def spectrum_density(
    network: TwoLayer | str, n: int, d: int, width: int | None = None, data: str | ArrayLike = "sphere"
) -> Density:
    """The density of all eigenvalues but that of the constant function; arguments as for `spectrum_law`.

    Raises
    ------
    InputError
        As `spectrum_law`, and for a single row.

    Examples
    --------
    >>> found = spectrum_density("relu", n=800, d=50, width=64)
    >>> print(f"{found.mass:.2f} {found.mean / found.trace:.2f} {found.cumulative(10.0):.2f}")
    1.00 1.00 0.26
    """
    asked = problem(network, n, d, width, data)
    if asked.n == 1:
        raise InputError("n must be at least 2 for a density, got 1")
    expansion = asked.expansion
    if asked.is_coupled:
        return coupled_density(asked.network, expansion, asked.n, asked.width, asked.rows)
    equation = fixed_point(expansion, asked.n, asked.rows, without_constant=True)
    return bulk_density(equation, asked.n, expansion.dimensions - (expansion.masses[0] > 0))
