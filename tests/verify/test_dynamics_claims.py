"""A15 to A18: verdicts, what their measurements say, and statements and measurements that must change a verdict."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp

from derivations import kernel_function
from derivations.dynamics import early_stage, expected_loss
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics_symbols import FACTOR, MATRIX, OfTargets, Trace, eigenvalue, index, steps, target
from derivations.learning_symbols import eta
from derivations.sources import STATEMENTS
from verify.audit import PLANTED
from verify.claim import Evidence, Setting, Verdict
from verify.claims import CLAIMS
from verify.claims.dynamics import late
from verify.claims.dynamics.descents import (
    CELLS,
    TRACE_CELLS,
    TRIES,
    DescentCell,
    Descents,
    kernels,
    step_size,
)
from verify.claims.dynamics.early import outside, smallest_rows
from verify.claims.dynamics.late import behind
from verify.claims.dynamics.loss import stated_losses
from verify.claims.dynamics.trained import (
    CROSSING_CELLS,
    LOSS_CELLS,
    REVERSED_CELL,
    SLOPE_CELLS,
    SlopeCell,
    Trained,
    TrainedCell,
)
from verify.claims.spectrum.cells import Spectra, SpectrumCell
from verify.inputs import generate
from verify.streams import seed_sequence
from verify.training import train

NOTHING = Setting({}, 1e-4, 0.999, 0.005)
SEED = np.random.SeedSequence(2)


@cache
def measured(cell: Any) -> Any:
    return cell.measure(SEED, 1.0)


def holding(measured: dict[Any, Any]) -> Setting:
    return Setting(measured, 1e-4, 0.999, 0.005)


def setting(*cells: Any) -> Setting:
    return holding({cell: measured(cell) for cell in cells})


def judged(id: str, rung: str, within: Setting, **changes: Any) -> Evidence:
    found = next(each for each in CLAIMS[id].rungs if each.name == rung)
    return found.judge(replace(CLAIMS[id].statement, **changes), within)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_error_in_the_stated_loss_is_refuted(sign: int):
    assert judged("A15", "simplified", NOTHING).verdict == Verdict.PROVED
    labels = list(STATEMENTS["A15"].planted(sign * PLANTED))
    assert len(labels) == 4
    for label, wrong in labels:
        assert judged("A15", "simplified", NOTHING, formulas=wrong.formulas).verdict == Verdict.REFUTED, label


def test_a_common_factor_is_allowed_and_an_inconsistent_one_is_not():
    (matrix, first), (mode, second) = STATEMENTS["A15"].formulas
    for factors, verdict in (((3, 3), Verdict.PROVED), ((3, 2), Verdict.REFUTED)):
        formulas = ((matrix, factors[0] * first), (mode, factors[1] * second))
        assert judged("A15", "simplified", NOTHING, formulas=formulas).verdict == verdict


@pytest.mark.parametrize(
    "power", [FACTOR ** (2 * steps + 1), FACTOR**steps, (FACTOR + eta * MATRIX / 100) ** (2 * steps)]
)
def test_another_power_or_rate_is_refuted(power: sp.Expr):
    mode = STATEMENTS["A15"].formula("mode")
    formulas = (("matrix form", Trace(power * MATRIX) + OfTargets(power)), ("mode", mode))
    assert judged("A15", "simplified", NOTHING, formulas=formulas).verdict == Verdict.REFUTED


def test_the_stated_loss_is_the_matrix_form_with_the_kernel_itself():
    rng = np.random.default_rng(0)
    A, Y = rng.standard_normal((5, 5)), rng.standard_normal(5)
    K = A @ A.T
    moments = (0, 1, 7)
    expected = expected_loss(K, 0.05, Y, K).at(moments)
    found = stated_losses(STATEMENTS["A15"], K, Y, 0.05, moments)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_the_exact_rung_names_the_smallest_counterexample():
    evidence = judged("A15", "exact", NOTHING)
    assert evidence.verdict == Verdict.REFUTED
    # K = 1 and C_0 = 1/2 at m = d = x = 1: (1 + 0)/(1/2 + 0) and (1 + 1)/(1/2 + 1).
    assert "is 2 with Y = 0 and 1.333 with Y = 1" in evidence.detail


def test_networks_that_follow_what_is_stated_confirm_it():
    cells = LOSS_CELLS[-1:]
    refuted = judged("A15", "finite", setting(*cells))
    assert refuted.verdict == Verdict.REFUTED
    assert "trained over that" in refuted.detail
    found: Trained = measured(cells[0])
    # Losses that are what is stated, times one factor and noise without a trend.
    noise = 1 + 0.1 * np.random.default_rng(0).standard_normal((2, 100, 1))
    stated = [
        stated_losses(STATEMENTS["A15"], K, found.Y, found.rate, cells[0].steps)
        for K in kernels("exact", found.X, cells[0].width)[0]
    ]
    exact = replace(found, losses=0.3 * noise * np.array(stated)[:, None, :])
    # They are far from the derived ones, too: networks that follow no kernel decide nothing.
    assert judged("A15", "finite", holding({cells[0]: exact})).verdict == Verdict.INCONCLUSIVE
    # Without any descent both are constant, and so are these up to noise.
    noise = 1 + 0.1 * np.random.default_rng(1).standard_normal((2, 100, len(cells[0].steps)))
    flat = (("mode", sp.Integer(1)),)
    both = holding({cells[0]: replace(found, losses=noise, rate=1e-30)})
    assert judged("A15", "finite", both, formulas=flat).verdict == Verdict.CONFIRMED


@pytest.mark.parametrize("rung", ["simplified", "exact"])
def test_the_outputs_covariance_is_what_the_width_multiplies(rung: str):
    X = np.random.default_rng(1).standard_normal((6, 4))
    K, C = kernels(rung, X, 7)
    wider, _ = kernels(rung, X, 17)
    for at_7, at_17, slope in zip(K, wider, C, strict=True):
        np.testing.assert_allclose((at_17 - at_7) / 10, slope, rtol=1e-11, atol=1e-13)


def test_descents_say_who_is_ahead_and_when_that_changes():
    cell = DescentCell(12, 6, 50, 5)
    found: Descents = measured(cell)["exact"]
    changes = 0
    for draw in range(cell.draws):
        seed = seed_sequence(SEED, _key(cell), draw)
        rng = np.random.default_rng(seed)
        X = generate("gaussian", cell.n, cell.d, rng)
        labels = rng.standard_normal((TRIES, cell.n))
        K = [kernel_function(name, width=cell.width)(X) for name in ("relu", "reglu")]
        C = [kernel_function(name, kind="nngp")(X) for name in ("relu", "reglu")]
        holds = [bool(Y @ (K[0] - K[1]) @ Y >= 0) for Y in labels]
        assert found.admitted[draw] == np.mean(holds)
        assert found.satisfied[draw] == any(holds)
        Y = labels[holds.index(True)] if any(holds) else np.zeros(cell.n)
        for initial in INITIAL_OR_ZERO:
            starts = {"kernel": K, "nngp": C, "zero": [None, None]}[initial]
            plain, gated = (expected_loss(k, step_size(K), Y, c) for k, c in zip(K, starts, strict=True))
            difference = plain.log_at(range(3000)) - gated.log_at(range(3000))
            first = int(found.first[initial][draw])
            assert found.start[initial][draw] == np.sign(np.round(plain.start - gated.start, 12))
            if 0 < first < 3000:
                changes += 1
                # Before its first step a loss that starts equal has no sign.
                assert difference[first] * difference[max(first - 1, 1 if initial == "zero" else 0)] <= 0
        smallest = [np.linalg.eigvalsh(k)[0] for k in K]
        assert found.last["nngp"][draw] == np.sign(smallest[1] - smallest[0])
    assert changes >= 5


def _key(cell: Any) -> int:
    return zlib.crc32(cell.name.encode())


def test_the_region_fails_for_narrow_networks_in_every_dimension():
    for rung in ("simplified", "exact"):
        failing = outside(rung)
        assert {d for d, width, _ in failing if width == 1} == {d for d, _, _ in failing}
        assert failing[0][:2] == (5, 1)
        assert smallest_rows(rung, 5, 1) is None
        # Far below what is stated, and there it holds.
        assert smallest_rows(rung, 100, 1000) in range(2, 20)


def test_slopes_are_what_a_tiny_step_takes_off_the_loss():
    cell = SlopeCell(20, 4, 6, 3)
    losses, slopes = cell.measure(SEED, 1.0)
    for draw in range(cell.draws):
        X = generate("gaussian", 20, 4, np.random.default_rng(seed_sequence(SEED, _key(cell), draw, 0)))
        for i, name in enumerate(("relu", "reglu")):
            # One step of 1e-6 of the scale on which the loss changes: second order is 1e-6 of it.
            rate = 1e-6 * losses[i, draw] / slopes[i, draw]
            found = train(name, X, np.zeros(20), 6, (0, 1), rate, 1, seed_sequence(SEED, _key(cell), draw, 1))
            before, after = found.losses[0]
            assert before == pytest.approx(losses[i, draw])
            assert (before - after) / rate == pytest.approx(slopes[i, draw], rel=1e-4)


def test_networks_whose_losses_fall_faster_without_the_gate_change_the_verdict():
    cells = SLOPE_CELLS[1:]
    assert judged("A16", "finite", setting(*cells)).verdict == Verdict.REFUTED
    swapped = {cells[0]: measured(cells[0])[:, ::-1], cells[1]: measured(cells[1])}
    assert judged("A16", "finite", holding(swapped)).verdict == Verdict.CONFIRMED
    few = {cell: measured(cell)[:, :, :5] for cell in cells}
    assert judged("A16", "finite", holding(few)).verdict == Verdict.INCONCLUSIVE


def test_draws_that_contradict_the_closed_form_leave_it_open():
    found = {cell: measured(cell) for cell in TRACE_CELLS}
    for rung in ("simplified", "exact"):
        assert judged("A16", rung, holding(found)).verdict == Verdict.REFUTED
    for cell in TRACE_CELLS:
        other = found | {cell: {rung: -values for rung, values in found[cell].items()}}
        evidence = judged("A16", "exact", holding(other))
        assert evidence.verdict == Verdict.INCONCLUSIVE
        assert cell.size in evidence.detail


def test_traces_are_on_average_what_isserlis_says():
    for cell in TRACE_CELLS:
        stage = early_stage("kernel")
        at = {"n": cell.n, "d": cell.d, "m": cell.width}
        whole = cell.n * (stage.diagonal + (cell.n - 1) * stage.pairs)
        expected = float(whole.subs({s: at[s.name] for s in whole.free_symbols}))
        values = measured(cell)["simplified"]
        # Four standard errors of the mean over 40 or 100 draws.
        assert abs(values.mean() - expected) < 4 * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize(("d", "width"), [(1, 1), (3, 10)])
def test_one_row_is_behind_with_the_gate_exactly_if_it_is_short(d: int, width: int):
    share = (width + d) / (width + 2 * d)
    for rung in ("simplified", "exact"):
        for factor, short in ((0.99, True), (1.01, False)):
            assert behind(rung, np.full((1, d), np.sqrt(factor * share)), width) is short


def test_data_without_a_reversal_confirm_who_is_ahead_late(monkeypatch: pytest.MonkeyPatch):
    cell = SpectrumCell(4, 2, 1, 120)
    evidence = judged("A17", "exact", setting(cell))
    assert evidence.verdict == Verdict.REFUTED
    assert "rows [[0.5, -0.5], [1.0, 1.0], [-1.0, -1.0]] at every m" in evidence.detail
    monkeypatch.setattr(late, "behind", lambda *_: False)
    assert judged("A17", "exact", setting(cell)).verdict == Verdict.REFUTED
    values = np.array([[[1.0, 4.0]] * 3, [[2.0, 4.0]] * 3])
    ahead = {cell: Spectra({"exact": values})}
    assert judged("A17", "exact", holding(ahead)).verdict == Verdict.CONFIRMED


def test_data_are_chosen_by_what_exact_kernels_say_of_them():
    found: Trained = measured(REVERSED_CELL)
    K, _ = kernels("exact", found.X, REVERSED_CELL.width)
    assert found.Y @ (K[0] - K[1]) @ found.Y >= 0
    assert np.linalg.eigvalsh(K[0])[0] > np.linalg.eigvalsh(K[1])[0]
    plain, gated = (loss.at([REVERSED_CELL.steps[-1]])[0] for loss in found.expected(REVERSED_CELL.width))
    assert plain < gated / 2
    other = TrainedCell(6, 5, 128, 2, (0, 1))
    assert not np.array_equal(measured(other).X, found.X)


def test_networks_that_end_the_other_way_round_do_not_refute_who_is_ahead_late():
    assert judged("A17", "finite", setting(REVERSED_CELL)).verdict == Verdict.REFUTED
    found: Trained = measured(REVERSED_CELL)
    for losses in (found.losses[::-1], found.losses[:, :2]):
        other = holding({REVERSED_CELL: replace(found, losses=losses)})
        assert judged("A17", "finite", other).verdict == Verdict.INCONCLUSIVE


def test_trained_networks_cross_where_every_hypothesis_holds():
    confirmed = setting(*CROSSING_CELLS)
    assert judged("A18", "finite", confirmed).verdict == Verdict.CONFIRMED
    for cell in CROSSING_CELLS:
        found: Trained = measured(cell)
        K, _ = kernels("exact", found.X, cell.width)
        assert found.Y @ (K[0] - K[1]) @ found.Y >= 0
        swapped = confirmed.measured | {cell: replace(found, losses=found.losses[::-1])}  # type: ignore[operator]
        assert judged("A18", "finite", holding(swapped)).verdict == Verdict.REFUTED
        few = confirmed.measured | {cell: replace(found, losses=found.losses[:, :2])}  # type: ignore[operator]
        assert judged("A18", "finite", holding(few)).verdict == Verdict.INCONCLUSIVE


def test_rows_and_labels_are_the_same_at_every_width():
    assert len({measured(cell).X.tobytes() + measured(cell).Y.tobytes() for cell in LOSS_CELLS}) == 1


def test_the_losses_of_data_in_many_dimensions_cross_as_stated():
    wide, narrow = (next(c for c in CELLS if c.d == d and c.width == 1000) for d in (100, 5))
    assert judged("A18", "exact", setting(wide)).verdict == Verdict.CONFIRMED
    evidence = judged("A18", "exact", setting(wide, narrow))
    assert evidence.verdict == Verdict.REFUTED
    assert (
        f"{narrow.size}: in 6 of 6 draws they cross 2 times and the plain loss is ahead at last"
        in evidence.detail
    )


def test_more_draws_begin_with_the_same_ones():
    cell = DescentCell(8, 3, 4, 2)
    few, many = (cell.measure(SEED, factor)["exact"] for factor in (0.01, 2.0))
    np.testing.assert_array_equal(few.first["nngp"], many.first["nngp"][: cell.draws])
    assert len(many.first["nngp"]) == 2 * cell.draws


def test_the_stated_mode_has_the_shared_symbols():
    assert STATEMENTS["A15"].formula("mode").free_symbols >= {eta, steps}
    assert STATEMENTS["A15"].formula("mode").has(eigenvalue[index], target[index])
