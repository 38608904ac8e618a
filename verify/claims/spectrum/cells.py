"""Measured extreme eigenvalues: random data, and on each draw the kernels of all rungs of both networks."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from verify.activations import Array
from verify.claim import RUNGS
from verify.claims.spectrum.matrices import NETWORKS, exact_kernel, of_network, simplified
from verify.inputs import generate
from verify.streams import seed_sequence

MOST = 4.0
"""Draws are multiplied by a profile's factor up to this, and are never fewer: few draws have no error bar."""
_STACK = 64
"""Rows of small data sets that one call of a kernel takes: the call costs more than their entries."""


@dataclass(frozen=True)
class Spectra:
    """Extreme eigenvalues over draws of random data, and of a network each on the finite rung.

    Attributes
    ----------
    values : dict of str to (2, s, 2) float
        By rung: of the plain and of the gated network, in every draw, lambda_n and lambda_1. Draws are paired: all
        have the same data, and both networks the same w and a. NaN of a network that was not measured.

    Eigenvalues below n roundings of the largest are 0.
    """

    values: dict[str, Array]

    def smallest(self, rung: str, name: str) -> Array:
        """lambda_n in every draw : (s,) float."""
        return np.asarray(self.values[rung][NETWORKS.index(name), :, 0])

    def largest(self, rung: str, name: str) -> Array:
        """lambda_1 in every draw : (s,) float."""
        return np.asarray(self.values[rung][NETWORKS.index(name), :, 1])


@dataclass(frozen=True)
class SpectrumCell:
    """The spectra at one size.

    Attributes
    ----------
    n, d, width : int
    draws : int
        Of the data and the network, in the quick profile.
    rungs : tuple of str
        Whose kernels are measured.
    data : str
        ``gaussian``, or ``sphere``: the same rows scaled to |x|^2 = d.
    networks : tuple of str
        Whose kernels are measured.
    """

    n: int
    d: int
    width: int
    draws: int
    rungs: tuple[str, ...] = RUNGS
    data: str = "gaussian"
    networks: tuple[str, ...] = NETWORKS

    @property
    def name(self) -> str:
        """What progress reports call it."""
        return self._key if self.data == "gaussian" else f"{self._key}/{self.data}"

    @property
    def _key(self) -> str:
        """Of the cell's random numbers: stable, whatever else is run, and the same for both kinds of data."""
        return f"spectrum/n={self.n}/d={self.d}/m={self.width}"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        operations = self.n**2 * (10 * self.n + ("finite" in self.rungs) * 8 * self.width)
        return 1 + int(self.draws * operations / 2e7)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> Spectra:
        """The spectra of `factor` times the draws, 1 to `MOST` times."""
        draws = round(self.draws * min(max(factor, 1.0), MOST))
        key = zlib.crc32(self._key.encode())
        values = {rung: np.full((len(NETWORKS), draws, 2), np.nan) for rung in self.rungs}
        together = max(1, _STACK // self.n)
        for start in range(0, draws, together):
            chosen = range(start, min(start + together, draws))
            X = np.stack([self._rows(np.random.default_rng(seed_sequence(seed, key, s, 0))) for s in chosen])
            for rung in self.rungs:
                for name in self.networks:
                    kernels = self._kernels(rung, name, X, [seed_sequence(seed, key, s, 1) for s in chosen])
                    values[rung][NETWORKS.index(name), chosen.start : chosen.stop] = _extremes(kernels)
        return Spectra(values)

    def _rows(self, rng: np.random.Generator) -> Array:
        return generate(self.data, self.n, self.d, rng)

    def _kernels(self, rung: str, name: str, X: Array, keys: list[np.random.SeedSequence]) -> Array:
        """Of every data set, X : (s, n, d)."""
        if rung == "simplified":
            return np.stack([simplified(name, rows, self.width) for rows in X])
        if rung == "finite":
            return np.stack(
                [of_network(name, rows, self.width, key) for rows, key in zip(X, keys, strict=True)]
            )
        K = exact_kernel(name, self.width)(X.reshape(-1, self.d))
        own = range(0, len(K), self.n)
        return np.stack([K[start : start + self.n, start : start + self.n] for start in own])


def _extremes(kernels: Array) -> Array:
    """lambda_n and lambda_1 of every kernel : (s, 2)."""
    values = np.linalg.eigvalsh(kernels)[:, [0, -1]]
    rounding = kernels.shape[1] * np.finfo(float).eps * values[:, 1]
    values[values[:, 0] <= rounding, 0] = 0.0
    return np.asarray(values)
