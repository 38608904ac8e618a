"""Joint statistics of an empirical kernel: all its entries together, and its quadratic forms.

The standard errors of single entries (see `verify.montecarlo`) cannot judge a kernel as a whole, because all
entries share their neurons. Two cheap passes over the neurons can: the full covariance of the few entries
of a small kernel, for a joint test; and the law of one quadratic form of a large one, for the standard error
of its largest eigenvalue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.finite import Factors, FiniteNetwork, Weights, finite_network
from verify.inputs import check_choice, check_matrix, check_memory, check_positive_integer, shown
from verify.montecarlo import KINDS, kernel_factors
from verify.products import add_row_products, empty_triangle, pair_sums, row_products, symmetric
from verify.streams import Seed, chunk_size, draw_neurons

# Sums over groups of independent neurons are independent too: their covariance costs an eighth of that of
# single neurons, which was a third of a measurement. With N neurons it is known to sqrt(16 / N), kurtosis aside.
GROUP = 8


@dataclass(frozen=True)
class EntryMoments:
    """Mean of the distinct entries of an empirical kernel, and the covariance of that mean.

    Attributes
    ----------
    mean : (p,) float
        The entries i <= j, p = n (n + 1) / 2, in the order of `numpy.triu_indices`.
    covariance : (p, p) float
        Covariance of `mean` (not of one neuron's term).
    width, neurons : int
        Width of the network whose kernel this is, and independent neurons behind the mean.
    """

    mean: Array
    covariance: Array
    width: int
    neurons: int


def whole_groups(neurons: float) -> int:
    """Whole groups of `GROUP` neurons that are nearest to a number of neurons, two groups at least, in neurons.

    Examples
    --------
    >>> whole_groups(1e6 / 3), whole_groups(0.1)
    (333336, 16)
    """
    return GROUP * max(2, round(neurons / GROUP))


def entry_moments(sums: Iterable[Array], width: int = 1, group: int = 1) -> EntryMoments:
    r"""Mean kernel and its covariance from the terms of its neurons, summed over groups of g of them.

    .. math:: \bar K = \frac{m}{g} \bar S, \qquad
              \widehat{\operatorname{Cov}}(\bar K) = \frac{m^2}{g^2 C (C - 1)}
              \sum_{c \le C} (S_c - \bar S)(S_c - \bar S)^T

    The sums are taken about the mean of the first chunk: about 0, entries that hardly vary would lose their
    variance to cancellation, and with it the null space of the covariance on which a joint test is exact.

    Parameters
    ----------
    sums : iterable of (p, c) float
        S, a column per group, chunk by chunk; overwritten. C >= 2 columns in all.
    width : int
        m.
    group : int
        g.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> import numpy as np
    >>> moments = entry_moments(np.array([[1.0, 2.0], [3.0, 6.0]]).reshape(2, 1, 2), width=2)
    >>> moments.mean, moments.covariance, moments.neurons
    (array([6.]), array([[4.66666667]]), 4)
    """
    pilot: Array | None = None
    count = 0
    for chunk in sums:
        if pilot is None:
            pilot = chunk.mean(axis=1, keepdims=True)
            total, squares = np.zeros(len(pilot)), empty_triangle(len(pilot))
        chunk -= pilot
        count += chunk.shape[1]
        total += chunk.sum(axis=1)
        add_row_products(squares, chunk)
    assert pilot is not None  # there are at least two columns
    shift = total / count
    scatter = symmetric(squares) - count * np.outer(shift, shift)
    scale = width / group
    return EntryMoments(
        mean=scale * (pilot[:, 0] + shift),
        covariance=scale * scale / (count * (count - 1.0)) * scatter,
        width=width,
        neurons=count * group,
    )


def neuron_moments(
    network: str | FiniteNetwork,
    X: ArrayLike,
    width: int,
    neurons: int,
    rng: Seed = 0,
    *,
    kind: str = "ntk",
    parametrization: str | None = None,
    group: int = 1,
) -> EntryMoments:
    r"""Mean and full covariance of the entries of the kernel of a network of width m, from N neurons.

    .. math:: \bar K = m \bar\xi, \qquad
              \widehat{\operatorname{Cov}}(\bar K) = \frac{m^2}{N (N - 1)}
              \sum_{k \le N} (\xi_k - \bar\xi)(\xi_k - \bar\xi)^T

    with xi the upper triangle of one neuron's term.

    Parameters
    ----------
    network : str or FiniteNetwork
    X : (n, d) float
        Few inputs: the covariance has n^4 / 4 entries.
    width : int
        m. It scales the weights; it does not limit `neurons`.
    neurons : int
        N >= 2.
    rng : int or numpy.random.SeedSequence
    kind : {"ntk", "nngp"}
    parametrization : {"standard", "ntk"}, optional
    group : int
        Take the covariance of sums over groups of this many neurons, 1 or `GROUP`: cheaper, and as good where
        there are thousands of groups. `neurons` must be a multiple.

    Raises
    ------
    InputError
        If an argument is out of range or an activation has no derivative.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> import numpy as np
    >>> moments = neuron_moments("relu", np.eye(2), width=64, neurons=100_000)
    >>> moments.mean.round(1), np.sqrt(moments.covariance.diagonal()).round(1)
    (array([16.5,  5. , 16.4]), array([0.1, 0. , 0.1]))
    """
    points, m = check_matrix(X, "X"), check_positive_integer(width, "width")
    count = check_positive_integer(neurons, "neurons")
    if count < 2:
        raise InputError("neurons must be at least 2 to have a covariance, got 1")
    if group not in (1, GROUP):
        raise InputError(f"group must be 1 or {GROUP}, got {group}")
    if chunk_size(*points.shape) % group:  # beyond 32 rows or columns
        raise InputError(f"group must be 1 for X of shape {points.shape}, got {group}")
    if count % group or count < 2 * group:
        raise InputError(f"neurons must be two or more groups of {group}, got {count}")
    check_choice(kind, "kind", KINDS)
    chosen = finite_network(network, parametrization)
    n, d = points.shape
    p = n * (n + 1) // 2
    check_memory(p, p, 4, "the covariance of all entries")
    rows = chosen.rows(points)
    gram = row_products(rows, rows)[np.triu_indices(n)][:, None]

    def terms(weights: Weights) -> Array:
        return _terms(kernel_factors(chosen, weights, points, m, kind), gram, group)

    return entry_moments(map(terms, draw_neurons(chosen, n, d, m, count, 1, rng)), m, group)


def quadratic_form(
    network: str | FiniteNetwork,
    X: ArrayLike,
    v: ArrayLike,
    width: int,
    seeds: int = 1,
    rng: Seed = 0,
    *,
    kind: str = "ntk",
    parametrization: str | None = None,
) -> tuple[float, float]:
    r"""Mean and standard error of v^T K v over the very neurons of `empirical_ntk` with the same arguments.

    .. math:: v^T \xi v = (R^T v)^2 + \sum_l \Big| \sum_i v_i G_{il} x_i \Big|^2

    With v an eigenvector of the mean kernel this is the eigenvalue and, to first order, its standard error:
    O(n d) operations per neuron, where the covariance of all entries would take n^4.

    Parameters
    ----------
    network, X, width, seeds, rng, kind, parametrization
        As for `empirical_ntk`.
    v : (n,) float

    Returns
    -------
    mean, standard_error : float
        The error is NaN for a single neuron.

    Raises
    ------
    InputError
        If an argument is out of range or an activation has no derivative.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> import numpy as np
    >>> mean, error = quadratic_form("relu", np.eye(2), [1.0, 0.0], width=4096, seeds=16)
    >>> round(mean), round(error)
    (1028, 9)
    """
    points = check_matrix(X, "X")
    m, seeds = check_positive_integer(width, "width"), check_positive_integer(seeds, "seeds")
    check_choice(kind, "kind", KINDS)
    chosen = finite_network(network, parametrization)
    n, d = points.shape
    direction = np.asarray(v, dtype=np.float64)
    if direction.shape != (n,):
        raise InputError(f"v must have shape ({n},), one number per row of X, got {direction.shape}")
    if not np.isfinite(direction).all():
        raise InputError(f"v must be finite, got {shown(direction.tolist())}")

    weighted = (direction[:, None] * chosen.rows(points)).T
    pilot: float | None = None
    total = squares = 0.0
    for weights in draw_neurons(chosen, n, d, m, m, seeds, rng):
        factors = kernel_factors(chosen, weights, points, m, kind)
        terms = np.square(row_products(direction[None], factors.readout.T)[0])
        for gradient in factors.gradient.swapaxes(0, 1):
            terms += np.square(row_products(weighted, gradient.T)).sum(axis=0)
        if pilot is None:  # as in `entry_moments`
            pilot = float(terms.mean())
        terms -= pilot
        total += float(terms.sum())
        squares += float(terms @ terms)
    assert pilot is not None  # there is at least one neuron
    neurons = m * seeds
    mean = m * (pilot + total / neurons)
    if neurons == 1:
        return mean, float("nan")
    variance = max(squares - total * total / neurons, 0.0) / (neurons - 1)
    return mean, sqrt(m / seeds * variance)


def _terms(factors: Factors, gram: Array, group: int) -> Array:
    """The upper triangle of xi, row by row, summed over groups of neurons : (p, b / group) float."""
    terms = pair_sums(factors.readout, group)
    for block in factors.gradient.swapaxes(0, 1):
        product = pair_sums(block, group)
        product *= gram
        terms += product
    return terms
