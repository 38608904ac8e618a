"""What is to be learned: a random polynomial with a given energy in every degree, and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from derivations.arguments import shown
from derivations.errors import InputError
from derivations.spectrum.harmonics import Array

HIGHEST = 16
LARGEST = 1e12


@dataclass(frozen=True)
class Teacher:
    r"""\(y = \sum_k f_k(x) + \varepsilon\), f_k a harmonic polynomial of degree k, homogeneous of degree k in x.

    Attributes
    ----------
    energies : tuple of float
        E f_k(x)^2 for k = 1, 2, ... in this order, over the inputs.
    noise : float
        Variance of \(\varepsilon\).

    Examples
    --------
    >>> Teacher((0.5, 0.5)).energy
    1.0
    >>> Teacher((0.0, -1.0))
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: teacher must be 1 to 16 energies from 0 to 1e+12, not all 0, got (0.0, -1.0)
    """

    energies: tuple[float, ...]
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not (
            isinstance(self.energies, Sequence)
            and 1 <= len(self.energies) <= HIGHEST
            and all(map(_is_energy, self.energies))
            and any(self.energies)
        ):
            raise InputError(
                f"teacher must be 1 to {HIGHEST} energies from 0 to {LARGEST:g}, not all 0, got {shown(self.energies)}"
            )
        if not _is_energy(self.noise):
            raise InputError(f"noise must be a variance from 0 to {LARGEST:g}, got {shown(self.noise)}")

    @property
    def energy(self) -> float:
        """Of all degrees: the test error of a network that says 0."""
        return float(sum(self.energies))

    def by_degree(self, count: int) -> Array:
        """Energies of the degrees 0..count - 1."""
        found = np.zeros(max(count, len(self.energies) + 1))
        found[1 : len(self.energies) + 1] = self.energies
        return found


def _is_energy(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= LARGEST
