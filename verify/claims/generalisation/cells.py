"""What A19 is judged on: both networks' descents on the same rows, targets and step size, drawn again and again."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from derivations.errors import InputError
from derivations.numeric import KernelFunction, SeriesKernel, kernel_function
from derivations.threads import one_blas_thread
from verify.activations import Array
from verify.claims.spectrum.cells import MOST
from verify.generalisation import Descents, follow
from verify.inputs import read_input
from verify.labels import real_labels
from verify.samples import Sample, fresh_samples, resplit
from verify.streams import seed_sequence
from verify.trained_generalisation import follow_trained

NETWORKS = ("relu", "reglu")
SOON, LATE = 0.1, 0.03
STEPS = tuple(sorted({*range(8), *np.geomspace(8, 320, 32).astype(int).tolist()}))
"""At which errors of trained networks are taken: of neighbouring ones the errors differ by a tenth."""
TARGETS = {
    "linear": ("linear", "relu", 0.0),
    "linear, with noise": ("linear", "relu", 0.5),
    "of a ReLU network": ("network", "relu", 0.0),
    "of a ReGLU network": ("network", "reglu", 0.0),
    "noise": ("normal", "relu", 0.0),
}
"""Kind of labels, teacher, variance of the noise."""


@dataclass(frozen=True)
class Compared:
    """Both networks on the same draws.

    Attributes
    ----------
    saved : (s,) float
        log(t / t~), positive where the gated network is faster.
    gaps : dict of str to (s, 2) float
        At the moments named: plain, gated.
    """

    saved: Array
    gaps: dict[str, Array]


@dataclass(frozen=True)
class GapCell:
    """Rows, teacher and first outputs of one size and kind, drawn `draws` times; networks are trained if `seeds` is not 0.

    Attributes
    ----------
    targets : str
        One of `TARGETS`.
    n, d, width : int
        Rows to train on, columns, neurons; there are `test` rows to test.
    draws, seeds, test : int
    """

    targets: str
    n: int
    d: int
    width: int
    draws: int
    seeds: int = 0
    test: int = 100

    @property
    def name(self) -> str:
        """Key of the cell's random numbers: stable, whatever else is run."""
        kind = "trained" if self.seeds else "kernels"
        return f"generalisation/{kind}/{self.targets}/n={self.n}/d={self.d}/m={self.width}"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        trained = self.seeds * self.n * self.d * self.width * STEPS[-1] / 2e8
        return 1 + int(self.draws * (2 + (self.n + self.test) ** 2 / 1e3 + trained) / 20)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> Compared:
        """Of `factor` times the draws, 1 to `MOST` times."""
        draws = round(self.draws * min(max(factor, 1.0), MOST))
        key = seed_sequence(seed, zlib.crc32(self.name.encode()))
        kind, teacher, noise = TARGETS[self.targets]
        samples = list(
            fresh_samples(
                "gaussian", self.d, kind, self.n, self.test, draws, key, teacher=teacher, noise=noise
            )
        )
        # On small matrices a BLAS with several threads mostly waits for them.
        with one_blas_thread():
            exact = _followed(samples, self.width)
            if not self.seeds:
                gaps = {"training error 10 %": exact.gap_there[..., 0], "convergence": exact.gap[..., -1]}
                return Compared(_saved(exact.reached[..., 0]), gaps)
            rates = 1 / exact.largest.max(axis=1)
            networks = seed_sequence(key, 0, 0)
            trained = follow_trained(
                NETWORKS, samples, self.width, rates, STEPS, (SOON, LATE), self.seeds, networks
            )
        gaps = {
            "training error 10 %": trained.gap_there[..., 0],
            "training error 3 %": trained.gap_there[..., 1],
        }
        return Compared(_saved(trained.reached[..., 0]), gaps)


@dataclass(frozen=True)
class RealCell:
    """A real data set, standardised rows of length sqrt(d), split again and again."""

    target: str
    train: int
    test: int
    width: int
    splits: int

    @property
    def name(self) -> str:
        """As `GapCell`."""
        return f"generalisation/kernels/{self.target}/n={self.train}/m={self.width}"

    @property
    def thousands(self) -> int:
        """As `GapCell`."""
        return 1 + int(self.splits * (self.train + self.test) ** 2 / 2e4)

    def measure(self, seed: np.random.SeedSequence, _: float) -> Compared | None:
        """None without scikit-learn. Splits share rows: there are as many at every `factor`."""
        try:
            X, Y = read_input(self.target.partition(":")[0], "normalize"), real_labels(self.target)
        except InputError:
            return None
        key = seed_sequence(seed, zlib.crc32(self.name.encode()))
        found = _followed(list(resplit(X, Y, self.train, self.test, self.splits, key)), self.width)
        gaps = {"training error 10 %": found.gap_there[..., 0], "convergence": found.gap[..., -1]}
        return Compared(_saved(found.reached[..., 0]), gaps)


def _followed(samples: Sequence[Sample], width: int) -> Descents:
    kernels, starts = kernels_and_starts(width)
    return follow(kernels, starts, samples, (np.inf,), (SOON,))


@lru_cache(maxsize=8)
def kernels_and_starts(
    width: int,
) -> tuple[list[KernelFunction | SeriesKernel], list[KernelFunction | SeriesKernel]]:
    """NTKs, and covariances of first outputs."""
    return (
        [kernel_function(name, width=width) for name in NETWORKS],
        [kernel_function(name, "nngp") for name in NETWORKS],
    )


def _saved(reached: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.log(reached[:, 0] / reached[:, 1]))


SMALL = tuple(GapCell("linear", n, 2, width, 60, test=20) for n in (2, 3, 4, 8) for width in (1, 64))
"""Where the smallest counterexamples are looked for."""
LARGE = tuple(GapCell(targets, 100, 20, 300, 24) for targets in TARGETS)
TRAINED = (
    GapCell("linear", 64, 8, 128, 24, seeds=1),
    *(GapCell(targets, 40, 20, 160, 24, seeds=1, test=60) for targets in ("of a ReLU network", "noise")),
)
MORE = tuple(GapCell(targets, 300, 100, 1000, 24) for targets in TARGETS)
MORE_TRAINED = tuple(GapCell(targets, 60, 20, 1024, 24, seeds=1) for targets in TARGETS)
REAL = tuple(RealCell(target, 200, 200, 1000, 20) for target in ("digits:parity", "digits:3", "diabetes"))
