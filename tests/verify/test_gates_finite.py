"""C2 on the finite rung: networks measure every block and refute errors in any term."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np
import pytest
import sympy as sp

from benchmarks.gates import measured
from derivations.sources import STATEMENTS, Statement
from derivations.sources.gate_expansions import MARKERS
from verify.activations import ACTIVATIONS
from verify.audit import Profile, measure
from verify.blocks import GateCell
from verify.claim import Evidence, Setting, Verdict
from verify.claims import CLAIMS
from verify.claims.gates.entries import claimed, predicted
from verify.claims.gates.finite import joint_tests, sensitivities
from verify.claims.gates.members import CELLS, FURTHER
from verify.moments import EntryMoments

ALL = CELLS + FURTHER
C2 = STATEMENTS["C2"]
# A fiftieth of the quick profile's neurons sees errors seven times as large.
SHARE = 0.02
SMALL = Profile("small", factor=SHARE, needed=0.005 / SHARE**0.5)


def judge(rung: str, statement: Statement, setting: Setting) -> Evidence:
    return next(r for r in CLAIMS["C2"].rungs if r.name == rung).judge(statement, setting)


@pytest.fixture(scope="module")
def setting() -> Setting:
    seed = np.random.SeedSequence(5)
    return Setting({cell: cell.measure(seed, SHARE) for cell in ALL}, 1e-3, 0.999, SMALL.needed)


@pytest.fixture
def quick(setting: Setting) -> Setting:
    """What the quick profile measures of it."""
    return dataclasses.replace(setting, measured={cell: setting.measured[cell] for cell in CELLS})


def test_every_term_is_planted_with_an_error():
    terms = sum(len(sp.Add.make_args(sp.expand(formula))) for _, formula in C2.formulas)
    assert len(list(C2.planted(sp.Rational(1, 200)))) == terms


def test_networks_alone_refute_an_error_in_any_term_of_any_block_and_coefficient(quick: Setting):
    assert judge("finite", C2, quick).verdict == Verdict.CONFIRMED
    for error in (sp.Rational(36, 1000), -sp.Rational(36, 1000)):
        for label, wrong in C2.planted(error):
            evidence = judge("finite", wrong, quick)
            # The law for all degrees is a matter of derivation.
            assert (evidence.verdict == Verdict.REFUTED) == ("shift law" not in label), label


def test_a_refutation_names_form_block_and_entry(setting: Setting):
    wrong = next(
        w
        for label, w in C2.planted(sp.Rational(1, 2))
        if {"kernel,", "2:"} <= set(label.split()) and "gate_1" in label
    )
    detail = judge("finite", wrong, setting).detail
    assert detail.startswith("by kernel, relu with p = 2, d = 2, m = 3, block gate 1, rho = ")
    assert "networks have" in detail


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.name)
def test_every_cell_sees_every_term_of_its_own_network(cell: GateCell, setting: Setting):
    moments = setting.measured[cell]
    seen = sensitivities(C2, cell, moments, 1e-3 / 8 / len(ALL), 0.999)
    # 0.5 % at the quick profile's size: errors scale with the root of the number of neurons. With 2 % of the
    # neurons the covariance of the heaviest tails is itself known to some 5 % only.
    assert max(seen.values()) < 1.05 * SMALL.needed
    assert len(seen) >= len(next(iter(claimed(C2, cell)))[2])


def test_a_verdict_counts_the_networks_that_were_measured(setting: Setting, quick: Setting):
    assert {cell.gates for cell in CELLS} == {0, 1, 2}
    for number, measurements in ((4, quick), (8, setting)):
        evidence = judge("finite", C2, measurements)
        assert evidence.verdict == Verdict.CONFIRMED
        assert f"of {number} networks" in evidence.detail


def test_only_a_profile_that_says_so_measures_the_further_cells():
    for further, cells in ((False, CELLS), (True, ALL)):
        profile = dataclasses.replace(SMALL, factor=1e-4, further=further)
        assert set(measure([CLAIMS["C2"]], profile, seed=0).measured) == set(cells)


def test_without_power_the_claim_is_inconclusive(setting: Setting):
    evidence = judge("finite", C2, dataclasses.replace(setting, needed=0.005))
    assert evidence.verdict == Verdict.INCONCLUSIVE
    assert "more neurons are needed" in evidence.detail


@pytest.mark.parametrize(("value", "slope"), [(1.0, 1.03), (1.03, 1.0)])
def test_networks_with_another_activation_or_slope_are_told_apart(
    value: float, slope: float, monkeypatch: pytest.MonkeyPatch
):
    cell = GateCell("silu", 1, 1024)
    entries = np.concatenate(predicted(cell).blocks)
    phi, dphi = ACTIVATIONS["silu"]
    assert dphi is not None
    monkeypatch.setitem(ACTIVATIONS, "silu", (lambda u: value * phi(u), lambda u: slope * dphi(u)))
    moments = cell.measure(np.random.SeedSequence(1), 1.0)
    assert all(p < 1e-6 for p, *_ in joint_tests(C2, cell, moments))
    monkeypatch.undo()
    right = cell.measure(np.random.SeedSequence(1), 1.0)
    assert all(p > 1e-3 for p, *_ in joint_tests(C2, cell, right))
    assert np.abs(right.mean - entries).max() < 6 * np.sqrt(right.covariance.diagonal().max())


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: cell.name)
def test_blocks_and_coefficients_state_the_same_entries_as_the_derived_kernel(cell: GateCell):
    entries = np.concatenate(predicted(cell).blocks)
    forms = list(claimed(C2, cell))
    assert [what for what, _, _ in forms] == ["kernel", "alpha, beta, gamma"]
    for _, stated, _ in forms:
        # Kernel functions are right to 1e-12; ROUNDING, the test's own tolerance, is ten times that.
        np.testing.assert_allclose(stated, entries, atol=1e-12 * np.abs(entries).max())


def test_p_values_of_true_statements_are_uniform():
    cell = GateCell("silu", 1, 64)
    p_values = np.array(
        [joint_tests(C2, cell, cell.measure(np.random.SeedSequence(seed), 1.0))[0][0] for seed in range(100)]
    )
    # Binomial(100, q): beyond five standard deviations of 10 and of 50.
    assert np.sum(p_values < 0.1) < 25
    assert 25 < np.sum(p_values < 0.5) < 75


def test_every_term_belongs_to_one_block():
    for name, formula in C2.formulas:
        for term in sp.Add.make_args(sp.expand(formula)):
            assert len(term.free_symbols & set(MARKERS)) == (name != "shift law")


def test_small_norms_are_judged_by_the_kernel_alone():
    cell = GateCell("exp", 1, 256, variance=0.25)
    moments: EntryMoments = cell.measure(np.random.SeedSequence(0), 1.0)
    tests = joint_tests(C2, cell, moments)
    assert [what for _, what, _ in tests] == ["kernel"]
    assert tests[0][0] > 1e-3


def test_a_row_of_the_table_counts_what_was_caught():
    row = measured("tanh", 1, most=1)
    assert row["exact"] == "proved"
    assert cast(float, row["p-value"]) > 1e-4
    caught, planted = map(int, str(row["caught"]).split("/"))
    assert 0 < caught <= planted
