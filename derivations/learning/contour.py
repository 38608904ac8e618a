r"""Gradient descent as an average over resolvents: nodes z_i and weights w_i of a contour around the spectrum.

After t steps at rate \(\eta\) a mode of eigenvalue u has the share \((1 - \eta u)^t\) of its target left, after kernel
ridge regression with ridge -z the share \(-z/(u - z)\), and by Cauchy's theorem

\[ (1 - \eta u)^t = \frac{1}{2\pi i}\oint \frac{(1-\eta z)^t}{z}\;\frac{-z}{u - z}\,dz, \]

the same for all u inside. The contour is a lens of two arcs through \(z = -2/(\eta t)\) and \(z = 2/\eta\): with
\(\frac{\eta z + 2/t}{2 - \eta z} = e^{x + i\varphi}\) it is a line, and equal steps of x converge exponentially.

Source: derived here; the trapezoidal rule on such lines, Trefethen and Weideman 2014, SIAM Review 56.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.spectrum.harmonics import Array, Numbers

ANGLE, STEP, COARSE = np.pi / 4, 0.3, 0.4
r"""The spectrum is \(\varphi\) away in the plane of x, as is the half plane where (1 - eta z)^t is large: the rule's error is
exp(-2 pi ANGLE / STEP), 7e-8, and 4e-6 if coarse."""
RIGHT = 2.0


@dataclass(frozen=True)
class Contour:
    """The upper half of the contour; the lower one is its complex conjugate.

    Attributes
    ----------
    nodes : (p,) complex
        eta z.
    weights : (p,) complex
        So that 2 Re sum_i weights_i e(z_i) is the integral of (1 - eta z)^t e(z) / z over 2 pi i, e real on the real axis.
    """

    nodes: Numbers
    weights: Numbers


def descent_contour(steps: int, step: float = STEP) -> Contour:
    r"""Gradient descent of so many steps, for spectra with \(0 \le \eta u \le 1\) and somewhat beyond.

    Parameters
    ----------
    steps : int
    step : float
        Of the trapezoidal rule.

    Examples
    --------
    >>> found = descent_contour(10)
    >>> u = 0.3
    >>> left = 2 * np.real(found.weights @ (-found.nodes / (u - found.nodes)))
    >>> print(f"{left:.6f} {0.7**10:.6f}")
    0.028247 0.028248
    """
    tip = 2.0 / steps
    # Cut where what is left of the line, at either tip, is as small as the rule's error.
    ends = np.exp(-2 * np.pi * ANGLE / step)
    x = np.arange(np.log(ends * tip), -np.log(ends), step)
    grown = np.exp(x + 1j * ANGLE)
    nodes = (RIGHT * grown - tip) / (1 + grown)
    # Left to right above the axis is clockwise.
    length = -(RIGHT + tip) * grown / (1 + grown) ** 2 * step
    left = np.exp(steps * np.log1p(-nodes))
    return Contour(nodes, left * length / (2j * np.pi * nodes))


def filtered(contour: Contour, errors: Numbers, mixed: Numbers) -> float:
    """Sum of a bilinear quantity over pairs of nodes of the whole contour.

    Parameters
    ----------
    contour : Contour
    errors : (p, p) complex
        At (z_i, z_j).
    mixed : (p, p) complex
        At z_i and the conjugate of z_j.
    """
    w = contour.weights
    return float(2 * np.real(w @ errors @ w + w @ mixed @ np.conj(w)))


def remaining(steps: int, share: Array) -> Array:
    """(1 - eta u)^t at eta u = share, in [0, 1].

    Examples
    --------
    >>> remaining(2, np.array([0.5, 1.0]))
    array([0.25, 0.  ])
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(steps * np.log1p(-share)))
