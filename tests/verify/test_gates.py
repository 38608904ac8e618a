"""C2: blocks of kernels with linear gates, their expansions, and networks that measure them."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
import sympy as sp

from benchmarks.gates import measured
from derivations.sources import STATEMENTS, Statement
from derivations.sources.gate_expansions import MARKERS, SLOPE_SQUARE, SQUARE
from derivations.symbols import Hermite
from verify.activations import ACTIVATIONS
from verify.audit import Profile, run_audit
from verify.cells import Cell
from verify.claim import Evidence, Setting, Verdict
from verify.claims import CLAIMS
from verify.claims.gates import (
    CELLS,
    FORMS,
    WIDTH,
    GateCell,
    claimed,
    contradiction,
    exact_moments,
    joint_tests,
    predicted,
    quadrature_moments,
    sensitivities,
)
from verify.moments import EntryMoments, neuron_moments

C2 = STATEMENTS["C2"]
# A fiftieth of the quick profile's neurons sees errors seven times as large.
SHARE = 0.02
SMALL = Profile("small", factor=SHARE, needed=0.005 / SHARE**0.5)


def judge(rung: str, statement: Statement, setting: Setting) -> Evidence:
    return next(r for r in CLAIMS["C2"].rungs if r.name == rung).judge(statement, setting)


@pytest.fixture(scope="module")
def setting() -> Setting:
    seed = np.random.SeedSequence(5)
    cells = {cast(Cell, cell): cell.measure(seed, SHARE) for cell in CELLS}
    return Setting(cells, 1e-3, 0.999, SMALL.needed)


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What was remembered of the activations is forgotten, before and after they are changed."""
    for function in (quadrature_moments, contradiction):
        function.cache_clear()
    yield
    for function in (quadrature_moments, contradiction):
        function.cache_clear()


def wrong_silu(monkeypatch: pytest.MonkeyPatch, value: float = 1.0, slope: float = 1.0) -> None:
    phi, dphi = ACTIVATIONS["silu"]
    assert dphi is not None
    monkeypatch.setitem(ACTIVATIONS, "silu", (lambda u: value * phi(u), lambda u: slope * dphi(u)))


def test_the_audit_confirms_the_claim_and_refutes_every_planted_error():
    audit = run_audit(["C2"], profile=SMALL, seed=3)
    assert audit.unexpected == 0
    terms = sum(len(sp.Add.make_args(sp.expand(formula))) for _, formula in C2.formulas)
    assert len(audit.controls) == 2 * terms
    assert all("exact" in control.refuted_on for control in audit.controls)


def test_networks_alone_refute_an_error_in_any_term_of_any_block_and_coefficient(setting: Setting):
    assert judge("finite", C2, setting).verdict == Verdict.CONFIRMED
    for error in (sp.Rational(36, 1000), -sp.Rational(36, 1000)):
        for label, wrong in C2.planted(error):
            evidence = judge("finite", wrong, setting)
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


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_every_cell_sees_every_term_of_its_own_network(cell: GateCell, setting: Setting):
    moments = setting.measured[cast(Cell, cell)]
    seen = sensitivities(C2, cell, moments, 1e-3 / 8 / len(CELLS), 0.999)
    # 0.5 % at the quick profile's size: errors scale with the root of the number of neurons. With 2 % of the
    # neurons the covariance of the heaviest tails is itself known to some 5 % only.
    assert max(seen.values()) < 1.05 * SMALL.needed
    assert len(seen) >= len(next(iter(claimed(C2, cell)))[2])


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
    wrong_silu(monkeypatch, value, slope)
    moments = cell.measure(np.random.SeedSequence(1), 1.0)
    assert all(p < 1e-6 for p, *_ in joint_tests(C2, cell, moments))
    monkeypatch.undo()
    right = cell.measure(np.random.SeedSequence(1), 1.0)
    assert all(p > 1e-3 for p, *_ in joint_tests(C2, cell, right))
    assert np.abs(right.mean - entries).max() < 6 * np.sqrt(right.covariance.diagonal().max())


@pytest.mark.parametrize(("activation", "p"), [("gelu", 0), ("silu", 1), ("relu", 2)])
def test_the_blocks_add_up_to_the_kernel_of_the_same_networks(activation: str, p: int):
    cell, seed = GateCell(activation, p, 8), np.random.SeedSequence(2)
    blocks = cell.measure(seed, 1.0)
    key = np.random.SeedSequence(2, spawn_key=(zlib.crc32(cell.name.encode()),))
    whole = neuron_moments(cell.network, cell.X, WIDTH, blocks.neurons, key)
    add = np.tile(np.eye(10), 2 + p)
    # Sums of 8192 terms, in another order.
    np.testing.assert_allclose(add @ blocks.mean, whole.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(add @ blocks.covariance @ add.T, whole.covariance, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
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


@pytest.mark.parametrize(
    "activation", ["relu", "abs", "identity", "sin", "gaussian", "exp", "sigmoid", "tanh"]
)
def test_derived_moments_are_those_of_quadrature(activation: str):
    exact, numbers = exact_moments(activation, 1), quadrature_moments(activation)
    for name in (Hermite(0), Hermite(1), SQUARE, SLOPE_SQUARE):
        # Quadrature is right to 1e-13 of the second moment.
        scale = float(sp.N(exact[SQUARE], 17)) + 1
        assert float(sp.N(exact[name], 17)) == pytest.approx(numbers[name], abs=1e-12 * scale)


@pytest.mark.parametrize(("id", "p"), [("A5", 0), ("A6", 1)])
def test_the_forms_contain_the_published_coefficients_of_relu(id: str, p: int):
    for name in FORMS[1:]:
        formula = (
            C2.formula(f"{name}, p = {p}").subs(dict.fromkeys(MARKERS, 1)).subs(exact_moments("relu", p))
        )
        assert sp.expand(formula - STATEMENTS[id].formula(name)) == 0


@pytest.mark.parametrize(
    ("activation", "p"), [("relu", 2), ("abs", 1), ("exp", 2), ("softplus", 2), ("mish", 0)]
)
def test_the_forms_hold_for_other_members_of_the_family(activation: str, p: int):
    for name in FORMS:
        assert contradiction(name, C2.formula(f"{name}, p = {p}"), activation, p) == ""
    assert contradiction("shift law", C2.formula("shift law"), activation, p) == ""


def test_a_wrong_form_is_contradicted_with_both_sides():
    wrong = C2.formula("beta, p = 1") * sp.Rational(201, 200)
    text = contradiction("beta", wrong, "relu", 1)
    assert text.startswith("beta of relu with p = 1: stated ")
    assert "derived" in text


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [("kernel", 1.0, 1 + 1e-9), ("alpha", 1 + 1e-9, 1.0), ("gamma", 1.0, 1 + 1e-9)],
)
@pytest.mark.usefixtures("forgetful")
def test_quadrature_of_another_function_contradicts_the_derived_numbers(
    name: str, value: float, slope: float, monkeypatch: pytest.MonkeyPatch
):
    wrong_silu(monkeypatch, value, slope)
    assert "by quadrature" in contradiction(name, C2.formula(f"{name}, p = 1"), "silu", 1)


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
