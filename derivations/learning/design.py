r"""The kernel that learns best: nonnegative power coefficients with the least test error after T steps.

Minimising the condition number instead is degenerate: by Schur's bounds \(\rho\,f\) has no larger one than f on the sphere,
so all mass goes to the highest degree, where the kernel is near the identity and learns nothing.

The error is no convex function of the coefficients. Search starts at several profiles, goes down in logarithms of shares
by a quasi-Newton method, then moves mass between pairs of degrees, to 0 where that is better, until no pair gains: the
edge of a spectrum and its outlier change places at kinks, where a gradient method may stop. A test compares with all
profiles of a fine grid.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.learning.contour import COARSE
from derivations.learning.law import check_rows, check_steps, curve_of, largest_eigenvalue
from derivations.learning.profile import power_masses
from derivations.learning.residuals import learner
from derivations.learning.teacher import HIGHEST, Teacher
from derivations.networks import check_gates
from derivations.spectrum.extremes import homogeneous_extremes
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, log_multiplicities
from derivations.spectrum.rows import EQUAL

DEGREES = 8
"""The highest degree of a kernel by default."""
SHORTEST = 1e-6
"""A smaller share of a starting profile is none."""
LOGITS = np.linspace(-9.0, 9.0, 7)
"""Of shares of a pair of degrees, where the search between them starts."""
GAIN, SWEEPS = 1e-4, 6
"""Of the error, relative: pairs are left alone once no one gains this much."""

Objective = Callable[[Array], float]
"""Of coefficients (k,) that sum up to 1."""


@dataclass(frozen=True)
class Design:
    """A kernel sum_j c_j rho^j and what it does.

    Attributes
    ----------
    coefficients : (D + 1,) tuple of float
        c_j, which sum up to 1.
    error : float
        After the steps asked for.
    condition_number : float
        By the sharp law.
    """

    coefficients: tuple[float, ...]
    error: float
    condition_number: float


def best_profile(
    n: int, d: int, steps: int, teacher: Teacher, gates: int = 0, degrees: int = DEGREES
) -> Design:
    """The profile with degrees from `gates` to `degrees` that has the least test error on n rows of the sphere.

    Parameters
    ----------
    n, d : int
        At least 20, and 2.
    steps : int
        T, of gradient descent at the rate 1 / lambda_1.
    teacher : Teacher
    gates : int
        Of the network that is to have this kernel: no lower degrees.
    degrees : int
        At most 16.

    Raises
    ------
    InputError
        For arguments out of range.

    Examples
    --------
    >>> found = best_profile(300, 50, 10, Teacher((1.0,)), degrees=2)
    >>> np.round(found.coefficients, 3)
    array([0., 1., 0.])
    """
    check_rows(n)
    if check_positive_integer(d, "d") < 2:
        raise InputError(f"d must be at least 2, got {d}")
    check_steps([steps])
    check_gates(gates)
    if check_positive_integer(degrees, "degrees") > HIGHEST or degrees < max(gates, 1):
        raise InputError(f"degrees must be from {max(gates, 1)} to {HIGHEST}, got {degrees}")
    objective = descent_objective(n, d, steps, teacher, degrees)
    support = range(gates, degrees + 1)

    def restricted(shares: Array) -> float:
        return objective(np.concatenate([np.zeros(gates), shares]))

    starts = _starts(teacher, support)
    best = min((_descended(restricted, start) for start in starts), key=restricted)
    shares = _exchanged(restricted, best)
    return evaluated(np.concatenate([np.zeros(gates), shares]), n, d, steps, teacher)


def evaluated(coefficients: Array, n: int, d: int, steps: int, teacher: Teacher) -> Design:
    """What a profile does, to full accuracy."""
    expansion = _expander(d, max(len(coefficients) - 1, len(teacher.energies)))(coefficients)
    if not np.any(expansion.masses[1:]):
        return Design(tuple(map(float, coefficients)), teacher.energy, np.inf)
    curve = curve_of(expansion, n, (steps,), teacher)
    found = homogeneous_extremes(expansion, n, EQUAL)
    condition = found.lambda_max / found.lambda_min if found.lambda_min > 0 else np.inf
    return Design(tuple(map(float, coefficients)), curve.errors[0], float(condition))


def descent_objective(n: int, d: int, steps: int, teacher: Teacher, degrees: int) -> Objective:
    """The test error of a profile c_0..c_degrees, to 1e-4 of it."""
    expand = _expander(d, max(degrees, len(teacher.energies)))

    def objective(coefficients: Array) -> float:
        expansion = expand(coefficients)
        if not np.any(expansion.masses[1:]):
            return teacher.energy  # a constant learns none of these degrees
        largest = largest_eigenvalue(expansion, n)
        return learner(expansion, n, EQUAL, 1, teacher).error_of_descent(steps, largest, COARSE)

    return objective


@cache
def _expander(d: int, degrees: int) -> Callable[[Array], GegenbauerExpansion]:
    matrix = np.zeros((degrees + 1, degrees + 1))
    for j in range(degrees + 1):
        matrix[: j + 1, j] = power_masses(j, d)
    logarithms = log_multiplicities(d, degrees)

    def expand(coefficients: Array) -> GegenbauerExpansion:
        return GegenbauerExpansion(d, matrix[:, : len(coefficients)] @ coefficients, logarithms, 0.0)

    return expand


def _starts(teacher: Teacher, support: range) -> list[Array]:
    """All degrees alike; the teacher's energies and a multiple of the identity, nearly."""
    alike = np.ones(len(support))
    energies = teacher.by_degree(support[-1] + 1)[support[0] : support[-1] + 1]
    identity = np.zeros(len(support))
    identity[-1] = 1.0
    found = (alike, energies + identity)
    return [np.asarray(start / np.sum(start)) for start in found]


