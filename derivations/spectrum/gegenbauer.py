r"""Gegenbauer coefficients of a network's kernel on the sphere \(|x|^2 = d\), for any activation.

A weight \(w \sim N(0, I/d)\) is a length times a direction. With R = |w| sqrt(d), a chi variable of d degrees of
freedom, and t the first coordinate of a uniform point of the unit sphere, Funk and Hecke's theorem for every R gives

\[ E[\phi\phi] = \sum_k g_k Q_k(\rho),\qquad g_k = N_k\,E_R\big[E_t[\phi(R t)\,Q_k(t)]^2\big], \]

a sum of squares: no digits cancel between degrees, whatever d, and every mass \(g_k\) is right to about 1e-16 times
the geometric mean of itself and E[phi^2]. Gates multiply by rho (`harmonics.times_cosine`): with A = m, B = d
(``standard``) or A = B = 1 (``ntk``)

\[ f(\rho) = \rho^g\,[(A + g B)\,E[\phi\phi] + B\,\rho\,E[\phi'\phi']]. \]

Both expectations are integrals of analytic functions where phi is analytic on either side of 0: over R, and over
the angle psi, t = sin psi, whose density is proportional to cos(psi)^(d-2).

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from derivations.activations import Activation
from derivations.arguments import check_positive_integer
from derivations.elementwise import activation_functions
from derivations.errors import InputError
from derivations.kernel_derivation import PIECEWISE
from derivations.networks import TwoLayer
from derivations.spectrum.harmonics import Array, log_multiplicities, multiplicities, recurrence, times_cosine

# Beyond 16 standard deviations a Gaussian density is 1e-56, and exp(z)^2 times it still 1e-42.
REACH = 16.0
# R lies within 10 of sqrt(d) but for 1e-31.
RADIUS = 10.0
PANEL = 32
# A panel of 32 nodes resolves eight oscillations of an integrand.
DEGREES_PER_PANEL = 24
FINEST = 1024
ALIASED = 1e-13
"""Largest change of a second moment, relative, when the panels are halved."""
VANISHING = 1e-27
"""Masses below this share of f(1) are squares of roundings."""
SMALLEST, LARGEST = 1e-100, 1e100
ROUNDED = 1e-12
"""A rest below this share of f(1) is the rounding of the difference that it is."""


@dataclass(frozen=True)
class GegenbauerExpansion:
    r"""\(f = \sum_{k\le K} g_k Q_k + \text{rest}\) on the sphere in d dimensions, all \(g_k \ge 0\).

    Attributes
    ----------
    d : int
    masses : (K + 1,) float
        g_k = N_k lambda_k, which sum up with the rest to f(1).
    log_multiplicities : (K + 1,) float
        log N_k.
    rest : float
        The mass of all higher degrees; 0 for a polynomial.

    Examples
    --------
    >>> from derivations import network
    >>> f = gegenbauer_expansion(network("bilinear"), d=4, width=8, degrees=3)
    >>> f.masses, f.rest  # (m + 2 d) rho^2
    (array([ 4.,  0., 12.,  0.]), 0.0)
    """

    d: int
    masses: Array
    log_multiplicities: Array
    rest: float

    @property
    def degrees(self) -> int:
        """K."""
        return len(self.masses) - 1

    @property
    def total(self) -> float:
        """f(1), the kernel's diagonal."""
        return float(np.sum(self.masses) + self.rest)

    @property
    def dimensions(self) -> float:
        """How many harmonics have a coefficient that is not 0; inf where there is a rest."""
        if self.rest:
            return np.inf
        return float(np.sum(multiplicities(self.log_multiplicities)[self.masses > 0]))

    def eigenvalues(self, n: float) -> Array:
        """tau_k = n lambda_k = n g_k / N_k, of n times the integral operator."""
        return np.asarray(self.masses * np.exp(np.log(n) - self.log_multiplicities), float)


