"""The test error of kernel gradient descent on random rows: the entry point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.learning.residuals import Learner, learner
from derivations.learning.teacher import Teacher
from derivations.networks import TwoLayer
from derivations.spectrum.extremes import Extremes
from derivations.spectrum.fixed_point import fixed_point
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.problem import problem
from derivations.spectrum.rows import EQUAL, RowWeights

MOST_STEPS = 10**8
FEWEST_ROWS = 20
"""A single harmonic is taken to spread over (1 +- n^-1/2)^2 of its eigenvalue, and contours end at 2 lambda_1."""


@dataclass(frozen=True)
class LearningCurve:
    """Mean squared errors on fresh rows without noise.

    Attributes
    ----------
    steps : (s,) tuple of int
    errors : (s,) tuple of float
        After so many steps of gradient descent on the rows' squared error, from 0, at the rate 1 / lambda_max.
    lambda_max : float
        By the sharp law.
    """

    steps: tuple[int, ...]
    errors: tuple[float, ...]
    lambda_max: float


def learning_curve(
    network: TwoLayer | str,
    n: int,
    d: int,
    width: int | None,
    steps: Sequence[int],
    teacher: Teacher,
    data: str = "sphere",
) -> LearningCurve:
    """The test error of the NTK of a network after each number of steps.

    Parameters
    ----------
    network : TwoLayer or str
    n, d : int
        Rows, at least 20, and columns, at least 2.
    width : int or None
        The width m, for the standard parametrization.
    steps : sequence of int
        Positive.
    teacher : Teacher
    data : str
        ``"sphere"``, or ``"gaussian"`` where the activation is homogeneous.

    Raises
    ------
    InputError
        For arguments out of range, or a network or size that the law does not cover.

    Examples
    --------
    >>> curve = learning_curve("reglu", 800, 50, 1000, (1, 10, 100), Teacher((0.5, 0.5)))
    >>> print(" ".join(f"{error:.3f}" for error in curve.errors))
    0.600 0.373 0.281
    """
    asked = problem(network, n, d, width, data)
    check_rows(asked.n)
    if asked.is_coupled:
        raise InputError(
            f"data must be on the sphere for the test error of {asked.network.name}: its activation is not homogeneous"
        )
    power = (asked.network.activation.homogeneity or 1) + asked.network.gates
    return curve_of(asked.expansion, asked.n, check_steps(steps), teacher, asked.rows, power)


def curve_of(
    expansion: GegenbauerExpansion,
    n: int,
    steps: tuple[int, ...],
    teacher: Teacher,
    rows: RowWeights = EQUAL,
    homogeneity: int = 1,
) -> LearningCurve:
    """The same for a kernel by its expansion."""
    found = learner(expansion, n, rows, homogeneity, teacher)
    largest = largest_eigenvalue(expansion, n, rows)
    return LearningCurve(steps, tuple(_error(found, t, largest) for t in steps), largest)


def largest_eigenvalue(expansion: GegenbauerExpansion, n: int, rows: RowWeights = EQUAL) -> float:
    """lambda_max as `derivations.spectrum.extremes` has it, without the other end of the spectrum.

    Examples
    --------
    >>> from derivations.learning.profile import profile_expansion
    >>> print(f"{largest_eigenvalue(profile_expansion((0.0, 1.0), d=50), 400):.1f}")  # (sqrt(8) + 1)^2, and less by chance
    14.3
    """
    bulk = fixed_point(expansion, n, rows, without_constant=True)
    upper, constant = bulk.right_edge(), float(expansion.eigenvalues(n)[0])
    outlier = bulk.z(-1 / constant) if constant * -upper.a > 1 else None
    return Extremes(n, None, upper, outlier).lambda_max


def _error(found: Learner, steps: int, largest: float) -> float:
    # Sums of many nodes round to either side of an error of 0.
    return max(found.error_of_descent(steps, largest), 0.0)


def check_rows(n: int) -> int:
    """n if the law applies: of fewer rows the constant function alone spreads over more than the contour.

    Examples
    --------
    >>> check_rows(19)
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: n must be at least 20 for a test error, got 19
    """
    if check_positive_integer(n, "n") < FEWEST_ROWS:
        raise InputError(f"n must be at least {FEWEST_ROWS} for a test error, got {n}")
    return n


def check_steps(steps: Sequence[int]) -> tuple[int, ...]:
    """Positive whole numbers, at most 1e8.

    Examples
    --------
    >>> check_steps([1, 0])
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: steps must be a positive integer, got 0
    """
    checked = tuple(check_positive_integer(t, "steps") for t in steps)
    if not checked or max(checked) > MOST_STEPS or not np.all(np.diff(np.array(checked)) > 0):
        raise InputError(f"steps must be ascending whole numbers from 1 to {MOST_STEPS:g}, got {list(steps)}")
    return checked
