"""Claim C1: units as stated, derived and computed; the kernel with biases, and what the check catches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy as sp

from verify.audit import PLANTED
from verify.claim import Evidence, Setting, Verdict
from verify.claims import family
from verify.claims.family import CELL, CLAIMS, worst_difference
from verify.finite import finite_network

CLAIM = CLAIMS[0]
EXACT, FINITE = CLAIM.rungs


@cache
def setting(factor: float = 1.0) -> Setting:
    return Setting({CELL: CELL.measure(np.random.SeedSequence(5), factor)}, 1e-3, 0.999, 0.005)


def judged(rung: str, statement=CLAIM.statement, factor: float = 0.05) -> Evidence:
    return {"exact": EXACT, "finite": FINITE}[rung].judge(statement, setting(factor))


def test_the_units_are_proved_and_the_kernel_with_biases_is_confirmed() -> None:
    assert judged("exact").verdict == EXACT.expected == Verdict.PROVED
    evidence = judged("finite", factor=1.0)
    assert evidence.verdict == FINITE.expected == Verdict.CONFIRMED
    assert evidence.smallest_detectable is not None
    assert evidence.smallest_detectable < 0.005


@pytest.mark.parametrize("sign", [1, -1])
def test_half_a_percent_in_any_term_of_any_unit_is_refuted_on_both_rungs(sign: int) -> None:
    planted = list(CLAIM.statement.planted(sign * PLANTED))
    assert len(planted) == 7
    for label, wrong in planted:
        assert judged("exact", wrong).verdict == Verdict.REFUTED, label
        assert judged("finite", wrong).verdict == Verdict.REFUTED, label


def test_a_bias_that_is_left_out_is_refuted_on_both_rungs() -> None:
    formulas = tuple((name, formula.subs(family.BIAS, 0)) for name, formula in CLAIM.statement.formulas)
    wrong = replace(CLAIM.statement, formulas=formulas)
    for rung in ("exact", "finite"):
        assert judged(rung, wrong).verdict == Verdict.REFUTED


@pytest.mark.parametrize("block", [0, 1, 2])
def test_half_a_percent_in_any_block_of_the_kernel_is_refuted(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = list(family.terms(CELL))
    blocks[block] = blocks[block] * 1.005
    monkeypatch.setattr(family, "terms", lambda _: tuple(blocks))
    assert judged("finite", factor=1.0).verdict == Verdict.REFUTED


def test_too_few_neurons_are_inconclusive() -> None:
    assert judged("finite").verdict == Verdict.INCONCLUSIVE


def test_neurons_of_networks_with_biases_are_the_formula_at_their_weights() -> None:
    # The unit and its derivatives written out here: (v.x + b') sigmoid(w.x + b).
    network = finite_network("glu", bias_variance=0.5)
    X = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    weights = network.draw(np.random.default_rng(1), 3, 7, 50)
    assert weights.activation.shape == (50, 4)
    inner = X @ weights.activation[:, :3].T + weights.activation[:, 3]
    gate = X @ weights.gates[0, :, :3].T + weights.gates[0, :, 3]
    sigmoid = 1 / (1 + np.exp(-inner))
    factors = network.factors(weights, X, 7)
    np.testing.assert_allclose(factors.readout, gate * sigmoid, rtol=1e-13)
    np.testing.assert_allclose(
        factors.gradient[:, 0], weights.readout * gate * sigmoid * (1 - sigmoid), rtol=1e-12
    )
    np.testing.assert_allclose(factors.gradient[:, 1], weights.readout * sigmoid, rtol=1e-13)
    # The gradient by a bias is that factor times 1.
    assert network.rows(X)[:, 3].tolist() == [1.0, 1.0]


def test_a_difference_is_relative_to_the_largest_value() -> None:
    formula = dict(CLAIM.statement.formulas)["swiglu"]
    assert worst_difference("swiglu", formula) < 1e-14
    assert 1e-4 < worst_difference("swiglu", formula * (1 + sp.Rational(1, 1000))) < 1e-2