def gegenbauer_expansion(network: TwoLayer, d: int, width: int | None, degrees: int) -> GegenbauerExpansion:
    """The expansion of the NTK of a network of this width, to degree `degrees`.

    Raises
    ------
    InputError
        If d or the width is out of range, or the activation jumps, has kinks elsewhere than at 0, is too rough for
        its integrals, or so large or small that squares leave the range of float64.
    """
    if check_positive_integer(d, "d") < 2:
        raise InputError(f"d must be at least 2 for directions to be spread, got {d}")
    gates = network.gates
    # Each factor rho mixes in the degree above.
    value, slope = both_masses(network.activation, d, degrees + 1 + gates)
    value_total, slope_total = both_moments(network.activation, d)
    readout, gradient = block_weights(network, d, width)
    f = readout + gates * gradient
    masses = np.append(f * value, 0.0) + gradient * times_cosine(slope, d)
    for _ in range(gates):
        masses = times_cosine(masses, d)
    total = f * value_total + gradient * slope_total
    if not SMALLEST < total < LARGEST:
        raise InputError(f"activation's kernel must be within {SMALLEST:g} and {LARGEST:g}, got {total:.3g}")
    masses = np.where(masses[: degrees + 1] > VANISHING * total, masses[: degrees + 1], 0.0)
    rest = total - float(np.sum(masses))
    return GegenbauerExpansion(
        d, masses, log_multiplicities(d, degrees), rest if rest > ROUNDED * total else 0.0
    )


def block_weights(network: TwoLayer, d: int, width: int | None) -> tuple[float, float]:
    """A and B of the kernel: m and d in the standard parametrization, else 1 and 1."""
    if network.parametrization.name != "standard":
        return 1.0, 1.0
    return float(check_positive_integer(width, "width")), float(d)


@lru_cache(maxsize=256)
def both_masses(activation: Activation, d: int, degrees: int) -> tuple[Array, Array]:
    """The g_k of E[phi phi] and E[phi' phi'], k = 0..degrees."""
    count = panels(activation, d) + degrees // DEGREES_PER_PANEL
    functions = smooth_pair(activation)
    radii, weights = radial_rule(d)
    found = [amplitudes(function, d, degrees, radii, count) for function in functions]
    value, slope = (amplitude**2 @ weights for amplitude, _ in found)
    return value, slope


def both_moments(activation: Activation, d: int) -> tuple[float, float]:
    """E[phi^2] and E[phi'^2]: the sums of all masses, whatever d."""
    value, slope = _moments(activation, d, panels(activation, d))
    return value, slope


def amplitudes(
    function: Callable[[Array], Array], d: int, degrees: int, radii: Array, count: int
) -> tuple[Array, Array]:
    r"""\(\sqrt{N_k}\,E_t[\phi(R t)\,Q_k(t)]\) for k = 0..degrees (rows) and the given radii R (columns), and E_t[phi^2].

    Examples
    --------
    >>> found, moment = amplitudes(np.square, 3, 2, np.array([1.0]), 4)
    >>> found[:, 0] ** 2, moment  # t^2 = 1/3 Q_0 + 2/3 Q_2
    (array([0.11111111, 0.        , 0.08888889]), array([0.2]))
    """
    t, root = angular_rule(d, count)
    outer = np.multiply.outer(t, radii)
    forward, backward = function(outer) * root[:, None], function(-outer) * root[:, None]
    # Each polynomial is even or odd: half of the sphere is enough.
    halves = (forward + backward) / 2, (forward - backward) / 2
    up, down = recurrence(d, degrees + 1)
    beta = np.sqrt(up[:-1] * down[1:])
    result = np.empty((degrees + 1, len(radii)))
    # Weighted by the root of the density, the orthonormal polynomials stay in range.
    before, now = np.zeros_like(t), root
    for k in range(degrees + 1):
        result[k] = now @ halves[k % 2]
        before, now = now, (t * now - (beta[k - 1] * before if k else 0.0)) / beta[k]
    return result, np.sum(halves[0] ** 2 + halves[1] ** 2, axis=0)


