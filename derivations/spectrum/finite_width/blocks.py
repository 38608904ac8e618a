r"""The blocks of a network's kernel apart, by the length of a neuron's weights inside the activation.

A neuron with \(|w|\) given and directions averaged out has the blocks, on the sphere \(|x|^2 = d\),

\[ V_r = \rho^g\,E_r[\phi\phi]\ \text{(readout, and each gate's gradient)},\qquad
   S_r = \rho^{g+1}\,E_r[\phi'\phi']\ \text{(gradient of w)}, \]

r a node of the law of \(|w|^2\). Averaged over r they are the masses of `derivations.spectrum.gegenbauer`, exactly: the
nodes only share them out.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from derivations.networks import TwoLayer
from derivations.spectrum import gegenbauer
from derivations.spectrum.finite_width.neurons import chi_square_rule
from derivations.spectrum.harmonics import Array, log_multiplicities, times_cosine

RADII = 4


@dataclass(frozen=True)
class Blocks:
    """Masses of the two kinds of blocks, for neurons of each length.

    Attributes
    ----------
    shares : (r,) float
        Of the neurons.
    value, slope : (K + 1, r) float
        Masses of V and S.
    value_rest, slope_rest : (r,) float
        Of all higher degrees.
    log_multiplicities : (K + 1,) float
    """

    shares: Array
    value: Array
    slope: Array
    value_rest: Array
    slope_rest: Array
    log_multiplicities: Array

    @property
    def masses(self) -> Array:
        """Both, (K + 1, 2 r)."""
        return np.hstack([self.value, self.slope])

    @property
    def rests(self) -> Array:
        """Both, (2 r,)."""
        return np.append(self.value_rest, self.slope_rest)


def kernel_blocks(network: TwoLayer, d: int, degrees: int) -> Blocks:
    """The blocks to degree `degrees`.

    Examples
    --------
    >>> from derivations import network
    >>> from derivations.spectrum.gegenbauer import gegenbauer_expansion
    >>> found = kernel_blocks(network("reglu"), 20, 9)
    >>> both = 64 * found.value + 20 * (found.value + found.slope)  # m V + d (V + S)
    >>> np.allclose(both @ found.shares, gegenbauer_expansion(network("reglu"), 20, 64, 9).masses)
    True
    """
    gates, top = network.gates, degrees + 1 + network.gates
    squares, shares = chi_square_rule(d, RADII)
    radii = np.sqrt(d * squares)
    count = gegenbauer.panels(network.activation, d) + top // gegenbauer.DEGREES_PER_PANEL
    functions = gegenbauer.smooth_pair(network.activation)
    masses, rests = [], []
    exact = zip(
        functions,
        gegenbauer.both_masses(network.activation, d, top),
        gegenbauer.both_moments(network.activation, d),
        strict=True,
    )
    for function, averaged, moment in exact:
        found = gegenbauer.amplitudes(function, d, top, radii, count)[0] ** 2
        masses.append(averaged[:, None] * _relative(found, shares))
        moments = np.array([_second_moment(function, d, radius, count) for radius in radii])
        left = np.maximum(moment * _relative(moments, shares) - np.sum(masses[-1], axis=0), 0.0)
        rest = moment - float(np.sum(averaged))
        rests.append(rest * _relative(left, shares) if rest > gegenbauer.ROUNDED * moment else 0 * left)
    value, slope = masses[0], times_cosine(masses[1], d)
    for _ in range(gates):
        value, slope = times_cosine(value, d), times_cosine(slope, d)
    # Beyond `degrees` lies what the factors rho have pushed there.
    value_rest = rests[0] + np.sum(value[degrees + 1 :], axis=0)
    slope_rest = rests[1] + np.sum(slope[degrees + 1 :], axis=0)
    return Blocks(
        shares,
        value[: degrees + 1],
        slope[: degrees + 1],
        value_rest,
        slope_rest,
        log_multiplicities(d, degrees),
    )


def _relative(found: Array, shares: Array) -> Array:
    """Over their mean; 1 where that is 0."""
    mean = found @ shares
    return np.asarray(np.where(mean[..., None] > 0, found, 1.0) / np.where(mean > 0, mean, 1.0)[..., None])


def _second_moment(function: Callable[[Array], Array], d: int, radius: float, count: int) -> float:
    t, root = gegenbauer.angular_rule(d, count)
    x = radius * t
    return float(root**2 @ ((function(x) ** 2 + function(-x) ** 2) / 2))
