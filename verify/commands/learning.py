"""What `gluntk compare` and `gluntk design` are asked: rows, a teacher, steps; and gradient descent on draws of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from derivations.arguments import check_choice, check_positive_integer
from derivations.errors import InputError
from derivations.learning import Teacher
from derivations.learning.law import check_steps
from verify.gradient_descent import Kernel, MeasuredErrors, measured_errors
from verify.inputs import DISTRIBUTIONS

LARGEST_DENSE = 4000
"""Rows of the largest matrix for which gradient descent is done."""


@dataclass(frozen=True)
class LearningRequest:
    """The options that say what is learned, from what, and for how long."""

    n: int | None
    d: int | None
    width: int | None
    data: str
    steps: str
    teacher: str
    noise: float
    draws: int
    seed: int

    def check(self) -> tuple[int, int]:
        """n and d, all numbers being in range.

        Raises
        ------
        InputError
            If one is missing or out of range.
        """
        for name, value in (("n", self.n), ("d", self.d)):
            if value is None:
                raise InputError(f"{name} is needed")
            check_positive_integer(value, name)
        if self.width is not None:
            check_positive_integer(self.width, "width")
        check_choice(self.data, "data", DISTRIBUTIONS)
        if self.seed < 0:
            raise InputError(f"seed must be a whole number, 0 or larger, got {self.seed}")
        if self.draws < 0 or self.draws == 1:
            raise InputError(f"draws must be 0, or at least 2 for a standard error, got {self.draws}")
        assert self.n is not None
        assert self.d is not None
        if self.draws and self.n > LARGEST_DENSE:
            raise InputError(
                f"draws must be 0 beyond n = {LARGEST_DENSE}: real gradient descent needs the kernel matrix"
            )
        return self.n, self.d

    def energies(self) -> Teacher:
        """The teacher."""
        return Teacher(numbers(self.teacher, "teacher"), self.noise)

    def numbers_of_steps(self) -> tuple[int, ...]:
        """Ascending."""
        found = numbers(self.steps, "steps")
        if any(value != int(value) for value in found):
            raise InputError(f"steps must be whole numbers separated by commas, got {self.steps!r}")
        return check_steps(sorted({int(value) for value in found}))

    def measure(self, kernels: Sequence[Kernel]) -> list[MeasuredErrors]:
        """Real gradient descent of each kernel on the same draws."""
        n, d = self.check()
        teacher = self.energies()
        rng = np.random.SeedSequence(self.seed, spawn_key=(3,))
        return measured_errors(
            kernels,
            teacher.energies,
            teacher.noise,
            n,
            d,
            self.numbers_of_steps(),
            self.data,
            self.draws,
            rng,
        )


def numbers(text: str, name: str) -> tuple[float, ...]:
    """Numbers separated by commas.

    Examples
    --------
    >>> numbers("0.5, 1", "teacher")
    (0.5, 1.0)
    >>> numbers("a", "teacher")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: teacher must be numbers separated by commas, got 'a'
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = (np.nan,)
    if not np.all(np.isfinite(found)):
        raise InputError(f"{name} must be numbers separated by commas, got {text!r}")
    return found
