"""A17 and A18: who is ahead at last, and whether the losses cross in between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from derivations.dynamics import crossings, late_theorem, reversal
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.sources import STATEMENTS, Statement
from verify.activations import Array
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.dynamics.descents import CELLS, FURTHER_CELLS, KERNEL_RUNGS, Descents, kernels
from verify.claims.dynamics.trained import CROSSING_CELLS, REVERSED_CELL, Trained, TrainedCell
from verify.claims.spectrum.cells import Spectra
from verify.claims.spectrum.ladders import CELLS as LADDER_CELLS
from verify.claims.spectrum.ladders import FURTHER_CELLS as FURTHER_LADDER_CELLS
from verify.claims.spectrum.matrices import NETWORKS
from verify.claims.spectrum.orderings import ALL, MORE, ONE_NEURON, SMALL, smallest_ahead
from verify.claims.spectrum.quantities import mean_of
from verify.claims.spectrum.trend import together

INSTEAD = (
    "instead: with the outputs of a network that is initialised, the gated one is ahead at last on all rows of |x|^2 >= d "
    "with a nonsingular covariance, for every activation, width and Y, if eta (lambda_n + lambda~_1) < 2 (proved)"
)
SHORT = np.array([[0.5, -0.5], [1.0, 1.0], [-1.0, -1.0]])
"""More rows than dimensions, one of them short."""


def behind(rung: str, X: Array, width: int) -> bool:
    """Whether the gated kernel of these rows has the smaller smallest eigenvalue.

    Examples
    --------
    >>> behind("exact", np.array([[0.7]]), 1), behind("exact", np.array([[1.0]]), 1)
    (True, False)
    """
    plain, gated = (np.linalg.eigvalsh(K)[0] for K in kernels(rung, X, width)[0])
    return bool(gated < plain)


def _late(rung: str, _: Statement, setting: Setting) -> Evidence:
    """The smallest data that fail, proved, and the share of drawn data sets with the smaller lambda_n(K)."""
    for chain in (reversal(), late_theorem()):
        chain.check()
    cells = sorted(
        (cell for cell in {*ALL, *LADDER_CELLS, *FURTHER_LADDER_CELLS} if cell in setting.measured),
        key=lambda c: (c.n, c.d, c.width),
    )
    shares, draws = {}, 0
    for cell in cells:
        spectra: Spectra = setting.measured[cell]
        ahead = smallest_ahead(rung, spectra) > 0
        shares[cell] = float(ahead.mean())
        draws += len(ahead)
    by_dimension = []
    for dimension in sorted({cell.d for cell in cells}):
        of = [shares[cell] for cell in cells if cell.d == dimension]
        by_dimension.append(f"{min(of):.0%} to {max(of):.0%} at d = {dimension}")
    if not behind(rung, np.array([[0.7]]), 1) and min(shares.values()) == 1:
        return Evidence(Verdict.CONFIRMED, f"in all {draws} draws at {len(cells)} sizes", draws)
    more = ""
    if behind(rung, SHORT, 1) and behind(rung, SHORT, 1000):
        widths = "every m" if rung == "exact" else "m = 1 and 1000"
        more = f" and, with n = 3 > d = 2, rows {SHORT.tolist()} at {widths}"
    text = (
        "smallest counterexample n = 1: any row with |x|^2/d < (m + d)/(m + 2 d), for instance x = 0.7 at d = m = 1"
        f"{more}; of random data, the gated lambda_n is the larger one in {', '.join(by_dimension)} (by n and m); {INSTEAD}"
    )
    return Evidence(Verdict.REFUTED, text, draws)


def _late_networks(_: Statement, setting: Setting) -> Evidence:
    """Trained networks on data at which the exact kernels have the plain loss ahead at last."""
    found: Trained = setting.measured[REVERSED_CELL]
    difference = mean_of(found.losses[0, :, -1] - found.losses[1, :, -1])
    bar = difference.deviation(setting.alpha) * difference.error
    verdict = Verdict.INCONCLUSIVE
    if abs(difference.mean) > bar:
        # Gated ones that are ahead where they were expected not to be say nothing of other data.
        verdict = Verdict.REFUTED if difference.mean < 0 else Verdict.INCONCLUSIVE
    text = (
        f"{REVERSED_CELL.size}, rows and labels on which the exact kernels have the plain loss ahead at last: after "
        f"{REVERSED_CELL.steps[-1]} steps {_losses(REVERSED_CELL, found, -1)}; L - L~ {difference.mean:.3g} +- "
        f"{difference.error:.1g}, {difference.draws} networks of each kind"
    )
    return Evidence(verdict, text, difference.draws * len(NETWORKS))


def _losses(cell: TrainedCell, found: Trained, at: int) -> str:
    """Trained and expected, of both networks, at one of the cell's steps."""
    expected = [loss.at([cell.steps[at]])[0] for loss in found.expected(cell.width)]
    means = found.losses[:, :, at].mean(axis=1)
    return ", ".join(
        f"{name} {mean:.3g} (kernels {value:.3g})"
        for name, mean, value in zip(NETWORKS, means, expected, strict=True)
    )


def as_stated(found: Descents, initial: str) -> NDArray[np.bool_]:
    """Whether the plain loss is ahead before the first step and the gated one at last : (s,) bool."""
    return (found.start[initial] < 0) & (found.last[initial] > 0)


