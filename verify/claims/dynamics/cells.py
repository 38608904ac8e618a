"""What the measurements of the training loss have in common: a size, draws of the rows, and a key."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from verify.activations import Array
from verify.claims.spectrum.cells import MOST
from verify.inputs import generate
from verify.streams import seed_sequence


@dataclass(frozen=True)
class SizedCell:
    """A size, and how often it is drawn in the quick profile.

    Attributes
    ----------
    n, d, width : int
    draws : int
    """

    kind: ClassVar[str]
    n: int
    d: int
    width: int
    draws: int

    @property
    def name(self) -> str:
        """Key of the cell's random numbers: stable, whatever else is run."""
        return f"{self.kind}/n={self.n}/d={self.d}/m={self.width}"

    @property
    def size(self) -> str:
        """For a sentence."""
        return f"n = {self.n}, d = {self.d}, m = {self.width}"

    def number(self, factor: float) -> int:
        """`factor` times the draws, 1 to `MOST` times."""
        return round(self.draws * min(max(factor, 1.0), MOST))

    def stream(self, seed: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
        """Of the cell, below `seed`."""
        return seed_sequence(seed, zlib.crc32(self.name.encode()), *key)

    def rows(self, rng: np.random.Generator) -> Array:
        """Gaussian rows of this size : (n, d) float."""
        return generate("gaussian", self.n, self.d, rng)
