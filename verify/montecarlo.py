r"""The neural tangent kernel of networks of finite width, streamed over their neurons.

The empirical kernel of a two-layer network of width m is a sum of m independent, identically distributed
terms, one per neuron. So its expectation is the infinite-width kernel at *every* width, the neuron is the
sample, and the standard error of each entry follows from the neurons' second moments: no batches of networks.

No Jacobian is formed and no array grows with the width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.accumulators import FirstMoment, RowUnits, SecondMoment
from verify.activations import Array
from verify.finite import Factors, FiniteNetwork, Weights, finite_network
from verify.inputs import check_choice, check_matrix, check_memory, check_positive_integer
from verify.streams import Seed, draw_neurons

KINDS = ("ntk", "nngp")


class KernelOverflowError(InputError):
    """The rows are so long that the kernel leaves float64."""


@dataclass(frozen=True)
class KernelEstimate:
    """Mean of the kernels of some networks of finite width, with the standard error of every entry.

    Attributes
    ----------
    mean : (n, n) float
    standard_error : (n, n) float
        NaN if there is only one neuron.
    width, seeds : int
        Neurons per network, and networks.
    part_means : tuple of (n, n) float
        Means over equal parts of the neurons, each an unbiased estimate of the kernel; empty for one part.
    """

    mean: Array
    standard_error: Array
    width: int
    seeds: int
    part_means: tuple[Array, ...] = ()

    @property
    def neurons(self) -> int:
        """Number of independent samples behind every entry: width times seeds."""
        return self.width * self.seeds

    @property
    def relative_error(self) -> float:
        """Frobenius norm of the standard errors, relative to that of the mean."""
        return float(np.linalg.norm(self.standard_error) / np.linalg.norm(self.mean))


def empirical_ntk(
    network: str | FiniteNetwork,
    X: ArrayLike,
    width: int,
    seeds: int = 1,
    rng: Seed = 0,
    *,
    kind: str = "ntk",
    parametrization: str | None = None,
    parts: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> KernelEstimate:
    r"""Mean kernel of `seeds` random networks of width `width`, and its standard error.

    .. math:: \bar K = \frac1S \sum_{s \le S} \sum_{k \le m} \xi_{sk}, \qquad
              \operatorname{SE}_{ij}^2 = \frac mS \widehat{\operatorname{Var}}(\xi_{ij}), \qquad
              \xi = R R^T + X X^T \circ \sum_l G_l G_l^T,

    with the unbiased variance over all m S neurons (see `Factors` for R and G). A standard deviation of xi
    below 1e-7 of its mean drowns in the rounding of the second moment and may be reported as 0.

    Parameters
    ----------
    network : str or FiniteNetwork
    X : (n, d) float
        Inputs, one per row.
    width, seeds : int
        m neurons per network, S networks.
    rng : int or numpy.random.SeedSequence
        Fixes every neuron, and with it the result up to the rounding of the BLAS at hand.
    kind : {"ntk", "nngp"}
        ``nngp``: the covariance of the outputs over the readout weights, E_a[z(x) z(x')].
    parametrization : {"standard", "ntk"}, optional
        Default: the network's own; ``standard`` for a name.
    parts : int
        Also give the means over this many equal parts of the neurons: the smallest eigenvalue of a mean kernel
        has a bias that falls with the number of neurons, and smaller samples show how.
    progress : callable, optional
        Called with (neurons done, neurons in total) after every chunk.

    Returns
    -------
    KernelEstimate

    Raises
    ------
    InputError
        If an argument is out of range, an activation has no derivative, or a kernel overflows float64.

    Source
    ------
    Derived here: the kernel is a sum over neurons (see `verify.accumulators`).

    Examples
    --------
    >>> import numpy as np
    >>> estimate = empirical_ntk("reglu", np.eye(2), width=4096, seeds=16)
    >>> estimate.mean.round(), estimate.standard_error.round()
    (array([[513.,  -3.],
           [ -3., 517.]]), array([[8., 2.],
           [2., 9.]]))
    """
    points = check_matrix(X, "X")
    m, seeds = check_positive_integer(width, "width"), check_positive_integer(seeds, "seeds")
    check_choice(kind, "kind", KINDS)
    chosen = finite_network(network, parametrization)
    n, d = points.shape
    rows = chosen.rows(points)
    neurons, parts = m * seeds, check_positive_integer(parts, "parts")
    if neurons < parts:
        raise InputError(f"parts must be at most the number of neurons, {neurons}, got {parts}")
    check_memory(n, n, 9 + 4 * (parts - 1), "the empirical kernel")

    first = [FirstMoment.zeros(n) for _ in range(parts)]
    second = SecondMoment.zeros(n)
    counts = [0] * parts
    units: RowUnits | None = None
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is told once, below
        for weights in draw_neurons(chosen, n, d, m, m, seeds, rng):
            for part in _split(weights, parts):
                smallest = counts.index(min(counts))  # uneven chunks must not favour one part
                factors = kernel_factors(chosen, part, points, m, kind)
                units = units or RowUnits.measure(rows, factors)
                factors = units.scaled(factors)
                first[smallest].add(factors)
                second.add(factors)
                counts[smallest] += part.readout.size
            if progress is not None:
                progress(sum(counts), neurons)
        assert units is not None  # there is at least one neuron
        sums = [moment.total(units.gram) for moment in first]
        total = sum(sums[1:], start=sums[0])
        mean = units.restored(total / seeds)
        error = units.restored(_standard_error(total, second.total(units.gram), m, seeds))
        means = [units.restored(part * (m / count)) for part, count in zip(sums, counts, strict=True)]
    if not np.isfinite(mean).all():
        raise KernelOverflowError(
            f"X must have shorter rows: the kernel of {chosen.name!r} overflows on them"
        )
    return KernelEstimate(mean, error, m, seeds, tuple(means) if parts > 1 else ())


def kernel_factors(network: FiniteNetwork, weights: Weights, X: Array, width: int, kind: str) -> Factors:
    """Factors of the kernel of the given kind: the covariance of the outputs has no gradient factors."""
    if kind == "ntk":
        return network.factors(weights, X, width)
    *_, deviation = network.scales(X.shape[1], width)
    readout = deviation * network.outputs(weights, X, width)
    return Factors(readout, np.empty((X.shape[0], 0, readout.shape[1])))


def _split(weights: Weights, parts: int) -> list[Weights]:
    """Equal parts, those with a neuron more first: each goes to what has had the fewest so far."""
    count = weights.readout.size
    edges = pairwise(count * part // parts for part in range(parts + 1))
    slices = sorted(((start, stop) for start, stop in edges if start < stop), key=lambda e: e[0] - e[1])
    return [weights.select(slice(*edge)) for edge in slices]


def _standard_error(total: Array, squares: Array, width: int, seeds: int) -> Array:
    neurons = width * seeds
    if neurons == 1:
        return np.full_like(total, np.nan)
    variance = (squares - np.square(total) / neurons) / (neurons - 1)
    # Rounding can leave a term that does not vary with a variance of -1e-17.
    return np.sqrt(width / seeds * np.maximum(variance, 0.0))
