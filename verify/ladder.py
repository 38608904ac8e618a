"""How the kernels of random networks settle as the width grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.finite import FiniteNetwork, finite_network
from verify.inputs import check_matrix, check_memory, check_positive_integer
from verify.montecarlo import empirical_ntk
from verify.statistics import SlopeFit, fit_slope
from verify.streams import Seed, seed_sequence


@dataclass(frozen=True)
class Ladder:
    """Fluctuations of the empirical kernel, one rung per width.

    Attributes
    ----------
    widths : (w,) int
    fluctuation : (w,) float
        Relative root mean square distance of a network's kernel from the reference.
    standard_error : (w,) float
        Of `fluctuation`, from the networks of that width alone.
    networks : int
        Independent networks per width.
    slope : SlopeFit
        Of log fluctuation against log width, with its 95 % interval.
    """

    widths: tuple[int, ...]
    fluctuation: Array
    standard_error: Array
    networks: int
    slope: SlopeFit


def width_ladder(
    network: str | FiniteNetwork,
    X: ArrayLike,
    widths: Sequence[int],
    networks: int,
    rng: Seed = 0,
    *,
    reference: Callable[[int], ArrayLike] | None = None,
    kind: str = "ntk",
    parametrization: str | None = None,
) -> Ladder:
    r"""Fluctuation of the kernel of one network, at several widths, and the slope of its decay.

    .. math:: F_m = \frac{1}{\|K_m\|} \sqrt{\frac1S \sum_{s \le S} \|K_{m, s} - K_m\|_F^2}, \qquad
              \log F_m \approx \text{const} + b \log m

    A sum of m independent terms has b = -1/2: exactly so under the ``ntk`` parametrization, whose neurons
    have the same law at every width, and for m well above d under the ``standard`` one.

    The fit takes one relative variance of the squared distances, pooled about the line over all widths: their
    law tends to a fixed one, and a variance from a few networks would correlate with the distance it weights.
    With fewer than 16 networks the interval is up to a tenth too short, because that law has a long tail.

    Parameters
    ----------
    network : str or FiniteNetwork
    X : (n, d) float
    widths : sequence of int
        At least two different ones. The networks of a width do not depend on which others are asked for.
    networks : int
        S >= 2 networks of each width.
    rng : int or numpy.random.SeedSequence
    reference : callable, optional
        K_m : (n, n) float for a given m. Default: the mean over the S networks, with S - 1 in place of S.
    kind : {"ntk", "nngp"}
    parametrization : {"standard", "ntk"}, optional

    Raises
    ------
    InputError
        If an argument is out of range or the kernels do not fluctuate.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> import numpy as np
    >>> ladder = width_ladder("relu", np.eye(3), [64, 256, 1024], networks=16)
    >>> low, high = np.add(ladder.slope.slope, np.multiply([-1, 1], ladder.slope.half_width))
    >>> bool(low < -0.5 < high)
    True
    """
    points, networks = check_matrix(X, "X"), check_positive_integer(networks, "networks")
    rungs = tuple(check_positive_integer(width, "widths") for width in widths)
    if len(set(rungs)) < 2 or networks < 2:
        raise InputError(
            f"widths must hold two different widths and networks be at least 2, got {rungs} and {networks}"
        )
    chosen = finite_network(network, parametrization)
    n = points.shape[0]
    check_memory(n, n, networks + 9, "the empirical kernels of one width")
    # The distances to their own mean have one degree of freedom less than to a given reference.
    freedom = networks - (reference is None)
    squares = np.empty((len(rungs), networks))
    for rung, width in enumerate(rungs):
        kernels = np.array(
            [
                empirical_ntk(chosen, points, width, 1, seed_sequence(rng, width, index), kind=kind).mean
                for index in range(networks)
            ]
        )
        centre = kernels.mean(axis=0) if reference is None else np.asarray(reference(width), np.float64)
        distances = np.square(kernels - centre).sum(axis=(1, 2))
        if not distances.any():
            raise InputError("X must hold a row that is not zero: the kernels of all networks are equal")
        squares[rung] = networks / freedom * distances / np.square(centre).sum()
    means = squares.mean(axis=1)
    fluctuation = np.sqrt(means)
    # d log F = d(F^2) / (2 F^2): half the relative error of the mean square.
    to_log = 0.5 / sqrt(freedom)
    line = fit_slope(np.log(rungs), np.log(fluctuation), 1.0)
    fitted = np.exp(2.0 * (line.intercept + line.slope * np.log(rungs)))
    detrended = squares / fitted[:, None]
    pooled = to_log * float(detrended.std(ddof=2) / detrended.mean())
    return Ladder(
        widths=rungs,
        fluctuation=fluctuation,
        standard_error=to_log * squares.std(axis=1, ddof=1) / fluctuation,
        networks=networks,
        slope=fit_slope(np.log(rungs), np.log(fluctuation), pooled),
    )
