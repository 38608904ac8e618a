r"""Gaussian expectations by quadrature: an oracle that shares no code with the derivations.

\[ E[f(u_1)g(u_2)] = \int f(s_1 x)\,\varphi(x) \int g\big(s_2(\rho x + \sqrt{1-\rho^2}\,y)\big)\varphi(y)\,dy\,dx \]

by Gauss-Legendre panels that end at the kinks: the inner integrals at that of g, the outer one at that of f.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from verify.activations import Array

_NODES = 96
# Beyond 9.5 deviations the Gaussian is below 1e-20.
_CUT = 9.5


def expectation(
    f: Callable[[Array], Array], g: Callable[[Array], Array], s_1: float, s_2: float, rho: float
) -> float:
    r"""\(E[f(u_1) g(u_2)]\) for deviations s_1, s_2 and correlation rho; f and g may have a kink or jump at 0.

    Parameters
    ----------
    f, g : callable
        Elementwise on float64 arrays, smooth on either side of 0, of at most polynomial growth.
    s_1, s_2, rho : float
        Positive deviations; correlation in [-1, 1].

    Returns
    -------
    float
        Right to about 1e-13 of sqrt(E[f^2] E[g^2]).

    Source: derived here.

    Examples
    --------
    >>> step = lambda z: np.heaviside(z, 0.5)
    >>> round(expectation(step, step, 1.0, 1.0, 0.5), 12)  # 1/4 + arcsin(1/2) / (2 pi)
    0.333333333333
    """
    orthogonal = np.sqrt((1 - rho) * (1 + rho))
    # The inner integral turns from one side of the kink to the other while x crosses +-8 orthogonal / rho.
    bend = float(np.clip(8 * orthogonal, 1e-3, 1.0))
    x, weight_x = _panels(np.array([[-_CUT, -bend, -bend / 8, 0.0, bend / 8, bend, _CUT]]))
    x, weight_x = x[0], weight_x[0] * f(s_1 * x[0]) * _density(x[0])
    if orthogonal == 0:
        return float(weight_x @ g(s_2 * rho * x))
    kink = np.clip(-rho * x / orthogonal, -_CUT, _CUT)
    edges = np.stack([np.full_like(x, -_CUT), kink, np.full_like(x, _CUT)], axis=1)
    y, weight_y = _panels(edges)
    values = g(s_2 * (rho * x[:, None] + orthogonal * y)) * _density(y)
    return float(weight_x @ np.sum(weight_y * values, axis=1))


def _panels(edges: Array) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights between consecutive edges : (rows, panels * nodes) each."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    left, right = edges[:, :-1, None], edges[:, 1:, None]
    half = (right - left) / 2
    shape = len(edges), -1
    return (left + half * (nodes + 1)).reshape(shape), (half * weights).reshape(shape)


def _density(z: Array) -> Array:
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
