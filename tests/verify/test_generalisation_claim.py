"""Claim A19: its verdicts, and what would have been confirmed, left open or refuted instead."""

from __future__ import annotations

import re
import sys
import zlib
from functools import cache

import numpy as np
import pytest

from verify.claim import Evidence, Setting, Verdict
from verify.claims import CLAIMS
from verify.claims.generalisation.cells import (
    LARGE,
    NETWORKS,
    REAL,
    SMALL,
    TRAINED,
    Compared,
    GapCell,
    RealCell,
    kernels_and_starts,
)
from verify.claims.generalisation.judge import judge
from verify.generalisation import follow
from verify.samples import fresh_samples
from verify.streams import seed_sequence

ALPHA = 1e-3 / 90
"""The share of a check in a whole audit."""
CELLS = (GapCell("linear", 100, 20, 300, 24), GapCell("noise", 100, 20, 300, 24))


@cache
def measured() -> dict[GapCell, Compared]:
    return {cell: cell.measure(np.random.SeedSequence(2), 1.0) for cell in (SMALL[1], *LARGE, TRAINED[0])}


def judged(rung: str, found: dict) -> Evidence:
    chosen = next(each for each in CLAIMS["A19"].rungs if each.name == rung)
    return chosen.judge(CLAIMS["A19"].statement, Setting(found, ALPHA, 0.999, 0.005))


def judged_by(found: dict) -> str:
    return judge(CLAIMS["A19"].statement, Setting(found, ALPHA, 0.999, 0.005), tuple(found)).detail


def made(saved: float, change: float, scatter: float = 0.02) -> dict[GapCell, Compared]:
    """Networks of which the gated one is e^saved times faster and has a gap that is larger by a share of `change`."""
    rng = np.random.default_rng(0)
    found = {}
    for cell in CELLS:
        plain, noise = 1 + 0.3 * rng.random(24), scatter * rng.standard_normal((2, 24))
        gaps = np.stack([plain, plain * (1 + change) + noise[0]], axis=1)
        found[cell] = Compared(saved + noise[1], {"training error 10 %": gaps, "convergence": gaps})
    return found


@pytest.mark.parametrize("rung", ["exact", "finite"])
def test_both_parts_are_refuted_by_linear_targets(rung: str):
    cells = {cell: found for cell, found in measured().items() if bool(cell.seeds) == (rung == "finite")}
    evidence = judged(rung, cells)
    assert evidence.verdict == Verdict.REFUTED
    for part in ("speed", "gap"):
        text = evidence.detail.split(f"{part}: of ")[1].split("instead")[0]
        assert "smallest counterexample linear" in text
    assert re.search(
        r"linear [12]\.\d+ \+- 0\.\d+ times slower, gap \+\d+% \+- \d+%", evidence.detail.split("instead")[1]
    )


@pytest.mark.parametrize("seed", range(3))
def test_with_noise_for_targets_it_holds(seed: int):
    # The control: data of which the statement is true, through the judge that refutes it of others.
    noise = next(cell for cell in LARGE if cell.targets == "noise")
    found = {noise: noise.measure(np.random.SeedSequence(seed), 1.0)}
    evidence = judged("exact", found)
    assert evidence.verdict == Verdict.CONFIRMED
    assert "gap: of 2 holds at 2, fails at 0, undecided at 0" in evidence.detail


