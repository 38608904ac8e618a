r"""Kernel gradient descent on drawn rows, measured: the test error that a law has to predict.

The network's function after t steps at the rate \(\eta = 1/\lambda_1\) on the rows' squared error, from 0, is

\[ f_t(x) = k(x)^T V\,\frac{1 - (1 - \eta\Lambda)^t}{\Lambda}\,V^T y,\qquad K = V\Lambda V^T, \]

t steps of \(f \leftarrow f + \eta K (y - f)\) at once. Teachers are sums of zonal polynomials around random centres.
This file knows kernels as functions of rows only, and shares no formula with `derivations`.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.special import eval_gegenbauer

from verify.activations import Array
from verify.inputs import generate
from verify.streams import Seed, seed_sequence

CENTRES = 200
"""Zonal polynomials in a teacher's degree: by symmetry the mean error is the same for any number."""
FRESH = 2000

Kernel = Callable[[Array, Array], Array]
"""Of rows (n, d) and (p, d) : (n, p)."""


@dataclass(frozen=True)
class MeasuredErrors:
    """Test errors over draws of rows, teacher and noise.

    Attributes
    ----------
    mean, standard_error : (s,) float
        After each number of steps; the standard error is nan of a single draw.
    draws : int
    """

    mean: Array
    standard_error: Array
    draws: int


def measured_errors(
    kernels: Sequence[Kernel],
    energies: Sequence[float],
    noise: float,
    n: int,
    d: int,
    steps: Sequence[int],
    data: str = "sphere",
    draws: int = 8,
    rng: Seed = 0,
    fresh: int = FRESH,
) -> list[MeasuredErrors]:
    """Gradient descent of several kernels on the same draws.

    Parameters
    ----------
    kernels : sequence of callable
    energies : sequence of float
        Of the teacher's degrees 1, 2, ...
    noise : float
        Variance, of the targets of the n rows.
    n, d : int
    steps : sequence of int
    data : str
        ``"sphere"`` or ``"gaussian"``.
    draws : int
    rng : int or numpy.random.SeedSequence
    fresh : int
        Rows per draw on which errors are measured.

    Examples
    --------
    >>> found = measured_errors([lambda X, Y: X @ Y.T], (1.0,), 0.0, 20, 40, (1000,), draws=20)
    >>> found[0].mean.round(1)  # half of the directions was seen
    array([0.5])
    """
    errors = np.array(
        [
            _draw(
                kernels,
                energies,
                noise,
                n,
                d,
                steps,
                data,
                fresh,
                np.random.default_rng(seed_sequence(rng, draw)),
            )
            for draw in range(draws)
        ]
    )  # (draws, kernels, steps)
    spread = np.full(errors.shape[1:], np.nan) if draws == 1 else errors.std(axis=0, ddof=1) / np.sqrt(draws)
    return [
        MeasuredErrors(mean, error, draws) for mean, error in zip(errors.mean(axis=0), spread, strict=True)
    ]


def _draw(
    kernels: Sequence[Kernel],
    energies: Sequence[float],
    noise: float,
    n: int,
    d: int,
    steps: Sequence[int],
    data: str,
    fresh: int,
    rng: np.random.Generator,
) -> Array:
    X = generate(data, n + fresh, d, rng)
    target = teacher(X, energies, data, rng)
    y = target[:n] + np.sqrt(noise) * rng.standard_normal(n)
    result = []
    for kernel in kernels:
        fitted = descent(kernel(X[:n], X[:n]), kernel(X[n:], X[:n]), y, steps)
        result.append(_mean((fitted - target[n:, None]) ** 2, target[n:] ** 2, float(sum(energies))))
    return np.array(result)


def _mean(squares: Array, control: Array, expected: float) -> Array:
    """Means over rows (p, s) of what goes along with something (p,) whose mean is known: regressed on it."""
    centred = control - np.mean(control)
    slope = centred @ squares / (centred @ centred)
    return np.asarray(np.mean(squares, axis=0) - slope * (np.mean(control) - expected))


