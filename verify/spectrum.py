"""The extreme eigenvalues of a network's kernel, as known in several ways side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum import (
    FiniteSpectrumLaw,
    SpectrumLaw,
    data_free_bound,
    finite_spectrum_law,
    spectrum_law,
)
from derivations.spectrum.finite_width import finite_law_of_data
from verify.activations import Array
from verify.bounds import SpectrumBounds
from verify.eigenvalues import Extremes
from verify.published import PublishedExtremes, Range, published_extremes

UNLIKELY = 0.01
"""Share of all rows of the sphere for which the bound without data need not hold."""
MOST_GIVEN = 600
"""Given rows of which the law of one network takes the kernel matrices: seconds."""


@dataclass(frozen=True)
class Estimates:
    """One number of a kernel's spectrum, None where it is not known in that way.

    Attributes
    ----------
    published : (low, high) or None
        As publications state it, equal where they state one value.
    bounds : (low, high) or None
        Proved for these data.
    sharp : float or None
        The law of random rows, at infinite width.
    finite : float or None
        The law of one network of width m.
    exact : float or None
        Of the kernel matrix of data.
    """

    published: Range | None = None
    bounds: Range | None = None
    sharp: float | None = None
    finite: float | None = None
    exact: float | None = None


@dataclass(frozen=True)
class NetworkSpectrum:
    """A network's extreme eigenvalues.

    Attributes
    ----------
    network : TwoLayer
    lambda_max, lambda_min, condition_number : Estimates
    published : PublishedExtremes or None
    law : SpectrumLaw or None
    finite : FiniteSpectrumLaw or None
        Of one network, where the width is given.
    refusal : str or None
        Why there is no law.
    eigenvalues : (n,) float or None
        All of the kernel matrix, ascending.
    bounds : SpectrumBounds or None
        Of the data.
    data_free : float or None
        What the smallest eigenvalue is at least for all but a share `UNLIKELY` of all uniform rows of the sphere.
    """

    network: TwoLayer
    lambda_max: Estimates
    lambda_min: Estimates
    condition_number: Estimates
    published: PublishedExtremes | None
    law: SpectrumLaw | None
    finite: FiniteSpectrumLaw | None
    refusal: str | None
    eigenvalues: Array | None
    bounds: SpectrumBounds | None
    data_free: float | None


def network_spectrum(
    network: TwoLayer,
    n: int,
    d: int,
    width: int | None = None,
    data: str | ArrayLike = "sphere",
    eigenvalues: Array | None = None,
    bounds: SpectrumBounds | None = None,
) -> NetworkSpectrum:
    """Collect what is known of the kernel of n rows in d dimensions.

    Parameters
    ----------
    network : TwoLayer
    n, d, width, data
        As for `derivations.spectrum.spectrum_law`.
    eigenvalues : (n,) float, optional
        Of the kernel matrix of such rows, ascending: from `verify.eigenvalues.eigenvalues`.
    bounds : SpectrumBounds, optional
        Of that kernel matrix: from `verify.bounds`.

    Examples
    --------
    >>> from derivations import network
    >>> found = network_spectrum(network("relu"), 2000, 100, 1000, "gaussian")
    >>> print("{:.1f} {:.1f}".format(found.lambda_min.published[0], found.lambda_min.sharp))
    115.8 32.4
    >>> print(f"{found.lambda_min.finite:.1f}")  # of one network of this width
    10.6
    """
    law: SpectrumLaw | None = None
    finite: FiniteSpectrumLaw | None = None
    refusal: str | None = None
    try:
        law = spectrum_law(network, n, d, width, data)
        if width is not None:
            finite = _of_one_network(network, n, d, width, data, law, eigenvalues)
    except InputError as error:
        refusal = str(error)
    data_free: float | None = None
    if law is not None and isinstance(data, str) and data == "sphere":
        data_free = data_free_bound(network, n, d, width, 1 - UNLIKELY)
    exact: Extremes | None = None
    if eigenvalues is not None:
        exact = Extremes(float(eigenvalues[-1]), float(eigenvalues[0]), n)
    published = published_extremes(network, n, d, width)
    largest, smallest, condition = (
        Estimates(
            published=getattr(published, name, None),
            bounds=getattr(bounds, name, None),
            sharp=getattr(law, name, None),
            finite=getattr(finite, name, None),
            exact=getattr(exact, exact_name, None),
        )
        for name, exact_name in (
            ("lambda_max", "largest"),
            ("lambda_min", "smallest"),
            ("condition_number", "condition_number"),
        )
    )
    return NetworkSpectrum(
        network,
        largest,
        smallest,
        condition,
        published,
        law,
        finite,
        refusal,
        eigenvalues,
        bounds,
        data_free,
    )


def _of_one_network(
    network: TwoLayer,
    n: int,
    d: int,
    width: int,
    data: str | ArrayLike,
    law: SpectrumLaw,
    eigenvalues: Array | None,
) -> FiniteSpectrumLaw:
    """Of given rows by the rows themselves, or, if they are many, by what one network has of known eigenvalues."""
    if np.ndim(data) == 2 and n <= MOST_GIVEN:
        return finite_law_of_data(network, data, width)
    found = finite_spectrum_law(network, n, d, width, data)
    if np.ndim(data) != 2 or eigenvalues is None:
        return found
    # Directions matter more than width: of both laws, which do not know them, only the ratio is used.
    share = found.lambda_min / law.lambda_min if law.lambda_min > 0 else 0.0
    return replace(
        found,
        lambda_min=share * max(float(eigenvalues[0]), 0.0),
        lambda_max=found.lambda_max / law.lambda_max * float(eigenvalues[-1]),
    )


def condition_numbers(
    network: TwoLayer, sizes: Array, d: int, width: int | None, data: str | Array = "sphere"
) -> Array:
    """The law's condition number at several n : (len(sizes),) float, nan where it says nothing, inf where singular.

    Parameters
    ----------
    network : TwoLayer
    sizes : (s,) int
    d, width
        As for `derivations.spectrum.spectrum_law`.
    data : str or array
        ``"sphere"``, ``"gaussian"``, or lengths of at least max(sizes) rows, of which the first n are taken.

    Examples
    --------
    >>> from derivations import network
    >>> condition_numbers(network("bilinear"), np.array([100, 1000]), 20, 64).round(1)
    array([60.4,  inf])
    """

    def at(n: int) -> float:
        try:
            return spectrum_law(
                network, n, d, width, data if isinstance(data, str) else data[:n]
            ).condition_number
        except InputError:
            return np.nan

    return np.array([at(int(n)) for n in sizes])