@pytest.mark.parametrize(
    ("saved", "change", "verdict"),
    [
        (0.5, 0.0, Verdict.CONFIRMED),
        (0.5, 0.15, Verdict.CONFIRMED),
        (0.5, -0.15, Verdict.CONFIRMED),
        (0.5, 0.25, Verdict.REFUTED),
        (0.5, -0.25, Verdict.REFUTED),
        (-0.1, 0.0, Verdict.REFUTED),
        (0.5, 0.2, Verdict.INCONCLUSIVE),
        (0.5, -0.2, Verdict.INCONCLUSIVE),
        (0.0, 0.0, Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_is_that_of_the_reading(saved: float, change: float, verdict: Verdict):
    assert judged("exact", made(saved, change)).verdict == verdict


def test_all_sizes_are_counted_and_errors_are_standard_errors():
    found = made(0.5, 0.2, scatter=0.02) | {CELLS[0]: made(-0.5, 0.4, scatter=0.02)[CELLS[0]]}
    detail = judged("exact", found).detail
    assert "speed: of 2 holds at 1, fails at 1, undecided at 0;" in detail
    assert "gap: of 4 holds at 0, fails at 2, undecided at 2;" in detail
    saved, gaps = found[CELLS[0]].saved, found[CELLS[0]].gaps["convergence"]
    ratio = np.exp(-saved.mean())
    assert f"linear {ratio:.2f} +- {ratio * saved.std(ddof=1) / np.sqrt(24):.2g} times slower" in detail
    # By resampling, within its own scatter: the delta method's error is that of the ratio of means.
    rng = np.random.default_rng(0)
    means = gaps[rng.integers(0, 24, (4000, 24))].mean(axis=1)
    error = (means[:, 1] / means[:, 0]).std()
    stated = re.search(r"gap \+\d+% \+- (\d+)% at training", detail.split("instead")[1])
    assert stated
    assert abs(int(stated[1]) / 100 - error) < 0.1 * error + 0.005  # a whole per cent


def test_the_smallest_counterexample_has_more_rows_than_dimensions_where_there_is_one():
    found = made(-0.5, 0.0)
    few, many = GapCell("linear", 2, 2, 1, 24), GapCell("linear", 3, 2, 1, 24)
    planted = {few: found[CELLS[0]], many: found[CELLS[0]]}
    assert "smallest counterexample linear, n = 3, d = 2, m = 1:" in judged_by(planted)
    assert "smallest counterexample linear, n = 2, d = 2, m = 1:" in judged_by({few: found[CELLS[0]]})
    # What is not sure is none: the smaller size scatters too much.
    unsure = made(-0.5, 0.0, scatter=3.0)[CELLS[0]]
    later = GapCell("linear", 4, 2, 1, 24)
    assert "smallest counterexample linear, n = 4" in judged_by({many: unsure, later: found[CELLS[0]]})


def test_what_scatters_too_much_is_left_open():
    assert judged("exact", made(0.5, 0.0, scatter=1.0)).verdict == Verdict.INCONCLUSIVE


def test_an_error_that_is_not_reached_decides_nothing():
    found = made(0.5, 0.0)
    first = found[CELLS[0]]
    gaps = first.gaps["convergence"].copy()
    gaps[3, 1] = np.nan
    never = np.append(first.saved[:-1], np.inf)
    found[CELLS[0]] = Compared(never, first.gaps | {"convergence": gaps})
    evidence = judged("exact", found)
    assert evidence.verdict == Verdict.INCONCLUSIVE
    assert re.search(
        r"linear speed not known, gap [+-]0% \+- 0% at training error 10 % and not known at conv",
        evidence.detail,
    )


def test_a_cell_measures_what_follow_does_and_more_draws_begin_with_the_same():
    cell = GapCell("of a ReGLU network", 10, 3, 16, 3, test=8)
    few, many = (cell.measure(np.random.SeedSequence(1), factor) for factor in (0.01, 2.0))
    assert (len(few.saved), len(many.saved)) == (3, 6)
    np.testing.assert_array_equal(few.saved, many.saved[:3])
    np.testing.assert_array_equal(few.gaps["convergence"], many.gaps["convergence"][:3])
    kernels, starts = kernels_and_starts(16)
    assert [kernel.network.name for kernel in kernels] == list(NETWORKS)
    key = seed_sequence(np.random.SeedSequence(1), zlib.crc32(cell.name.encode()))
    samples = fresh_samples("gaussian", 3, "network", 10, 8, 3, key, teacher="reglu")
    expected = follow(kernels, starts, samples, (np.inf,), (0.1,))
    # Threads of a BLAS may sum in another order.
    np.testing.assert_allclose(few.gaps["convergence"], expected.gap[..., -1], rtol=1e-8)
    np.testing.assert_allclose(few.gaps["training error 10 %"], expected.gap_there[..., 0], rtol=1e-8)
    np.testing.assert_allclose(few.saved, -np.diff(np.log(expected.reached[..., 0]))[:, 0], rtol=1e-8)


def test_real_sets_are_told_and_no_verdict_rests_on_them(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("sklearn")
    cell = RealCell("diabetes", 30, 30, 100, 5)
    found = cell.measure(np.random.SeedSequence(0), 25.0)
    assert found is not None
    assert found.saved.shape == (5,)
    refuting = Compared(-1 - found.saved**2, {"convergence": np.tile([1.0, 9.0], (5, 1))})
    evidence = judged("exact", made(0.5, 0.0) | {REAL[0]: refuting})
    assert evidence.verdict == Verdict.CONFIRMED
    assert "digits:parity " in evidence.detail
    assert "gap +800% +- 0% at convergence" in evidence.detail
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert cell.measure(np.random.SeedSequence(0), 1.0) is None
    evidence = judged("exact", made(0.5, 0.0) | {REAL[0]: None})
    assert evidence.detail.endswith("real sets were not measured, for scikit-learn is not installed")


def test_the_kernel_alone_is_not_what_is_measured():
    # First outputs are part of a network's error: without them gaps are far smaller for linear targets.
    kernels, starts = kernels_and_starts(300)
    with_outputs, without = (
        follow(
            kernels, covariances, fresh_samples("gaussian", 20, "linear", 100, 100, 4, 0), (np.inf,), (0.1,)
        )
        for covariances in (starts, [None, None])
    )
    assert np.all(with_outputs.gap.mean(axis=0) > 2 * without.gap.mean(axis=0))