def second_moment(function: Callable[[Array], Array], d: int, radii: Array, count: int) -> float:
    """E[phi(R t)^2], the radii in the place of those of `radial_rule`.

    Examples
    --------
    >>> R, _ = radial_rule(10)
    >>> print(f"{second_moment(np.square, 10, R, 4):.12f}")  # E[z^4]
    3.000000000000
    """
    t, root = angular_rule(d, count)
    outer = np.multiply.outer(t, radii)
    return float(root**2 @ ((function(outer) ** 2 + function(-outer) ** 2) / 2) @ radial_rule(d)[1])


def angular_rule(d: int, count: int) -> tuple[Array, Array]:
    """Nodes t > 0 and roots of weights, for the first coordinate of a uniform point; of both signs, they sum to 1."""
    reach = np.pi / 2 if d == 2 else min(np.pi / 2, REACH / np.sqrt(d - 2))
    psi, weight = composite(0.0, reach, count)
    t = np.sin(psi)
    # A rounded cosine to a power of thousands would be wrong by as many roundings.
    root = np.sqrt(weight) * np.exp((d - 2) / 4 * np.log1p(-t * t))
    return t, root / np.linalg.norm(root)


def radial_rule(d: int) -> tuple[Array, Array]:
    """Nodes and weights for a chi variable of d degrees of freedom.

    Examples
    --------
    >>> R, w = radial_rule(50)
    >>> print(f"{w @ R**2:.12f}")
    50.000000000000
    """
    middle = np.sqrt(d)
    R, weight = composite(max(0.0, middle - RADIUS), middle + RADIUS, 4)
    exponent = (d - 1) * np.log(R / middle) - (R - middle) * (R + middle) / 2
    weight = weight * np.exp(exponent - np.max(exponent))
    kept = weight > 1e-40 * np.max(weight)
    return R[kept], weight[kept] / np.sum(weight)


def composite(low: float, high: float, count: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on equal panels."""
    x, w = _panel()
    edges = np.linspace(low, high, count + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


@lru_cache(maxsize=1)
def _panel() -> tuple[Array, Array]:
    x, w = np.polynomial.legendre.leggauss(PANEL)
    return x, w


@lru_cache(maxsize=64)
def smooth_pair(activation: Activation) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """phi and phi' as functions of arrays, if phi is continuous and analytic on either side of 0.

    Raises
    ------
    InputError
        If it is not.

    Examples
    --------
    >>> from derivations import activation
    >>> smooth_pair(activation("step"))
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: activation must be continuous for its slope to have second moments, got step
    """
    if not activation.is_continuous:
        raise InputError(
            f"activation must be continuous for its slope to have second moments, got {activation.name}"
        )
    if activation.phi.has(*PIECEWISE) and not activation.has_normal_form:
        raise InputError(f"activation must be analytic on either side of 0, got {activation.name}")
    value, slope = activation_functions(activation)
    assert slope is not None  # it is continuous
    return value, slope


@lru_cache(maxsize=1024)
def panels(activation: Activation, d: int) -> int:
    """How many panels of the angle give second moments that more panels do not change."""
    count = 4
    with np.errstate(over="ignore", invalid="ignore"):
        found = _moments(activation, d, count)
        while count < FINEST:
            count *= 2
            coarse, found = found, _moments(activation, d, count)
            if np.all(np.abs(found - coarse) <= ALIASED * found):
                return count // 2
    raise InputError(
        f"activation is too rough or grows too fast for its moments to be integrated: {activation.name}"
    )


@lru_cache(maxsize=1024)
def _moments(activation: Activation, d: int, count: int) -> Array:
    radii, _ = radial_rule(d)
    return np.array([second_moment(function, d, radii, count) for function in smooth_pair(activation)])
