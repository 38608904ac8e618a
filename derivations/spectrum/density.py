r"""The whole density of eigenvalues that the equation of `derivations.spectrum.fixed_point` implies.

\[ \varrho(x) = \frac1\pi\,\mathrm{Im}\,\frac1n\sum_i \frac{1}{t_i\,b(a) - x},\qquad
   a = \frac1n\sum_i \frac{t_i}{t_i\,b(a) - x},\quad \mathrm{Im}\,a > 0. \]

Far above the real axis the equation is a contraction; from there Newton's method follows its solution down. Degree 0,
a single eigenvalue, is left out. Points are added where mass is, until no interval holds much of it.

Source: derived here; Silverstein and Choi 1995 for equal degrees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derivations.spectrum.fixed_point import FixedPoint
from derivations.spectrum.harmonics import Array, Numbers

# Heights above the axis, relative to x: the last one blurs by 1e-7.
HIGHEST, LOWEST, FACTOR = 10.0, 1e-7, 0.25
NEWTON, CONVERGED = 12, 1e-10
COARSE, CLUSTER, ROUNDS = 120, 40, 9
MOST_PER_INTERVAL = 1 / 250
"""Share of all eigenvalues, and of their sum, that one interval may hold."""


@dataclass(frozen=True)
class Density:
    """A density of eigenvalues at points of the line, and an atom at 0.

    Attributes
    ----------
    x : (p,) float
        Ascending.
    density : (p,) float
        Eigenvalues per unit, all of them counted as 1.
    atom : float
        Share of eigenvalues that are 0.
    trace : float
        What the mean should be.
    """

    x: Array
    density: Array
    atom: float
    trace: float

    @property
    def mass(self) -> float:
        """The sum of all shares, 1 but for the rule of trapezia."""
        return self.atom + float(np.sum(self._shares))

    @property
    def mean(self) -> float:
        """The mean eigenvalue, which should be `trace`."""
        return float(self._shares @ (self.x[1:] + self.x[:-1]) / 2)

    def cumulative(self, x: Array) -> Array:
        """The share of eigenvalues up to x."""
        return self.atom + np.interp(x, self.x, np.append(0.0, np.cumsum(self._shares)))

    @property
    def _shares(self) -> Array:
        """Of the intervals between the points."""
        return np.asarray(np.diff(self.x) * (self.density[1:] + self.density[:-1]) / 2)


def bulk_density(equation: FixedPoint, n: int, dimensions: float) -> Density:
    """The density of the n eigenvalues that `equation` describes.

    Parameters
    ----------
    equation : FixedPoint
        Without degree 0.
    n : int
    dimensions : float
        How many harmonics the equation's degrees have; with fewer than n there is an atom at 0.

    Examples
    --------
    >>> from derivations.spectrum.rows import EQUAL
    >>> halves = FixedPoint(np.ones(1), np.full(1, 2.0), 0.0, EQUAL)  # Marchenko-Pastur, 1 feature for 2 rows
    >>> found = bulk_density(halves, n=1000, dimensions=500)
    >>> print(f"{found.atom} {found.mass:.3f} {found.mean:.3f}")
    0.5 1.000 1.000
    """
    trace = (float(np.sum(equation.masses)) + equation.rest) * equation.rows.mean
    atom = max(0.0, 1 - dimensions / n)
    return refined(lambda x: densities(equation, x), hints(equation), atom, trace)


def refined(at: Callable[[Array], Array], x: Array, atom: float, trace: float) -> Density:
    """A density that is known at any points, at some first ones and more where mass is."""
    density = at(x)
    for _ in range(ROUNDS):
        # Of the eigenvalues and of their sum.
        mass = np.diff(x) * np.maximum(density[1:], density[:-1]) * np.maximum(1, x[1:] / trace)
        inserted = np.nonzero((mass > MOST_PER_INTERVAL) | _bends(x, density, mass))[0]
        if not len(inserted):
            break
        middle = (x[inserted] + x[inserted + 1]) / 2
        order = np.argsort(np.append(x, middle))
        x, density = np.append(x, middle)[order], np.append(density, at(middle))[order]
    return Density(x, density, atom, trace)


def densities(equation: FixedPoint, x: Array) -> Array:
    """The density at points x > 0."""
    height = HIGHEST
    a = -equation.rows.mean / (x * (1 + 1j * height))
    while height > LOWEST:
        height *= FACTOR
        a = _newton(equation, x * (1 + 1j * height), a)
    return _stieltjes(equation, x * (1 + 1j * height), a).imag / np.pi


def _stieltjes(equation: FixedPoint, z: Numbers, a: Numbers) -> Numbers:
    t, w = equation.rows.values, equation.rows.shares
    return np.asarray((1 / (np.multiply.outer(equation.b(a), t) - z[:, None])) @ w)


def _newton(equation: FixedPoint, z: Numbers, a: Numbers) -> Numbers:
    t, w = equation.rows.values, equation.rows.shares
    for _ in range(NEWTON):
        G = 1 / (np.multiply.outer(equation.b(a), t) - z[:, None])
        residual = G @ (w * t) - a
        # d/da of t G is t^2 G^2 times -b'.
        step = residual / (1 - (G**2 @ (w * t**2)) * equation.slope(a))
        moved = a + step
        # The solution lies above the axis: a step across it goes half of the way there.
        a = np.where(moved.imag > 0, moved, moved.real + 0.5j * a.imag)
        if np.all(np.abs(step) <= CONVERGED * np.abs(a)):
            break
    return a


def hints(equation: FixedPoint) -> Array:
    """Points on a logarithmic scale from edge to edge, and more where a degree has a cluster of its own."""
    low = equation.left_edge().z if _resolves(equation) else 0.0
    return hints_between(equation, low, equation.right_edge().z)


def hints_between(equation: FixedPoint, low: float, high: float) -> Array:
    """`hints`, between edges that are known."""
    x = [np.geomspace(max(low, 1e-12 * high) * 0.98, high * 1.02, COARSE)]
    spread = equation.rows.shares @ equation.rows.values**2 / equation.rows.mean**2
    for mass, tau in zip(equation.masses, equation.tau, strict=True):
        features = mass / tau  # N_k / n
        if features < 1:
            width = min(4 * np.sqrt(features * spread), 1.0)
            center = tau * equation.rows.mean + equation.rest
            x.append(center * (1 + width * np.linspace(-1, 1, CLUSTER)))
    points = np.unique(np.concatenate(x))
    return np.asarray(points[(points > 0) & (points >= low * 0.98) & (points <= high * 1.02)])


def _resolves(equation: FixedPoint) -> bool:
    """Whether there are more features than rows, so that the bulk ends above 0."""
    return bool(equation.rest > 0 or np.sum(equation.masses / equation.tau) > 1)


def _bends(x: Array, density: Array, mass: Array) -> NDArray[np.bool_]:
    """Intervals at whose ends the density differs much, and that hold a mass worth the effort."""
    low, high = np.minimum(density[1:], density[:-1]), np.maximum(density[1:], density[:-1])
    return (low < 0.7 * high) & (mass > MOST_PER_INTERVAL / 20)
