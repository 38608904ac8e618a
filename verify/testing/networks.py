r"""Assert that a claimed kernel is the mean kernel of random networks: a statistical test with stated power."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array, Elementwise
from verify.finite import FiniteNetwork, finite_network
from verify.inputs import check_choice, shown
from verify.joint_test import JointTest, hotelling
from verify.montecarlo import KINDS
from verify.statistics import check_rate
from verify.streams import Seed, seed_sequence
from verify.testing.assertions import assert_finite, assert_shape
from verify.testing.measurement import MARGIN, ROUNDING, Measured, data_sets, measure


class Inconclusive(AssertionError):  # noqa: N818 - a verdict, not an error
    """The claim was not refuted, but a false one might not have been either: the test had too little power."""


class Agreement(NamedTuple):
    """What stands behind a kernel that was not refuted.

    Attributes
    ----------
    p_value : float
        The smallest p-value of a data set; of the larger one where there were two measurements.
    level : float
        It would have been refuted below this: sqrt(alpha / number of data sets).
    detectable : float
        Relative error of the whole kernel that would have been refuted with probability 0.99 by any data set.
    neurons : int
        Random neurons behind the verdict.
    """

    p_value: float
    level: float
    detectable: float
    neurons: int


def assert_kernel_matches_networks(
    kernel: Callable[..., ArrayLike],
    network: str | FiniteNetwork | tuple[Elementwise, Elementwise | None, int],
    X: ArrayLike | None = None,
    *,
    width: int | None = None,
    neurons: int | None = None,
    alpha: float = 1e-6,
    detect: float = 0.005,
    rng: Seed = 0,
    kind: str = "ntk",
    parametrization: str | None = None,
) -> Agreement:
    r"""Assert that a formula is the mean kernel of a two-layer network with random weights.

    .. math:: T^2 = (\bar K - K)^T \Sigma^+ (\bar K - K) \le \chi^2_{r, 1 - q}, \qquad q = \sqrt{\alpha / s}

    over all entries i <= j together, on each of s data sets, with the mean kernel of random neurons and the
    covariance Sigma of that mean, of rank r. A claim that violates it is measured again, with fresh neurons, and
    refuted if it violates it again. The mean does not depend on how wide the networks are, but for the explicit m
    of the parametrization, so there is no bias and no tolerance.

    Without `X` there are two data sets of four rows at the angles 0, 0.15, pi/2, pi - 0.15 with four different
    norms: d = 2 at width 20, where the readout block dominates, and d = 3 at width 1, where the gradient
    blocks do. A factor that confuses m, d and constants is wrong at one of them.

    **Errors of the first kind.** A true kernel fails with probability `alpha` at most (twice q on each of s data
    sets), as far as the mean of so many neurons is normal. Neurons have heavy tails, and at 5e-7 that would be
    neither true nor possible to check; at q = 7e-4 it is. In simulations a level of 1 % was found to be 1.2 % for
    relu (2^15 neurons), 1.1 % for reglu (2^18) and 1.3 % for gqu (2^20), but 4.9 % for gqu with 2^15.

    **Errors of the second kind.** A kernel that is wrong by the factor 1 + `detect` passes with probability 1 %
    at most, on each data set alone: without that power the result is `Inconclusive`. Errors of single blocks
    that are caught as surely, in units of `detect` (default data, standard parametrization):

    ======= ======= ================== ============
    network readout activation weights gate weights
    ======= ======= ================== ============
    relu    1.2     1.5
    reglu   1.3     2.1                2.2
    gqu     1.4     3.1                1.7 (both)
    ======= ======= ================== ============

    and of a Taylor coefficient c_j of the kernel in the cosine: 0.3 for j = g, g + 1, g + 2 with g gates, since the
    contrasts of near and of opposite rows are known far better than their entries; 2.7 for j = g + 4.

    Parameters
    ----------
    kernel : callable
        ``kernel(X, width)`` or, where it has one required argument only, ``kernel(X)``; a second one that can
        only be given by keyword gets the width too. Returns the (n, n) matrix.
    network : str, FiniteNetwork or (phi, dphi, gates)
        A name that `verify.finite` knows, or an activation, its derivative (None for ``nngp``) and the number of
        linear gates.
    X : (n, d) array_like, optional
        Few rows: the test costs n^4 operations per neuron.
    width : int, optional
        m, for all data sets. Needed if the kernel is a function of X alone and yet depends on m: the NTK in the
        standard parametrization.
    neurons : int, optional
        Neurons per measurement. Default: as many as `detect` needs, at least 2^20. At 0.005 that is 3e6 for relu,
        1e7 for reglu and 2.5e7 for gqu, which take some 2, 6 and 20 seconds; it grows as detect^-2.
    alpha, detect : float
        False-alarm rate, and the relative error of the whole kernel that must be caught.
    rng : int or numpy.random.SeedSequence
        Fixed, so that the verdict on a kernel is reproducible.
    kind : {"ntk", "nngp"}
    parametrization : {"standard", "ntk"}, optional
        Default: the network's own; ``standard`` for a name or an activation.

    Returns
    -------
    Agreement
        The evidence, for whoever wants to print it.

    Raises
    ------
    AssertionError
        If the kernel is refuted: the message names the worst entry, and a common factor if that is all that is
        wrong. Also if its matrix is not finite, not symmetric or of the wrong shape.
    Inconclusive
        If it is not refuted, but an error of `detect` might have been missed.
    InputError
        If an argument is out of range.

    Source
    ------
    `verify.moments` and `verify.joint_test`.

    Examples
    --------
    >>> def relu_ntk(X, m):
    ...     r, d = np.linalg.norm(X, axis=1), X.shape[1]
    ...     c = np.clip(X @ X.T / np.outer(r, r), -1, 1)
    ...     t = np.arccos(c)
    ...     return np.outer(r, r) / (2 * np.pi * d) * (m * (np.sin(t) + (np.pi - t) * c) + d * c * (np.pi - t))
    >>> evidence = assert_kernel_matches_networks(relu_ntk, "relu", detect=0.02)
    >>> evidence.p_value > evidence.level, round(evidence.level, 5), evidence.detectable < 0.02
    (True, 0.00071, True)
    >>> assert_kernel_matches_networks(lambda X, m: 1.02 * relu_ntk(X, m), "relu", detect=0.02)
    Traceback (most recent call last):
    ...
    AssertionError: kernel is not the ntk of 'relu' networks in the standard parametrization: p = ...
    >>> assert_kernel_matches_networks(relu_ntk, "relu", neurons=1000)
    Traceback (most recent call last):
    ...
    verify.testing.networks.Inconclusive: kernel was not refuted, but an error of ...
    """
    __tracebackhide__ = True
    check_rate(alpha, "alpha")
    check_rate(detect, "detect")
    check_choice(kind, "kind", KINDS)
    chosen = _network(network, parametrization)
    evaluate, takes_width = _calling(kernel)
    free = not takes_width and (kind == "nngp" or chosen.parametrization == "ntk")
    if width is None and not takes_width and not free:
        raise InputError(
            "width must be given: kernel takes X alone, but the ntk in the standard parametrization depends on it"
        )
    sets = data_sets(X, width, free)
    level = sqrt(alpha / len(sets))
    results, total = [], 0
    for index, (rows, m) in enumerate(sets):
        claimed = _claimed(evaluate(rows.copy(), m), len(rows))
        key, count = seed_sequence(rng, index), neurons
        for repetition in range(2):
            result = measure(
                chosen, rows, m, claimed, kind, count, level, detect, seed_sequence(key, repetition)
            )
            count = result.moments.neurons
            total += count
            if result.test.p_value >= level:
                break
        results.append(result)
    worst = min(results, key=lambda result: result.test.p_value)
    if worst.test.p_value < level:
        where = f"the {kind} of {chosen.name!r} networks in the {chosen.parametrization} parametrization"
        raise AssertionError(f"kernel is not {where}: {_refutation(worst, level)}")
    weakest = max(results, key=lambda result: result.detectable)
    if weakest.detectable > detect:
        raise Inconclusive(_shortage(weakest, detect))
    return Agreement(worst.test.p_value, level, weakest.detectable, total)


def _network(
    network: str | FiniteNetwork | tuple[Elementwise, Elementwise | None, int], parametrization: str | None
) -> FiniteNetwork:
    if not isinstance(network, tuple):
        return finite_network(network, parametrization)
    if len(network) != 3 or not callable(network[0]):
        raise InputError(
            f"network must be a name, a FiniteNetwork or (phi, dphi, gates), got {shown(network)}"
        )
    phi, dphi, gates = network
    name = getattr(phi, "__name__", "phi")
    return FiniteNetwork(name, phi, dphi, gates, parametrization or "standard")


def _calling(kernel: Callable[..., ArrayLike]) -> tuple[Callable[[Array, int], ArrayLike], bool]:
    """`kernel` as a function of (X, width), and whether it takes a width at all."""
    try:
        parameters = inspect.signature(kernel).parameters.values()
    except ValueError:  # a compiled function may have no signature
        return (lambda X, m: kernel(X)), False
    required = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if len(required) > 2:
        names = ", ".join(p.name for p in required)
        raise InputError(f"kernel must take (X, width) or X alone, got one that requires {names}")
    if len(required) < 2:
        return (lambda X, m: kernel(X)), False
    if required[1].kind is inspect.Parameter.KEYWORD_ONLY:
        return (lambda X, m: kernel(X, **{required[1].name: m})), True
    return kernel, True


def _claimed(K: ArrayLike, n: int) -> Array:
    """The upper triangle of a claimed matrix, which must be one of a kernel."""
    __tracebackhide__ = True
    matrix = np.asarray(K, dtype=np.float64)
    assert_shape(matrix, n)
    assert_finite(matrix, "kernel(X)")
    lengths = np.sqrt(np.abs(matrix.diagonal()))
    if (np.abs(matrix - matrix.T) > ROUNDING * np.outer(lengths, lengths)).any():
        i, j = np.unravel_index(int(np.argmax(np.abs(matrix - matrix.T))), matrix.shape)
        raise AssertionError(
            f"kernel(X) must be symmetric, got {matrix[i, j]!s} at [{i}, {j}] and {matrix[j, i]!s} at [{j}, {i}]"
        )
    return matrix[np.triu_indices(n)]


def _shortage(result: Measured, detect: float) -> str:
    neurons, seen = result.moments.neurons, result.detectable
    where = f"(d = {result.X.shape[1]}, width = {result.width})"
    if np.isinf(seen):
        return f"kernel was not refuted, but it vanishes {where}: X must have rows on which it does not"
    return (
        f"kernel was not refuted, but an error of {detect:.3g} might have been missed: the smallest that {neurons} "
        f"neurons detect is {seen:.2g} {where}. Give neurons = {neurons * MARGIN * (seen / detect) ** 2:.1e}, or a "
        "larger detect"
    )


def _refutation(result: Measured, level: float) -> str:
    """What is wrong, where it is worst, and what would repair it."""
    from scipy.special import chdtrc

    X, m, moments, test = result.X, result.width, result.moments, result.test
    where = f"d = {X.shape[1]}, width = {m}, {moments.neurons} neurons"
    if not test.degrees or chdtrc(test.degrees, test.statistic) >= level:
        return (
            f"entries that random networks tie to each other, or to a constant, differ by more than rounding ({where}).\n"
            "Such are entries of equal, opposite or zero rows, and of any rows if the activation is a polynomial."
        )
    return (
        f"p = {test.p_value:.2g} < {level:.2g}, twice, for all entries together ({where}).\n"
        f"{_worst_entry(result)}.\n{_common_factor(result, level)}.\n"
        "Check the parametrization, the power of d, the factor m, kind and dphi. A false alarm has the probability "
        "alpha: another rng tells it from an error."
    )


def _worst_entry(result: Measured) -> str:
    X, moments, claimed, tolerance = result.X, result.moments, result.claimed, result.tolerance
    # An entry that never varies has the rounding as its error; at a row of zeros not even that.
    errors = np.maximum(np.sqrt(np.abs(moments.covariance.diagonal())), tolerance)
    errors = np.maximum(errors, np.finfo(np.float64).tiny)
    deviations = np.abs(claimed - moments.mean) / errors
    worst = int(np.argmax(deviations))
    i, j = (int(k[worst]) for k in np.triu_indices(len(X)))
    r = np.linalg.norm(X, axis=1)
    angle = f"cosine {X[i] @ X[j] / (r[i] * r[j]):.4g}, " if r[i] * r[j] > 0 else ""
    return (
        f"Worst entry: [{i}, {j}] ({angle}norms {r[i]:.4g} and {r[j]:.4g}): claimed {claimed[worst]:.7g}, measured "
        f"{moments.mean[worst]:.7g} +- {errors[worst]:.1g}, {deviations[worst]:.1f} standard errors apart"
    )


def _common_factor(result: Measured, level: float) -> str:
    """Whether the claim is right up to a factor: generalised least squares of the measurement on the claim."""
    moments, claimed, tolerance = result.moments, result.claimed, result.tolerance

    def test(factor: float) -> JointTest:
        return hotelling(moments.mean, moments.covariance, factor * claimed, tolerance)

    # The statistic is a parabola in the factor: three values tell where its minimum is.
    below, at_zero, above = (test(factor).statistic for factor in (-1.0, 0.0, 1.0))
    curvature = (above + below) / 2.0 - at_zero
    factor = (below - above) / (4.0 * curvature) if curvature > 0.0 else 0.0
    if factor == 0.0 or test(factor).p_value < level:
        return "No common factor repairs the matrix"
    return f"The matrix times {factor:.5g} +- {curvature**-0.5:.1g} agrees: only a common factor is wrong"
