"""The law of the spectrum of one random network: its entry points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum.density import Density
from derivations.spectrum.extremes import homogeneous_extremes, single_entry
from derivations.spectrum.finite_width.blocks import kernel_blocks
from derivations.spectrum.finite_width.density import equation_density
from derivations.spectrum.finite_width.extremes import finite_extremes, rank_bound, upper_equation
from derivations.spectrum.finite_width.lengths import alike
from derivations.spectrum.law import spectrum_law
from derivations.spectrum.problem import Problem, problem
from derivations.spectrum.reliability import nearest_pair

NARROWEST = 50
"""Neurons below which the law was found up to 15 per cent off."""
LARGEST_PAIR, LARGEST_FLUCTUATION = 0.5, 0.05
CROWDED = 0.8
"""Share of the rank that n rows may take before the law is too uncertain."""


@dataclass(frozen=True)
class FiniteSpectrumLaw:
    """Typical extreme eigenvalues of the NTK of one random network, on n random rows.

    Attributes
    ----------
    network : str
    n, d, width : int
    data : str
        ``sphere``, ``gaussian``, or ``given``.
    lambda_min, lambda_max : float
        Means over networks and data; lambda_min is 0 where the kernel is singular.
    outlier : bool
        Whether lambda_max stands apart from all others.
    rank : float
        What the rank is at most: of the network, and at infinite width (inf, but for polynomials).
    nearest_pair : float
        As in `derivations.spectrum.SpectrumLaw`.
    fluctuation : float
        Relative deviation of lambda_min from draw to draw by Tracy and Widom's law alone.
    """

    network: str
    n: int
    d: int
    width: int
    data: str
    lambda_min: float
    lambda_max: float
    outlier: bool
    rank: float
    nearest_pair: float
    fluctuation: float

    @property
    def condition_number(self) -> float:
        """lambda_max / lambda_min, inf where that is 0."""
        return self.lambda_max / self.lambda_min if self.lambda_min > 0 else np.inf

    @property
    def reliable(self) -> bool:
        """Whether the law was found right for such sizes, to 10 per cent in the worst tenth; a zero by rank always is."""
        return self.n > self.rank or bool(
            self.nearest_pair <= LARGEST_PAIR
            and self.fluctuation <= LARGEST_FLUCTUATION
            and self.width >= NARROWEST
            and self.n <= CROWDED * self.rank
        )


def finite_spectrum_law(
    network: TwoLayer | str, n: int, d: int, width: int, data: str | ArrayLike = "sphere"
) -> FiniteSpectrumLaw:
    """The law of the NTK of one random network of this width.

    Parameters
    ----------
    network, n, d, data
        As for `derivations.spectrum_law`.
    width : int
        The width m; needed in either parametrization.

    Raises
    ------
    InputError
        As `derivations.spectrum_law`.

    Notes
    -----
    Where the activation is not homogeneous and lengths differ, the law of infinite width is taken times the ratio of
    both laws for a homogeneous network that is alike (see the module `lengths` beside this one). By Jensen's inequality
    lambda_min is at most and lambda_max at least that of infinite width: where the law is not, those are taken. How
    accurate all are: ``python -m benchmarks.finite_width``.

    Source: derived here, heuristically; `derivations.spectrum.finite_width.finite_width_derivation` has the steps.

    Examples
    --------
    >>> from derivations import spectrum_law
    >>> one, infinite = (law("relu", 500, 100, 1000, "gaussian") for law in (finite_spectrum_law, spectrum_law))
    >>> print(f"{one.lambda_min:.1f} {infinite.lambda_min:.1f}")
    28.9 62.6
    >>> finite_spectrum_law("reglu", 1000, 50, 10).condition_number  # 10 (2 * 50 - 1) < 1000
    inf
    """
    asked, width = _problem(network, n, d, width, data)
    rank = min(rank_bound(asked, width), asked.expansion.dimensions)
    about = (asked.network.name, asked.n, asked.d, width, asked.data)
    if asked.n == 1:
        only = single_entry(asked.network, asked.expansion, width, asked.rows, asked.is_coupled)
        return FiniteSpectrumLaw(*about, only, only, False, rank, 0.0, 0.0)
    kappa = nearest_pair(asked.expansion, asked.n, asked.cosines)
    rows = alike(asked, width)
    found = finite_extremes(asked, width, rows)
    infinite = homogeneous_extremes(asked.expansion, asked.n, rows)
    smallest = min(max(found.lambda_min, 0.0), infinite.lambda_min)
    largest = max(found.lambda_max, infinite.lambda_max)
    if asked.is_coupled:
        sharp = spectrum_law(asked.network, n, d, width, data)
        smallest *= sharp.lambda_min / infinite.lambda_min if infinite.lambda_min > 0 else 0.0
        largest *= sharp.lambda_max / infinite.lambda_max
    if np.ndim(data) == 2 and len(np.unique(np.asarray(data, float), axis=0)) < asked.n:
        smallest = 0.0  # equal rows have equal gradients
    return FiniteSpectrumLaw(
        *about, smallest, largest, found.outlier is not None, rank, kappa, found.fluctuation
    )


def finite_spectrum_density(
    network: TwoLayer | str, n: int, d: int, width: int, data: str | ArrayLike = "sphere"
) -> Density:
    """The density of all eigenvalues of one network but that of the constant function.

    Raises
    ------
    InputError
        As `finite_spectrum_law`, for a single row, and for unequal lengths with an activation that is not homogeneous.

    Examples
    --------
    >>> found = finite_spectrum_density("relu", 400, 50, 100)
    >>> print(f"{found.mass:.2f} {found.mean / found.trace:.2f}")
    1.00 1.00
    """
    asked, width = _problem(network, n, d, width, data)
    if asked.is_coupled:
        raise InputError(
            f"data must be on the sphere for the density of {asked.network.name}: its activation is not homogeneous"
        )
    if asked.n == 1:
        raise InputError("n must be at least 2 for a density, got 1")
    blocks = kernel_blocks(asked.network, asked.d, asked.expansion.degrees)
    rank = min(rank_bound(asked, width), asked.expansion.dimensions - (asked.expansion.masses[0] > 0))
    equation = upper_equation(asked, blocks, width, asked.rows)
    lower = equation.left_edge().z if rank > asked.n else 0.0
    return equation_density(equation, lower, equation.right_edge().z, rank)


def _problem(
    network: TwoLayer | str, n: int, d: int, width: int, data: str | ArrayLike
) -> tuple[Problem, int]:
    width = check_positive_integer(width, "width")
    return problem(network, n, d, width, data), width
