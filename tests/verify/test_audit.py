"""The audit: verdicts, controls, honesty about power, reproducibility."""

from __future__ import annotations

import dataclasses
import json
from functools import cache

import numpy as np
import pytest
import sympy as sp

from derivations.errors import InputError
from derivations.sources import STATEMENTS, Statement
from derivations.symbols import d, m, rho
from verify.audit import PLANTED, PROFILES, Audit, Profile, RungResult, chosen_claims, measure, run_audit
from verify.blocks import GateCell
from verify.cells import Cell
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims import CLAIMS
from verify.claims.distance import Distance, cosine_expectation
from verify.claims.dynamics.descents import DescentCell, TraceCell
from verify.claims.dynamics.trained import SlopeCell, TrainedCell
from verify.claims.finite_width import NetworkCell
from verify.claims.generalisation.cells import GapCell, RealCell
from verify.claims.gradient import UnitCell
from verify.claims.spectrum.cells import SpectrumCell
from verify.claims.symbolic import derived
from verify.report import as_html, as_json, as_text

# A hundredth of the quick profile's neurons: finite checks have a tenth of its resolution.
SMALL = Profile("small", factor=0.01, needed=0.1)

_DRAW_THEIR_ROWS = (
    SpectrumCell,
    NetworkCell,
    DescentCell,
    TraceCell,
    SlopeCell,
    TrainedCell,
    GapCell,
    RealCell,
)


# Claims that measure the same cells stay together; each part is a test of its own, for several processes.
PARTS = (
    ("A1", "A2", "A3", "A4", "A5", "A6"),
    ("A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A17"),
    ("A15", "A16", "A18"),
    ("A19",),
    ("C1", "C2", "C3"),
    ("F1", "F2", "F3", "F4"),
)


@cache
def small_audit() -> Audit:
    return run_audit(PARTS[0], profile=SMALL, seed=3)


def test_the_parts_are_all_claims():
    assert sorted(id for part in PARTS for id in part) == sorted(CLAIMS)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part[0]}-{part[-1]}")
def test_true_claims_have_their_pinned_verdicts_and_half_a_percent_is_refuted(part: tuple[str, ...]):
    audit = run_audit(part, profile=SMALL, seed=3)
    assert [claim.id for claim, _ in audit.claims] == list(part)
    for claim, results in audit.claims:
        for result in results:
            assert result.as_expected, f"{claim.id} {result.rung}: {result.evidence}"
    by = {control.label: control.refuted_on for control in audit.controls}
    planted = 0
    for claim, results in audit.claims:
        proved = {result.rung for result in results if result.evidence.verdict == Verdict.PROVED}
        for error in (PLANTED, -PLANTED):
            for label, _ in claim.statement.planted(error):
                assert by[label], label
                assert set(by[label]) >= proved, label  # what is proved leaves no room for another value
                planted += 1
    assert len(by) == len(audit.controls) == planted
    assert planted >= (50 if part == PARTS[0] else 0)
    assert audit.unexpected == 0


def test_the_quick_profile_catches_planted_errors_with_networks_alone():
    # A2's and A3's cells alone: what a small budget of time can do at the quick profile's own resolution.
    audit = run_audit(["A2", "A3"], profile="quick", seed=5, jobs=2)
    assert audit.unexpected == 0
    assert [control.label for control in audit.controls if "finite" not in control.refuted_on] == []
    for _, results in audit.claims:
        for result in results:
            if result.rung == "finite":
                assert result.evidence.smallest_detectable is not None
                assert result.evidence.smallest_detectable < 0.005


def test_a_check_without_power_is_inconclusive_and_never_as_expected():
    weak = dataclasses.replace(SMALL, factor=1e-4, needed=0.005)
    claims = chosen_claims(["A4"])
    setting = measure(claims, weak, seed=0)
    finite = next(rung for rung in claims[0].rungs if rung.name == "finite")
    evidence = finite.judge(claims[0].statement, setting)
    assert evidence.verdict == Verdict.INCONCLUSIVE
    assert "more neurons are needed" in evidence.detail
    assert not RungResult("finite", Verdict.INCONCLUSIVE, evidence).as_expected


def test_a_missed_control_and_a_changed_verdict_count_as_unexpected():
    claim = CLAIMS["A2"]
    always = Evidence(Verdict.CONFIRMED, "a judge that refutes nothing")
    blind = dataclasses.replace(claim, rungs=(Rung("exact", Verdict.CONFIRMED, lambda *_: always),))
    audit = small_audit()
    changed = RungResult("exact", Verdict.REFUTED, always)
    assert not changed.as_expected
    from verify.audit import _controls

    missed = _controls(blind, (changed,), Setting({}, 0.01, 0.99, 0.005))
    assert missed
    assert all(control.refuted_on == () for control in missed)
    broken = dataclasses.replace(audit, claims=((claim, (changed,)),), controls=tuple(missed))
    assert broken.unexpected == 1 + len(missed)
    assert "NOT REFUTED" in as_text(broken)
    assert "not as pinned" in as_text(broken)