def _cross(rung: str, _: Statement, setting: Setting) -> Evidence:
    """Draws that satisfy every hypothesis, with the stated covariance of the outputs; the others in numbers."""
    cells = [cell for cell in CELLS + FURTHER_CELLS if cell in setting.measured]
    failing, draws, parts = [], 0, []
    for cell in cells:
        found: Descents = setting.measured[cell][rung]
        draws += len(found.satisfied)
        if not as_stated(found, "kernel").all():
            failing.append(cell)
        parts.append(f"{cell.size}: {_crossings(found)}")
    if not failing:
        return Evidence(Verdict.CONFIRMED, f"in {draws} draws; {'; '.join(parts)}", draws)
    first = min(failing, key=lambda cell: (cell.d, cell.n, cell.width))
    text = (
        f"counterexample {first.size}: {_failure(setting.measured[first][rung])}; all sizes, by the outputs at the start: "
        f"{'; '.join(parts)}; instead: an odd number of crossings where different networks are ahead at the start and at "
        "last, else an even one, none perhaps (proved)"
    )
    return Evidence(Verdict.REFUTED, text, draws)


def _failure(found: Descents) -> str:
    wrong = ~as_stated(found, "kernel")
    crossings = _range(found.count["kernel"][wrong], "time")
    again = np.all(found.start["kernel"][wrong] < 0) and np.all(found.last["kernel"][wrong] < 0)
    who = f"they cross {crossings} and the plain loss is ahead at last" if again else "another order"
    return f"in {int(wrong.sum())} of {len(wrong)} draws {who}"


def _crossings(found: Descents) -> str:
    """For every covariance: how often as stated, how many crossings, and where the first is."""
    parts = []
    for initial, words in zip(INITIAL_OR_ZERO, ("C_0 = K", "NNGP", "f_0 = 0"), strict=True):
        first, count = found.first[initial], found.count[initial]
        steps = first[first > 0]
        # Outputs of 0 start with equal losses: nobody is ahead.
        stated = (
            "" if initial == "zero" else f"{int(as_stated(found, initial).sum())} of {len(count)} as stated, "
        )
        where = f" from k = {int(np.median(steps))}" if len(steps) else ""
        parts.append(f"{words}: {stated}{_range(count, 'crossing')}{where}")
    return ", ".join(parts)


def _range(values: Sequence[float] | Array, noun: str) -> str:
    low, high = int(np.min(values)), int(np.max(values))
    many = "" if high == 1 else "s"
    return f"{low} {noun}{many}" if low == high else f"{low} to {high} {noun}{many}"


def _cross_networks(_: Statement, setting: Setting) -> Evidence:
    """Trained networks where all hypotheses hold: the plain ones ahead at the start, and the gated ones after training."""
    share = setting.alpha / sum(len(cell.steps) for cell in CROSSING_CELLS)
    verdicts, parts, samples = [], [], 0
    for cell in CROSSING_CELLS:
        found: Trained = setting.measured[cell]
        samples += found.losses.shape[1] * len(NETWORKS)
        # The mean before the first step is known exactly, at every width.
        plain, gated = found.expected(cell.width)
        signs = [-1 if plain.start < gated.start else 1]
        for i in range(1, len(cell.steps)):
            difference = mean_of(found.losses[0, :, i] - found.losses[1, :, i])
            sure = abs(difference.mean) > difference.deviation(share) * difference.error
            signs.append(int(np.sign(difference.mean)) if sure else 0)
        stated = signs[0] < 0 < signs[-1]
        against = signs[0] > 0 or signs[-1] < 0
        verdicts.append(Verdict.CONFIRMED if stated else Verdict.REFUTED if against else Verdict.INCONCLUSIVE)
        ahead = {
            side: [k for k, sign in zip(cell.steps, signs, strict=True) if sign == side] for side in (-1, 1)
        }
        theory = crossings(plain, gated).steps
        parts.append(
            f"{cell.size}: plain networks are surely ahead at {_steps(ahead[-1])}, gated ones at {_steps(ahead[1])} "
            f"(trained to {cell.steps[-1]}; the kernels' losses cross at {_steps(theory)})"
        )
    return Evidence(together(*verdicts), "; ".join(parts), samples)


def _steps(steps: Sequence[int]) -> str:
    return f"k = {', '.join(map(str, steps))}" if steps else "no step"


_SPECTRA, _FURTHER_SPECTRA = (*SMALL, *ONE_NEURON, *LADDER_CELLS), (*MORE, *FURTHER_LADDER_CELLS)
CLAIMS = (
    Claim(
        STATEMENTS["A17"],
        (
            *(
                Rung(rung, Verdict.REFUTED, partial(_late, rung), _SPECTRA, _FURTHER_SPECTRA)
                for rung in KERNEL_RUNGS
            ),
            Rung("finite", Verdict.REFUTED, _late_networks, (REVERSED_CELL,)),
        ),
    ),
    Claim(
        STATEMENTS["A18"],
        (
            *(
                Rung(rung, Verdict.REFUTED, partial(_cross, rung), CELLS, FURTHER_CELLS)
                for rung in KERNEL_RUNGS
            ),
            Rung("finite", Verdict.CONFIRMED, _cross_networks, CROSSING_CELLS),
        ),
    ),
)
