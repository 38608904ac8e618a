"""Claim C3: its measurement against finite differences and quadrature, its verdicts, and what it catches."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
import sympy as sp

from verify.activations import ACTIVATIONS, Array
from verify.audit import PROFILES, run_audit
from verify.claim import Evidence, Setting, Verdict
from verify.claims import gradient
from verify.claims.gradient import CELLS, CLAIMS, UNITS, UnitCell, predicted, unit_entries
from verify.quadrature import expectation

CLAIM = CLAIMS[0]
EXACT, FINITE = CLAIM.rungs
ALPHA = 1e-4


@cache
def setting(factor: float = 1.0, needed: float = 0.005, seed: int = 7) -> Setting:
    entropy = np.random.SeedSequence(seed)
    return Setting({cell: cell.measure(entropy, factor) for cell in CELLS}, ALPHA, 0.999, needed)


def judged(rung: int, statement=CLAIM.statement, **arguments: float) -> Evidence:
    return CLAIM.rungs[rung].judge(statement, setting(**arguments))


def total(parts: dict[str, dict[str, Array]]) -> Array:
    return np.sum([term for terms in parts.values() for term in terms.values()], axis=0)


def test_hand_written_gradients_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    dimension, units, step = 3, 40, 1e-6
    w, v = rng.standard_normal((2, dimension, units)) / np.sqrt(dimension)
    x = np.array([1.0, 1.0, -1.0])
    rows = unit_entries(w, v, x).reshape(4, len(UNITS), units)
    for row, (name, scale) in enumerate(UNITS):
        phi = ACTIVATIONS[name][0]
        for kind in range(2):

            def unit(at: Array, kind: int = kind) -> Array:
                return phi(at @ w) * (at @ v if kind else 1.0)  # noqa: B023

            at = scale * x
            gradient = [(unit(at + e) - unit(at - e)) / (2 * step) for e in step * np.eye(dimension)]
            lengths = np.sum(np.square(gradient), axis=0)
            # Rounding over the step: 1e-16 / 1e-6 of values of order ten; the kink is nowhere near.
            np.testing.assert_allclose(rows[kind, row], lengths, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_predictions_are_what_quadrature_gives_with_the_average_over_v_and_w_done_by_hand(dimension: int):
    # Weights N(0, 1/d) and |x|^2 = d: E(v.x)^2 = 1, E|v|^2 = 1, E[(v.x)(v.w) | w] = u/d.
    parts = predicted(UnitCell(dimension, 1))
    plain, gated, *controls = total(parts).reshape(4, -1)
    for row, (name, s) in enumerate(UNITS):
        phi, slope = ACTIVATIONS[name]
        assert slope is not None

        def mean(f, s=s):  # E f(s z), f evaluated twice on the same z
            return expectation(f, np.ones_like, s, s, 1.0)

        squares = mean(lambda u: slope(u) ** 2)  # noqa: B023
        weighted = mean(lambda u: (u * slope(u)) ** 2)  # noqa: B023
        expected = ((dimension - 1) * squares + weighted / s**2) / dimension
        assert plain[row] == pytest.approx(expected, rel=1e-12)
        cross = mean(lambda u: u * phi(u) * slope(u))  # noqa: B023
        expected = s**2 * expected + mean(lambda u: phi(u) ** 2) + 2 * cross / dimension  # noqa: B023
        assert gated[row] == pytest.approx(expected, rel=1e-12)
    assert not np.any(controls)


def test_measurements_of_every_entry_are_within_their_errors_of_the_prediction():
    for cell in CELLS:
        moments = setting().measured[cell]
        claimed = total(predicted(cell))
        errors = np.sqrt(np.diagonal(moments.covariance))
        # 5 standard errors of 48 correlated normals: one chance in 40 000.
        assert (np.abs(moments.mean - claimed) < 5 * errors).all()
        assert (errors[: len(UNITS)] < 0.01 * claimed[: len(UNITS)]).all()


def test_a_measurement_is_that_of_the_entries_and_depends_on_its_seed_alone():
    cell = UnitCell(2, 12)
    first, again, other = (cell.measure(np.random.SeedSequence(seed), 0.5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.mean, again.mean)
    assert not np.array_equal(first.mean, other.mean)
    assert first.neurons == 6 * 1024
    # The same law, drawn otherwise, in one piece.
    w, v = np.random.default_rng(3).standard_normal((2, 2, 6 * 1024)) / np.sqrt(2)
    entries = unit_entries(w, v, cell.X[0])
    spread = np.sqrt(np.diagonal(first.covariance)) / (entries.std(axis=1) / np.sqrt(6 * 1024))
    assert (np.abs(np.log(spread)) < 0.5).all()  # tails of eighth degree: spreads differ by 10 to 20 %


def test_the_covariance_is_that_of_the_mean_of_all_chunks(monkeypatch: pytest.MonkeyPatch):
    seen = []

    def recorded(*arguments: Array) -> Array:
        seen.append(unit_entries(*arguments))
        return seen[-1].copy()

    monkeypatch.setattr(gradient, "_CHUNK", 8)  # the first chunk's mean is far from that of all
    monkeypatch.setattr(gradient, "unit_entries", recorded)
    moments = UnitCell(2, 1).measure(np.random.SeedSequence(0), 0.1)
    entries = np.concatenate(seen, axis=1)
    assert entries.shape == (4 * len(UNITS), moments.neurons) == (4 * len(UNITS), 102)
    np.testing.assert_allclose(moments.mean, entries.mean(axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(moments.covariance, np.cov(entries) / 102, rtol=1e-9, atol=1e-12)


def test_both_rungs_have_their_pinned_verdicts_with_power():
    exact, finite = judged(0), judged(1)
    assert exact.verdict == EXACT.expected == Verdict.PROVED
    assert "sigmoid: plain sqrt(2)*sigma_w**2*(d - 1)/(12*sqrt(pi)*s_1)" in exact.detail
    assert "0.0082290" in exact.detail
    assert finite.verdict == FINITE.expected == Verdict.CONFIRMED
    assert finite.smallest_detectable is not None
    assert finite.smallest_detectable < 0.001
    assert finite.samples == sum(cell.thousands for cell in CELLS) * 1024


@pytest.mark.parametrize("sign", [1, -1])
def test_a_stated_term_off_by_half_a_percent_is_refuted_on_each_rung(sign: int):
    planted = list(CLAIM.statement.planted(sign * sp.Rational(1, 200)))
    assert len(planted) == 3
    for label, wrong in planted:
        exact, finite = judged(0, wrong), judged(1, wrong)
        assert exact.verdict == finite.verdict == Verdict.REFUTED, label
        assert "derivative in x_l: stated" in exact.detail
        assert "the claim says" in finite.detail


def test_a_wrong_sign_between_the_two_paths_is_seen_in_the_cross_term():
    flipped = dict(CLAIM.statement.planted(sp.Integer(-2)))
    wrong = next(statement for label, statement in flipped.items() if "gated: phi(u_1)" in label)
    assert judged(1, wrong).verdict == Verdict.REFUTED


@pytest.mark.parametrize("sign", [1, -1])
def test_a_derived_coefficient_off_by_half_a_percent_is_refuted_by_units(
    sign: int, monkeypatch: pytest.MonkeyPatch
):
    true = {cell: predicted(cell) for cell in CELLS}
    labels = [(part, term) for part, terms in true[CELLS[0]].items() for term in terms]
    assert len(labels) == 8
    for part, term in labels:

        def wrong(cell: UnitCell, part: str = part, term: str = term) -> dict[str, dict[str, Array]]:
            result = {name: dict(terms) for name, terms in true[cell].items()}
            result[part][term] = result[part][term] * (1 + sign * 0.005)
            return result

        monkeypatch.setattr(gradient, "_predicted", wrong)
        assert judged(1).verdict == Verdict.REFUTED, (part, term)


def test_a_wrong_moment_of_a_single_activation_is_refuted_by_units(monkeypatch: pytest.MonkeyPatch):
    true = {cell: predicted(cell) for cell in CELLS}
    for row, (name, scale) in enumerate(UNITS):
        for kind in range(4):  # the control variates' means as well

            def wrong(cell: UnitCell, entry: int = kind * len(UNITS) + row) -> dict[str, dict[str, Array]]:
                sizes = np.sqrt(np.diagonal(setting().measured[cell].covariance))
                shift = np.zeros(4 * len(UNITS))
                means = total(true[cell])
                shift[entry] = max(0.005 * means[entry], 15 * sizes[entry] * (entry >= 2 * len(UNITS)))
                return {**true[cell], "cross": {**true[cell]["cross"], "planted": shift}}

            monkeypatch.setattr(gradient, "_predicted", wrong)
            assert judged(1).verdict == Verdict.REFUTED, (name, scale, kind)


def test_too_few_units_are_inconclusive():
    evidence = judged(1, factor=0.0005, needed=0.005)
    assert evidence.verdict == Verdict.INCONCLUSIVE
    assert "more units are needed" in evidence.detail


@pytest.mark.parametrize(("saturating", "compared"), [(("relu",), "identity"), (("tanh",), "sigmoid")])
def test_the_qualitative_part_is_refuted_where_it_does_not_hold(
    saturating: tuple[str, ...], compared: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gradient, "SATURATING", saturating)
    monkeypatch.setattr(gradient, "COMPARED", compared)
    evidence = judged(0)
    assert evidence.verdict == Verdict.REFUTED
    assert "at large scale" in evidence.detail


def test_true_claims_are_refuted_no_more_often_than_stated():
    refuted = 0
    for seed in range(60):
        noisy = dataclasses.replace(setting(0.02, 1.0, seed), alpha=0.05)
        refuted += FINITE.judge(CLAIM.statement, noisy).verdict == Verdict.REFUTED
    # Binomial(60, 0.05): more than 11 with probability 1e-4.
    assert refuted <= 11


def test_the_audit_judges_the_claim_and_its_controls():
    audit = run_audit(["C3"], profile=PROFILES["quick"], seed=1)
    assert audit.unexpected == 0
    assert len(audit.controls) == 6
    assert all(control.refuted_on == ("exact", "finite") for control in audit.controls)
