r"""A19: with a gate the training error falls sooner, and the gap between test and training error stays about the same.

Plain and gated network on the same rows, targets and step size. With t and t~ the steps to a training error of a tenth of the
targets' mean square, and g, g~ the gaps, there and at convergence,

\[ E\log(t/\tilde t) > 0, \qquad |E\tilde g - E g| \le x\,E g, \]

the latter as two linear contrasts of paired draws, \(\tilde g - (1\pm x)g\), x being `LITTLE`. On the exact rung descent along
the infinite-width kernels, in the mean over first outputs; on the finite one trained networks, which are stopped at 3 %
instead of at convergence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from derivations.sources import STATEMENTS, Statement
from derivations.sources.glu_dynamics import LITTLE
from verify.activations import Array
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.generalisation.cells import (
    LARGE,
    MORE,
    MORE_TRAINED,
    REAL,
    SMALL,
    TARGETS,
    TRAINED,
    Compared,
    GapCell,
    RealCell,
)
from verify.claims.spectrum.quantities import Mean, mean_of


@dataclass(frozen=True)
class Finding:
    """One inequality at one size: whether it is certain to hold, certain to fail, or neither."""

    cell: GapCell
    what: str
    holds: bool
    fails: bool
    text: str


def findings(cells: Sequence[GapCell], setting: Setting) -> Iterator[Finding]:
    """Of every cell: the speed, and the gap at each moment; a cell where an error is never reached decides nothing."""
    # Speed and two gaps from both sides.
    share = setting.alpha / (5 * len(cells))
    for cell in cells:
        found: Compared = setting.measured[cell]
        where = f"{cell.targets}, n = {cell.n}, d = {cell.d}, m = {cell.width}"
        faster = _sign(found.saved, share)
        text = f"{where}: {_times(found.saved)} ({len(found.saved)} draws)"
        yield Finding(cell, "speed", faster > 0, faster < 0, text)
        for moment, gaps in found.gaps.items():
            plain, gated = gaps.T
            above, below = (_sign(gated - (1 + side) * plain, share) for side in (LITTLE, -LITTLE))
            text = f"{where}: {plain.mean():.3g} and {gated.mean():.3g} ({_change(gaps)})"
            holds = above < 0 < below
            yield Finding(cell, moment, holds, above > 0 or below < 0, f"{text} at {moment}")


def _sign(values: Array, alpha: float) -> int:
    """Of the mean, where it is certain; else 0."""
    if not np.isfinite(values).all():
        return 0
    mean: Mean = mean_of(values)
    return int(np.sign(mean.mean)) if abs(mean.mean) > mean.deviation(alpha) * mean.error else 0


def _times(saved: Array) -> str:
    """What logarithms of ratios of steps, of the plain network over the gated one, say, +- a standard error."""
    if not np.isfinite(saved).all():  # an error that is never reached
        return "speed not known"
    mean = mean_of(saved)
    ratio = float(np.exp(abs(mean.mean)))
    word = "faster with the gate" if mean.mean >= 0 else "slower"
    return f"{ratio:.2f} +- {ratio * mean.error:.2g} times {word}"


def judge(
    _: Statement, setting: Setting, cells: Sequence[GapCell], real: Sequence[RealCell] = ()
) -> Evidence:
    """Both parts, with their smallest counterexamples, and what the targets decide instead."""
    present = sorted(
        (cell for cell in cells if cell in setting.measured), key=lambda c: (c.n, c.d, c.width, c.targets)
    )
    found = list(findings(present, setting))
    parts, failing, open_ = [], 0, 0
    for title, group in (
        ("speed", [f for f in found if f.what == "speed"]),
        ("gap", [f for f in found if f.what != "speed"]),
    ):
        wrong, sure = [f for f in group if f.fails], sum(f.holds for f in group)
        failing += len(wrong)
        undecided = len(group) - len(wrong) - sure
        open_ += undecided
        text = f"{title}: of {len(group)} holds at {sure}, fails at {len(wrong)}, undecided at {undecided}"
        parts.append(text + (f"; smallest counterexample {_smallest(wrong).text}" if wrong else ""))
    parts.append(_by_targets(present, setting))
    parts += _real(real, setting)
    verdict = Verdict.REFUTED if failing else Verdict.INCONCLUSIVE if open_ else Verdict.CONFIRMED
    return Evidence(verdict, "; ".join(parts), sum(len(setting.measured[cell].saved) for cell in present))


def _smallest(wrong: Sequence[Finding]) -> Finding:
    """The first of those that are sure, in ascending order: with more rows than dimensions, where there is one."""
    return next((finding for finding in wrong if finding.cell.n > finding.cell.d), wrong[0])


def _by_targets(cells: Sequence[GapCell], setting: Setting) -> str:
    """At the largest size of each kind."""
    largest = {cell.targets: cell for cell in cells}
    parts = []
    for targets in (kind for kind in TARGETS if kind in largest):
        parts.append(f"{targets} {_both(setting.measured[largest[targets]])}")
    return (
        "instead, both follow the targets, for the gate takes the constant and much of what is linear out of the kernel: "
        + ", ".join(parts)
    )


def _real(cells: Sequence[RealCell], setting: Setting) -> Iterator[str]:
    """Of given rows, whose splits are not independent: no verdict rests on them."""
    measured = [cell for cell in cells if cell in setting.measured]
    known = [cell for cell in measured if setting.measured[cell] is not None]
    if len(known) < len(measured):
        yield "real sets were not measured, for scikit-learn is not installed"
    for cell in known:
        yield f"{cell.target} {_both(setting.measured[cell])}"


def _both(found: Compared) -> str:
    """What the gate does to the speed, and to the gap at each moment."""
    return f"{_times(found.saved)}, gap {' and '.join(f'{_change(gaps)} at {at}' for at, gaps in found.gaps.items())}"


def _change(gaps: Array) -> str:
    """Of the mean gap, relative, +- a standard error."""
    if not np.isfinite(gaps).all():
        return "not known"
    means = gaps.mean(axis=0)
    ratio = float(means[1] / means[0])
    # The delta method, for draws are paired.
    error = abs(ratio) * mean_of(gaps[:, 1] / means[1] - gaps[:, 0] / means[0]).error
    return f"{ratio - 1:+.0%} +- {error:.0%}"


CLAIMS = (
    Claim(
        STATEMENTS["A19"],
        (
            Rung(
                "exact",
                Verdict.REFUTED,
                partial(judge, cells=SMALL + LARGE + MORE, real=REAL),
                SMALL + LARGE,
                (*MORE, *REAL),
            ),
            Rung(
                "finite", Verdict.REFUTED, partial(judge, cells=TRAINED + MORE_TRAINED), TRAINED, MORE_TRAINED
            ),
        ),
    ),
)
