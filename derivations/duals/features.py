r"""Features whose products are the Fourier coefficients of a dual activation in the angle.

In polar coordinates of the plane of two preactivations,

.. math:: E[\varphi(u)\varphi(v)] = \sum_k t_k \cos k\theta, \qquad
    t_k = \epsilon_k \int_0^\infty r e^{-r^2/2}\, c_k(\sigma_i r)\, c_k(\sigma_j r)\, dr, \qquad
    c_k(x) = \frac1\pi \int_0^\pi \varphi(x \cos\alpha) \cos k\alpha\, d\alpha,

with standard deviations sigma, cos(theta) = rho, epsilon_0 = 1 and epsilon_k = 2 otherwise: the integral over the
direction is a correlation on the circle.  By a rule of nodes r_l and weights w_l the coefficients are products of
features sqrt(epsilon_k w_l) c_k(sigma r_l), so what a cut series lacks is bounded by Cauchy-Schwarz, and no term is
larger than the variances allow.  A feature is smooth in log(sigma): rows share the features of a few nodes.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.fft import dct, next_fast_len

from derivations.duals.activations import Array, Elementwise, Smooth
from derivations.errors import InputError

# exp(-r^2 / 2) beyond is 3e-18.
RADIUS = 9.0
# r = SCALE sinh(y) opens the cuts of c_k(sigma r), which start at i (width of the strip) / sigma.
SCALE = 0.01
# Radial nodes: 64 reach 1e-15 for every named activation up to sigma = 100; oscillating ones need more.
ORDERS = (64, 128, 256, 512, 1024)
# Nodes per octave of sigma: 16 interpolate features to 5e-15.
NODES = 16
# Relative energy, hence squared, of the first harmonic that aliasing may spoil.
NEGLIGIBLE = 1e-26
MOST_HARMONICS = 1 << 14
# Harmonics times radial nodes: features of a cell take 320 MB at most.
MOST = 1 << 20
# What the certificate accepts, relative to sqrt(T_ii T_jj).  Named activations reach a few 1e-15.
CERTIFIED = 1e-11
# What more radial nodes are tried for.
AIM = 1e-13


@dataclass(frozen=True)
class Features:
    """Features of an activation (index 0) and its slope (1) at some standard deviations.

    Attributes
    ----------
    values : (k, 2, m, l) float
        Harmonic, function, standard deviation, radial node.
    tails : (2, k + 1) float
        Square root of the largest share of E[phi^2], over the m, from harmonic k on.
    """

    values: Array
    tails: Array


@cache
def radial_rule(order: int) -> tuple[Array, Array]:
    """Nodes r and weights w with sum w f(r) = int_0^inf r exp(-r^2/2) f(r) dr for even analytic f.

    Examples
    --------
    >>> r, w = radial_rule(64)
    >>> f"{w @ r**2:.14f}"
    '2.00000000000000'
    """
    y, w = np.polynomial.legendre.leggauss(order)
    half = np.arcsinh(RADIUS / SCALE) / 2
    y = half * (y + 1)
    r = SCALE * np.sinh(y)
    return r, half * w * SCALE * np.cosh(y) * r * np.exp(-r * r / 2)


@cache
def normal_rule(order: int) -> tuple[Array, Array]:
    """Nodes x = -x reversed and weights w with sum w f(x) = E[f(x)] for standard normal x, to check with.

    Examples
    --------
    >>> x, w = normal_rule(64)
    >>> f"{w @ x**4:.14f}"
    '3.00000000000000'
    """
    step = 3.2 / order
    y = step * np.arange(1, np.ceil(np.arcsinh(RADIUS / SCALE) / step) + 1)
    y = np.concatenate([-y[::-1], [0.0], y])
    x = SCALE * np.sinh(y)
    return x, step * SCALE * np.cosh(y) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def radial_order(activation: Smooth, sigma: float) -> int:
    """How many radial nodes reproduce one-dimensional integrals up to this standard deviation, if any do.

    Examples
    --------
    >>> from derivations.duals import smooth
    >>> radial_order(smooth("silu"), 10.0), radial_order(smooth((np.sin, np.cos)), 10.0)
    (64, 256)
    """
    both = (activation.value, activation.slope)
    at = np.array([sigma])
    with np.errstate(all="ignore"):
        harmonics = max(_harmonics(activation.name, function, sigma) for function in both)
        for order in ORDERS:
            converged = all(_error(f, at, order, _features(f, at, order, harmonics)) <= AIM for f in both)
            if converged or 2 * order * harmonics > MOST:
                break
    return order  # `features` judges


def features(activation: Smooth, sigma: Array, order: int = ORDERS[0]) -> Features:
    """Features at standard deviations of similar size, checked against one-dimensional integrals.

    Parameters
    ----------
    activation : Smooth
        Analytic in a strip around the real line, of polynomial growth.
    sigma : (m,) float
        Standard deviations, 0 included, up to 100.
    order : int
        Radial nodes; features of different orders cannot be multiplied.

    Raises
    ------
    InputError
        If the activation is not finite somewhere, is too rough at these standard deviations, its features do
        not reproduce E[phi phi] at correlation 1, 0 and -1 for every pair of them to 1e-11 sqrt(T_ii T_jj), or
        its slope is not its derivative by E[z phi(sigma z)] = sigma E[phi'(sigma z)].

    Examples
    --------
    >>> from derivations.duals import smooth
    >>> found = features(smooth("silu"), np.array([0.5, 1.0]))
    >>> print(np.sum(found.values[:, 0, 1] ** 2).round(12))  # E[silu(z)^2]
    0.355775519817
    """
    both = (activation.value, activation.slope)
    with np.errstate(all="ignore"):  # what is not finite is refused
        harmonics = max(_harmonics(activation.name, function, float(np.max(sigma))) for function in both)
        values = [_features(function, sigma, order, harmonics) for function in both]
        error = max(_error(function, sigma, order, part) for function, part in zip(both, values, strict=True))
        error = max(error, _mismatch(activation, sigma, order))
    _check_error(activation.name, sigma, error)
    energy = np.stack([np.sum(part**2, axis=1) for part in values])  # (2, m, k)
    energy = energy[..., ::-1].cumsum(axis=-1)[..., ::-1]  # from k on
    share = np.divide(energy, energy[..., :1], out=np.zeros_like(energy), where=energy > 0)
    tails = np.pad(np.sqrt(np.max(share, axis=1)), ((0, 0), (0, 1)))
    return Features(np.stack([part.transpose(2, 0, 1) for part in values], axis=1), tails)


def interpolated(activation: Smooth, sigma: Array, order: int = ORDERS[0]) -> tuple[Features, Array]:
    """Features at no more than 16 standard deviations, and the matrix that interpolates them.

    Parameters
    ----------
    activation : Smooth
        As for `features`.
    sigma : (m,) float
        Distinct, within an octave, or a single 0.
    order : int
        As for `features`.

    Returns
    -------
    found : Features
        At the Chebyshev points of log(sigma); at `sigma` itself where that is not more.
    matrix : (m, nodes) float
        Features at `sigma` are this matrix times those found.

    Raises
    ------
    InputError
        As `features`, or if features between the points differ from the interpolated ones by 1e-11.
    """
    if len(sigma) <= NODES:
        return features(activation, sigma, order), np.eye(len(sigma))
    low, high = np.log(np.min(sigma)), np.log(np.max(sigma))
    high = max(high, low + 1e-8)  # logarithms of neighbouring numbers may be equal
    x = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    between = np.array([-0.999, -0.5, 0.03, 0.97])  # far from all of x
    tried = np.exp(low + (high - low) * (np.concatenate([x, between]) + 1) / 2)
    found = features(activation, tried, order)
    nodes, others = found.values[:, :, :NODES], found.values[:, :, NODES:]
    missed = np.tensordot(nodes, _barycentric(x, between), ((2,), (1,))).swapaxes(2, 3) - others
    size = np.sqrt(np.sum(others**2, axis=(0, 3)))
    error = np.max(np.sqrt(np.sum(missed**2, axis=(0, 3))) / np.where(size > 0, size, 1.0))
    _check_error(activation.name, sigma, float(error))
    position = 2 * (np.log(sigma) - low) / (high - low) - 1
    return Features(np.ascontiguousarray(nodes), found.tails), _barycentric(x, position)


def _barycentric(x: Array, t: Array) -> Array:
    """The matrix (t, x) of interpolation from Chebyshev points of the first kind."""
    weights = (-1.0) ** np.arange(len(x)) * np.sin(np.pi * (np.arange(len(x)) + 0.5) / len(x))
    distance = t[:, None] - x
    # At a node its term outweighs the others, whatever the distance is replaced by.
    matrix = weights / np.where(distance == 0.0, 1e-100, distance)
    return matrix / np.sum(matrix, axis=1, keepdims=True)


def _features(function: Elementwise, sigma: Array, order: int, harmonics: int) -> Array:
    """(m, l, k) features of one function: the trapezoidal rule in alpha, by a cosine transform."""
    r, w = radial_rule(order)
    cosines = np.cos(np.pi * (np.arange(harmonics) + 0.5) / harmonics)
    weights = np.multiply.outer(np.sqrt(w), np.where(np.arange(harmonics) > 0, np.sqrt(0.5), 0.5) / harmonics)
    found = np.empty((len(sigma), order, harmonics))
    for s, row in zip(sigma, found, strict=True):  # in cache, but for the rows of thousands of harmonics
        np.multiply(dct(function(np.multiply.outer(s * r, cosines)), type=2), weights, out=row)
    return found


def _harmonics(name: str, function: Elementwise, sigma: float) -> int:
    """How many harmonics leave out a negligible part of E[phi^2]."""
    tried = 32
    while tried <= MOST_HARMONICS:
        values = _features(function, np.array([sigma]), ORDERS[0], tried)
        energy = np.sum(values**2, axis=(0, 1))[::-1].cumsum()[::-1]
        if not np.isfinite(energy[0]):
            raise InputError(
                f"{name} and its slope must be finite on the real line, up to |z| = {RADIUS * sigma:.3g}"
            )
        few = energy <= NEGLIGIBLE * energy[0]
        if few[tried - tried // 4]:  # a quarter of them is nothing but rounding: no coincidence
            return int(next_fast_len(int(np.argmax(few)) + 2, real=True))
        tried *= 2
    raise InputError(
        f"{name} is too rough at a variance of {sigma**2:.3g}: it has to be analytic, and "
        f"{MOST_HARMONICS} harmonics must resolve it; use smaller rows"
    )


def _error(function: Elementwise, sigma: Array, order: int, values: Array) -> float:
    """The largest error of E[phi phi] over sqrt(T_ii T_jj) at correlations 1, -1 and 0, all pairs of sigma."""
    x, w = normal_rule(order)
    sampled = function(np.multiply.outer(sigma, x))
    mean = sampled @ w
    weighted = sampled * w
    expected = np.stack([weighted @ sampled.T, weighted @ sampled[:, ::-1].T, np.outer(mean, mean)])
    rows = len(sigma)
    # cos(k theta) is 1 at theta = 0, (-1)^k at pi, and 1, 0, -1, 0, ... at pi/2
    parts = (values[..., start::step].reshape(rows, -1) for start, step in ((0, 4), (2, 4), (1, 2)))
    fourths, halves, odd = (part @ part.T for part in parts)
    series = np.stack([fourths + halves + odd, fourths + halves - odd, fourths - halves])
    scale = np.sqrt(np.diag(expected[0]))
    scale[scale == 0.0] = 1.0  # the function vanishes, as phi(0) = 0 at a row of zeros
    return float(np.max(np.abs(series - expected) / np.outer(scale, scale)))


def _mismatch(activation: Smooth, sigma: Array, order: int) -> float:
    """By how much E[z phi(sigma z)] = sigma E[phi'(sigma z)] is missed, relative to the functions' sizes."""
    x, w = normal_rule(order)
    z = np.multiply.outer(sigma, x)
    value, slope = activation.value(z), activation.slope(z) * sigma[:, None]
    size = np.sqrt(value**2 @ w) + np.sqrt(slope**2 @ w)
    return float(np.max(np.abs((value * x) @ w - slope @ w) / np.where(size > 0, size, 1.0)))


def _check_error(name: str, sigma: Array, error: float) -> None:
    """Refuse what misses the promise, NaN included."""
    if not error <= CERTIFIED:
        raise InputError(
            f"{name} cannot be expanded at variances from {np.min(sigma) ** 2:.3g} to {np.max(sigma) ** 2:.3g}: "
            f"error {error:.1e} where {CERTIFIED:.0e} is promised; phi' must be the derivative of an analytic "
            "phi that varies slowly on that scale"
        )
