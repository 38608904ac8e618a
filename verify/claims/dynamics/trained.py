"""Networks of finite width at the start of gradient descent and along it, on drawn rows."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from derivations.dynamics import ExpectedLoss, expected_loss
from verify.activations import Array
from verify.claims.dynamics.cells import SizedCell
from verify.claims.dynamics.descents import kernels, step_size
from verify.claims.spectrum.matrices import NETWORKS
from verify.finite import finite_network
from verify.network_batch import draw_batch, forward, loss_gradient
from verify.streams import seed_sequence
from verify.training import train

RATE = 0.25
"""Of 1 / lambda_1 of the exact kernels: that of a narrow network is several times as large now and then."""
CANDIDATES = 1000
"""Draws of rows and labels among which those are looked for that a cell asks for."""


@dataclass(frozen=True)
class SlopeCell(SizedCell):
    """How fast the losses of networks fall at first, with Y = 0: minus the derivative by eta k is |gradient|^2.

    Every draw of the rows has a network of both kinds.
    """

    kind = "first step"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        return 1 + int(self.draws * self.n * (self.width + 20) / 5e4)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> Array:
        """|f_0|^2 / 2 and |gradient|^2 of both networks in every draw : (2, 2, s) float."""
        draws = self.number(factor)
        found = np.empty((2, len(NETWORKS), draws))
        for draw in range(draws):
            X = self.rows(np.random.default_rng(self.stream(seed, draw, 0)))
            for index, name in enumerate(NETWORKS):
                network = finite_network(name)
                # Equal streams: both networks have the same w and a.
                batch = draw_batch(network, self.d, self.width, [0], self.stream(seed, draw, 1))
                activity = forward(network, batch, X)
                gradient = loss_gradient(network, batch, X, activity, activity.outputs)
                found[0, index, draw] = np.sum(activity.outputs**2) / 2
                found[1, index, draw] = np.sum(gradient.readout**2) + np.sum(gradient.inner**2)
        return found


@dataclass(frozen=True)
class Trained:
    """Networks trained on the same rows and labels, and what their kernels say.

    Attributes
    ----------
    losses : (2, S, s) float
        Of the plain and the gated networks after each number of steps, paired: both have the same w and a at the start.
    X : (n, d) float
    Y : (n,) float
    rate : float
        eta.
    """

    losses: Array
    X: Array
    Y: Array
    rate: float

    def expected(self, width: int) -> list[ExpectedLoss]:
        """By the exact kernels and the covariance of the outputs of networks that are initialised."""
        return _expected(self.X, self.Y, width, self.rate)


@dataclass(frozen=True)
class TrainedCell(SizedCell):
    """Networks of both kinds, `draws` of either, that are really trained on one draw of rows and labels.

    Attributes
    ----------
    steps : tuple of int
        When losses are taken.
    choice : str
        Which rows and labels: ``first``, the first drawn; ``admitted``, the first whose labels satisfy the hypothesis of
        A16 with the exact kernels; ``reversed``, the first of these at which the exact kernels have the plain loss below half
        the gated one after the last of `steps` and later on, and the gated one still above a tenth of its start's.

    Rows and labels are the same at every width, except those that are chosen.
    """

    kind = "trained"
    steps: tuple[int, ...]
    choice: str = "first"

    @property
    def name(self) -> str:
        """Key of the cell's random numbers: stable, whatever else is run."""
        return f"{super().name}/{self.choice}"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        return 1 + int(self.draws * self.n * self.width * self.steps[-1] / 1e6)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> Trained:
        """Of `factor` times the networks, 1 to `MOST` times."""
        count = self.number(factor)
        problem = zlib.crc32(f"rows/n={self.n}/d={self.d}/{self.choice}".encode())
        X, Y, rate = self._problem(seed_sequence(seed, problem))
        losses = [
            train(name, X, Y, self.width, self.steps, rate, count, self.stream(seed, 1)).losses
            for name in NETWORKS
        ]
        return Trained(np.stack(losses), X, Y, rate)

    def _problem(self, seed: np.random.SeedSequence) -> tuple[Array, Array, float]:
        for draw in range(CANDIDATES):
            rng = np.random.default_rng(seed_sequence(seed, draw))
            X, Y = self.rows(rng), rng.standard_normal(self.n)
            K, _ = kernels("exact", X, self.width)
            if self.choice != "first" and Y @ (K[0] - K[1]) @ Y < 0:
                continue
            rate = step_size(K) * RATE
            if self.choice != "reversed":
                return X, Y, rate
            plain, gated = _expected(X, Y, self.width, rate)
            later = [self.steps[-1], 10 * self.steps[-1]]
            # What is left of small losses is that of few networks with slow modes, and their mean has no error bar.
            visible = gated.at(later[:1])[0] > gated.start / 10
            if visible and np.all(plain.log_at(later) < gated.log_at(later) - np.log(2)):
                return X, Y, rate
        raise RuntimeError(f"no rows for {self.name} among {CANDIDATES} draws")


def _expected(X: Array, Y: Array, width: int, rate: float) -> list[ExpectedLoss]:
    return [expected_loss(K, rate, Y, C) for K, C in zip(*kernels("exact", X, width), strict=True)]


def steps_to(last: int, per_decade: int = 4) -> tuple[int, ...]:
    """0, 1 and about equally spaced in the logarithm up to `last`.

    Examples
    --------
    >>> steps_to(100, 2)
    (0, 1, 3, 10, 32, 100)
    """
    count = round(per_decade * np.log10(last)) + 1
    spaced: Sequence[int] = np.geomspace(1, last, count).round().astype(int).tolist()
    return tuple(sorted({0, *spaced}))


SLOPE_CELLS = (SlopeCell(300, 5, 1, 4000), SlopeCell(300, 5, 8, 2000), SlopeCell(300, 50, 100, 200))
FURTHER_SLOPE_CELLS = (SlopeCell(300, 20, 1, 4000), SlopeCell(300, 100, 1, 4000))
LOSS_CELLS = tuple(TrainedCell(10, 5, width, 200, (0, 3, 10, 30, 100)) for width in (100, 300, 1000))
REVERSED_CELL = TrainedCell(6, 5, 128, 64, steps_to(1280), "reversed")
CROSSING_CELLS = (
    TrainedCell(300, 10, 64, 24, steps_to(400), "admitted"),
    TrainedCell(300, 20, 64, 16, steps_to(400), "admitted"),
)