def _descended(objective: Objective, start: Array) -> Array:
    """From a profile down in logarithms of its shares."""

    def of_logarithms(x: Array) -> float:
        shares = np.exp(x - np.max(x))
        return objective(shares / np.sum(shares))

    x = np.log(np.maximum(start, SHORTEST))
    # Steps of 1e-3: the objective is smooth, but right to 1e-5 only.
    found = minimize(of_logarithms, x, method="L-BFGS-B", options={"eps": 1e-3, "maxiter": 40})
    shares = np.exp(found.x - np.max(found.x))
    return np.asarray(shares / np.sum(shares))


def _exchanged(objective: Objective, shares: Array) -> Array:
    """Mass moved between pairs of degrees until that gains nothing."""
    value = objective(shares)
    for _ in range(SWEEPS):
        before = value
        for i, j in combinations(range(len(shares)), 2):
            if shares[i] + shares[j] > 0:
                shares, value = _pair(objective, shares, value, i, j)
        if value >= (1 - GAIN) * before:
            break
    return shares


def _pair(objective: Objective, shares: Array, value: float, i: int, j: int) -> tuple[Array, float]:
    both = shares[i] + shares[j]

    def split(part: float) -> Array:
        result = shares.copy()
        result[i], result[j] = both * part, both * (1 - part)
        return result

    def at(logit: float) -> float:
        return objective(split(1 / (1 + np.exp(-logit))))

    for part in (0.0, 1.0):
        # None at all is simpler than a trace of it.
        ended = objective(split(part))
        if ended <= value * (1 + GAIN / 10):
            shares, value = split(part), ended
    found = [at(logit) for logit in LOGITS]
    k = int(np.argmin(found))
    if found[k] < value * (1 + 0.01):
        low, high = LOGITS[max(k - 1, 0)], LOGITS[min(k + 1, len(LOGITS) - 1)]
        refined = minimize_scalar(at, bounds=(low, high), method="bounded", options={"xatol": 1e-2})
        if refined.fun < value * (1 - GAIN / 10):
            return split(1 / (1 + np.exp(-refined.x))), float(refined.fun)
    return shares, value