def test_the_same_seed_gives_the_same_evidence_whatever_the_number_of_workers():
    one, two = (run_audit(["A2"], profile=SMALL, seed=11, jobs=jobs) for jobs in (1, 2))
    assert one.claims == two.claims
    assert one.controls == two.controls


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_needs_no_measurement_is_judged_once_before_any_is_awaited(jobs: int):
    seen = []

    def meanwhile(setting: Setting) -> None:
        seen.append((len(setting.measured), setting.alpha))

    setting = measure(chosen_claims(["A2"]), SMALL, seed=0, jobs=jobs, meanwhile=meanwhile)
    assert seen == [(0, setting.alpha)]
    assert len(setting.measured) == len(CLAIMS["A2"].rungs[1].cells)


def test_no_rung_without_cells_reads_a_measurement():
    nothing = Setting({}, 1e-4, 0.999, 0.005)
    for claim in CLAIMS.values():
        for rung in claim.rungs:
            if not rung.cells:
                assert rung.judge(claim.statement, nothing).verdict == rung.expected


def test_a_cell_is_measured_alike_whichever_claims_are_run():
    alone = measure(chosen_claims(["A3"]), SMALL, seed=2).measured
    together = measure(chosen_claims(["A1", "A3"]), SMALL, seed=2).measured
    for cell, moments in alone.items():
        np.testing.assert_array_equal(moments.mean, together[cell].mean)


def test_the_error_rate_is_split_over_the_checks_of_the_run():
    class EnoughError(Exception):
        pass

    def share(claims: list[Claim]) -> float:
        seen = []

        def before_measuring(setting: Setting) -> None:
            seen.append(setting.alpha)
            raise EnoughError

        with pytest.raises(EnoughError):
            measure(claims, SMALL, seed=0, meanwhile=before_measuring)
        return seen[0]

    claims = chosen_claims([])
    checks = sum(bool(rung.cells) for claim in claims for rung in claim.rungs)
    assert share(claims[1:2]) == pytest.approx(SMALL.alpha)
    assert checks >= len(CLAIMS)
    assert share(claims) == pytest.approx(SMALL.alpha / checks)


def test_a_refutation_on_the_exact_rung_names_its_smallest_counterexample():
    wrong = next(
        statement for label, statement in STATEMENTS["A3"].planted(sp.Rational(1, 2)) if "diagonal" in label
    )
    exact = CLAIMS["A3"].rungs[0]
    evidence = exact.judge(wrong, Setting({}, 0.01, 0.99, 0.005))
    assert evidence.verdict == Verdict.REFUTED
    assert evidence.detail == "diagonal at m = 1, d = 1, r_i = 1: stated 1.25000, derived 1.00000"


def test_a_refutation_by_networks_names_the_entry_and_what_was_measured():
    setting = measure(chosen_claims(["A3"]), SMALL, seed=0)
    wrong = next(s for label, s in STATEMENTS["A3"].planted(sp.Rational(1, 2)) if "off_diagonal" in label)
    evidence = CLAIMS["A3"].rungs[1].judge(wrong, setting)
    assert evidence.verdict == Verdict.REFUTED
    assert "the claim says" in evidence.detail
    assert "+-" in evidence.detail


def test_planting_changes_one_term_of_one_formula_each_time():
    statement = STATEMENTS["A4"]
    planted = list(statement.planted(sp.Rational(1, 200)))
    terms = sum(len(sp.Add.make_args(sp.expand(formula))) for _, formula in statement.formulas)
    assert len(planted) == terms == len({label for label, _ in planted})
    for _, wrong in planted:
        changed = [
            name for name, formula in statement.formulas if sp.expand(wrong.formula(name) - formula) != 0
        ]
        assert len(changed) == 1


@pytest.mark.parametrize("dimension", [2, 3, 5, 50, 1000])
def test_cosines_of_random_directions_have_their_known_moments(dimension: int):
    # E rho^2 = 1/d and E rho^4 = 3/(d(d+2)); the quadrature is exact to rounding, 1e-12.
    assert cosine_expectation(lambda t: t**2, dimension) == pytest.approx(1 / dimension, rel=1e-10)
    fourth = 3 / (dimension * (dimension + 2))
    assert cosine_expectation(lambda t: t**4, dimension) == pytest.approx(fourth, rel=1e-10)