@dataclass(frozen=True)
class Modes:
    """A kernel matrix as gradient descent sees it.

    Attributes
    ----------
    values : (n,) float
        Eigenvalues, ascending; 0 of those that are 0 to rounding: modes that are never learned.
    vectors : (n, n) float
    logarithms : (n,) float
        log |1 - eta lambda| <= 0, -inf of what is learned in one step.
    overshoot : (n,) bool
        Whether eta lambda > 1, so that what is missing changes its sign with every step.
    """

    values: Array
    vectors: Array
    logarithms: Array
    overshoot: NDArray[np.bool_]

    @classmethod
    def of(cls, K: Array) -> Modes:
        """At the rate 1 / lambda_1."""
        values, vectors = np.linalg.eigh(K)
        values = np.where(values <= len(K) * np.finfo(float).eps * values[-1], 0.0, values)
        return cls(values, vectors, values, values > 0).at(1 / values[-1] if values[-1] > 0 else 1.0)

    def at(self, rate: float) -> Modes:
        """At a rate below 2 / lambda_1."""
        shares = self.values * rate
        # 1 / lambda_1 times lambda_1 may be above 1 by a rounding, which overshoots by nothing.
        overshoot = shares > 1 + 4 * np.finfo(float).eps
        with np.errstate(divide="ignore"):
            logarithms = np.log1p(-np.where(overshoot, 2.0 - shares, np.minimum(shares, 1.0)))
        return Modes(self.values, self.vectors, logarithms, overshoot)

    def gains(self, steps: Sequence[float]) -> Array:
        """(1 - (1 - eta lambda)^t) / lambda, of a mode that is never learned 0 : (n, s) float; t may be infinite.

        Beyond eta = 1 / lambda_1, t must be whole numbers, or infinite.

        Examples
        --------
        >>> Modes.of(np.diag([0.0, 1.0, 2.0])).gains([1, np.inf])
        array([[0. , 0. ],
               [0.5, 1. ],
               [0.5, 0.5]])
        >>> Modes.of(np.eye(1)).at(1.5).gains([1, 2])  # 1 - (-1/2)^t
        array([[1.5 , 0.75]])
        """
        learned = np.where(self.values > 0, self.values, np.inf)[:, None]
        exponents = self.exponents(steps)
        whole = np.where(np.isfinite(steps), steps, 0.0)
        opposite = np.logical_and.outer(self.overshoot, whole % 2 == 1)
        done = np.where(opposite, 1 + np.exp(exponents), np.abs(np.expm1(exponents)))
        return np.asarray(done / learned)

    def exponents(self, steps: Sequence[float]) -> Array:
        """t log |1 - eta lambda|, 0 at t = 0 and of modes that are never learned : (n, s) float."""
        at = np.asarray(steps, float)
        moving = np.multiply.outer(self.values > 0, at > 0)
        with np.errstate(invalid="ignore"):  # 0 times infinity, in places that are 0
            return np.where(moving, np.multiply.outer(self.logarithms, at), 0.0)


def descent(K: Array, across: Array, y: Array, steps: Sequence[float]) -> Array:
    """Values at fresh rows after each number of steps : (p, s) float, from K (n, n) and the kernel (p, n) with them.

    Examples
    --------
    >>> descent(np.diag([2.0, 1.0]), np.eye(2), np.array([1.0, 1.0]), [1, 2])
    array([[0.5 , 0.5 ],
           [0.5 , 0.75]])
    """
    modes = Modes.of(K)
    return np.asarray(across @ (modes.vectors @ (modes.gains(steps) * (modes.vectors.T @ y)[:, None])))


def teacher(X: Array, energies: Sequence[float], data: str, rng: np.random.Generator) -> Array:
    r"""Values of \(\sum_k \beta_k f_k\), f_k = |x|^k sum_i w_i Q_k(cos(x, z_i)) scaled to mean square 1 : (rows,) float."""
    d = X.shape[1]
    lengths = np.linalg.norm(X, axis=1)
    directions = X / lengths[:, None]
    total = np.zeros(len(X))
    for k, energy in enumerate(energies, start=1):
        centres = rng.standard_normal((CENTRES, d))
        centres /= np.linalg.norm(centres, axis=1)[:, None]
        w = rng.standard_normal(CENTRES)
        if energy:
            values = zonal(k, d, directions @ centres.T) @ w
            # E[Q_k(x.z) Q_k(x.z')] = Q_k(z.z') / N_k on the sphere.
            square = w @ zonal(k, d, centres @ centres.T) @ w / harmonics(k, d)
            if data == "gaussian":
                square *= np.prod(d + 2.0 * np.arange(k))  # E |x|^2k
                values = values * lengths**k
            total += np.sqrt(energy / square) * values
    return total


def zonal(k: int, d: int, cosine: Array) -> Array:
    """The Legendre polynomial of degree k in d dimensions, 1 at 1; on the circle Chebyshev's.

    Examples
    --------
    >>> zonal(2, 3, np.array([1.0, 0.0])), zonal(2, 2, np.array([0.0]))
    (array([ 1. , -0.5]), array([-1.]))
    """
    if d == 2:
        return np.asarray(np.cos(k * np.arccos(np.clip(cosine, -1, 1))))
    order = d / 2 - 1
    return np.asarray(eval_gegenbauer(k, order, cosine) / eval_gegenbauer(k, order, 1.0))


def harmonics(k: int, d: int) -> int:
    """Dimension of the harmonic polynomials of degree k in d variables.

    Examples
    --------
    >>> harmonics(2, 3), harmonics(3, 2)
    (5, 2)
    """
    return comb(d + k - 1, k) - (comb(d + k - 3, k - 2) if k > 1 else 0)