@pytest.mark.parametrize(("id", "network"), [("A5", "relu"), ("A6", "reglu")])
@pytest.mark.parametrize("data", ["sphere", "gaussian"])
def test_the_distance_law_matches_sampled_matrices(id: str, network: str, data: str):
    n, size, width = 150, 12, 30
    law = Distance(STATEMENTS[id], derived(network))(n, size, width, data)
    result = derived(network)
    exact = sp.lambdify(rho, result.result(sp.Function("f")(rho)).subs({m: width, d: size}), "numpy")
    h = result.network.gates + 1
    alpha, beta, gamma = (
        float(STATEMENTS[id].formula(name).subs({m: width, d: size})) for name in ("alpha", "beta", "gamma")
    )
    squares = []
    for seed in range(40):
        X = np.random.default_rng(seed).standard_normal((n, size))
        r = np.linalg.norm(X, axis=1)
        if data == "sphere":
            X, r = X / r[:, None] * np.sqrt(size), np.full(n, np.sqrt(size))
        s, G = np.outer(r, r), X @ X.T
        K = (s / size) ** h * exact(np.clip(G / s, -1, 1))
        simplified = alpha * G**h + beta * s * G ** (h - 1) + gamma * np.diag(r ** (2 * h))
        squares.append((np.sum((K - simplified) ** 2), np.sum(K**2)))
    numerators, denominators = np.array(squares).T
    ratio = numerators.mean() / denominators.mean()
    # Delta method for a ratio of means over 40 data sets; five standard errors.
    residual = (numerators - ratio * denominators) / denominators.mean()
    error = residual.std(ddof=1) / np.sqrt(len(squares))
    assert abs(law**2 - ratio) < 5 * error
    assert error < 0.05 * ratio


def test_the_simplified_claims_fail_when_a_kept_coefficient_is_wrong():
    statement = STATEMENTS["A5"]
    wrong = dataclasses.replace(
        statement,
        formulas=tuple((k, v * sp.Rational(201, 200) if k == "beta" else v) for k, v in statement.formulas),
    )
    exact = next(rung for rung in CLAIMS["A5"].rungs if rung.name == "exact")
    evidence = exact.judge(wrong, Setting({}, 0.01, 0.99, 0.005))
    assert evidence.verdict == Verdict.REFUTED
    assert "stays at" in evidence.detail


def test_reports_carry_the_public_keys():
    content = json.loads(as_json(small_audit()))
    assert set(content) >= {
        "schema",
        "version",
        "profile",
        "seed",
        "claims",
        "controls",
        "unexpected",
        "seconds",
    }
    assert set(content["controls"]) >= {"planted", "caught"}
    for claim in content["claims"]:
        assert set(claim) == {"id", "source", "rungs"}
        for rung in claim["rungs"].values():
            assert set(rung) == {"verdict", "expected", "detail", "samples", "smallest_detectable"}


def test_text_and_page_show_every_verdict():
    text, page = as_text(small_audit()), as_html(small_audit())
    for id in PARTS[0]:
        assert id in text
        assert id in page
    assert "Unexpected: 0" in text
    assert "<html>" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": ["A99"]}, "claim must be one of A1, A2"),
        ({"profile": "slow"}, "profile must be one of quick, full"),
        ({"seed": -1}, "seed must be a whole number, 0 or larger, got -1"),
        ({"seed": True}, "seed must be a whole number"),
    ],
)
def test_bad_arguments_are_told(arguments: dict, message: str):
    with pytest.raises(InputError, match=message):
        run_audit(**arguments)


def test_the_full_profile_asks_for_more_than_the_quick_one():
    quick, full = PROFILES["quick"], PROFILES["full"]
    assert full.factor > quick.factor
    assert full.needed < quick.needed
    assert full.further > quick.further


def test_cells_have_distinct_streams_and_rows_on_the_sphere():
    cells = {cell for claim in CLAIMS.values() for rung in claim.rungs for cell in rung.cells + rung.further}
    assert len({cell.name for cell in cells}) == len(cells)
    for cell in cells:
        if isinstance(cell, _DRAW_THEIR_ROWS):
            continue
        assert isinstance(cell, (Cell, GateCell, UnitCell))
        np.testing.assert_allclose(np.sum(cell.X**2, axis=1), cell.d, rtol=1e-14)
    first, second = (
        Cell("relu", "ntk", 2, width, 1).measure(np.random.SeedSequence(0), 1) for width in (2, 3)
    )
    assert not np.allclose(first.mean / 2, second.mean / 3)


def test_statements_are_only_read_by_the_claims():
    assert isinstance(STATEMENTS["A1"], Statement)
    assert set(STATEMENTS) == set(CLAIMS)
