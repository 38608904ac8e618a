"""Claims F1 to F4: verdicts, planted errors, and wrong statements and laws that have to be refuted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp

from derivations.sources import STATEMENTS
from derivations.spectrum import spectrum_law
from derivations.symbols import d, m
from verify.audit import PLANTED
from verify.claim import Evidence, Sampled, Setting, Verdict
from verify.claims import CLAIMS, finite_width
from verify.claims.finite_width import LAW_CELLS, RANK_CELLS, WIDE, LawError, judge_law, law_errors
from verify.claims.spectrum.cells import Spectra
from verify.finite import finite_network
from verify.inputs import generate
from verify.montecarlo import empirical_ntk
from verify.one_network import network_kernel

SEVERAL = WIDE[:4]
NOTHING = Setting({}, 1e-4, 0.999, 0.005)


@cache
def setting() -> Setting:
    sequence = np.random.SeedSequence(4)
    cells: tuple[Sampled[Any], ...] = (*RANK_CELLS, *LAW_CELLS, *SEVERAL)
    measured = {cell: cell.measure(sequence, 1.0) for cell in cells}
    return Setting(measured, 1e-3 / 40, 0.999, 0.005)


@cache
def errors() -> tuple[LawError, ...]:
    return tuple(law_errors(setting()))


def judged(id: str, rung: str, within: Setting, **changes: Any) -> Evidence:
    found = next(each for each in CLAIMS[id].rungs if each.name == rung)
    return found.judge(replace(CLAIMS[id].statement, **changes), within)


@pytest.mark.parametrize("id", ["F1", "F2", "F3"])
def test_what_is_exact_is_proved_before_anything_is_measured(id: str):
    assert judged(id, "exact", NOTHING).verdict == Verdict.PROVED


@pytest.mark.parametrize("id", ["F2", "F3", "F4"])
def test_networks_confirm_it(id: str):
    evidence = judged(id, "finite", setting())
    assert evidence.verdict == Verdict.CONFIRMED, evidence.detail


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_error_in_the_mean_or_the_rank_is_refuted_on_every_rung(sign: int):
    for id in ("F1", "F3"):
        for label, wrong in STATEMENTS[id].planted(sign * PLANTED):
            assert judged(id, "exact", NOTHING, formulas=wrong.formulas).verdict == Verdict.REFUTED, label
            if id == "F3":
                assert judged(id, "finite", setting(), formulas=wrong.formulas).verdict == Verdict.REFUTED, (
                    label
                )


def test_a_rank_that_counts_a_column_twice_is_refuted():
    too_many = (("plain", m * (d + 1)), ("gated", 2 * m * d))
    for wrong in (too_many, (("plain", m * d), too_many[1]), (too_many[0], ("gated", m * (2 * d - 1)))):
        assert judged("F3", "finite", setting(), formulas=wrong).verdict == Verdict.REFUTED
        assert judged("F3", "exact", NOTHING, formulas=wrong).verdict == Verdict.REFUTED


def test_a_factor_in_the_mean_that_is_not_1_is_refuted_by_networks():
    # Cells of other networks would cost minutes: the kernel of very few neurons is enough for a factor of 2.
    cell = next(rung for rung in CLAIMS["F1"].rungs if rung.name == "finite").cells[1]
    small = Setting(
        {c: c.measure(np.random.SeedSequence(0), 0.002) for c in finite_width._entries().cells},
        1e-4,
        0.99,
        1.0,
    )
    assert cell in small.measured
    assert judged("F1", "finite", small).verdict == Verdict.CONFIRMED
    wrong = (("mean over kernel", sp.Integer(2)),)
    assert judged("F1", "finite", small, formulas=wrong).verdict == Verdict.REFUTED


def test_jensens_bounds_the_other_way_round_are_refuted():
    swapped: dict[Sampled[Any], Any] = {}
    for cell in SEVERAL:
        values = setting().measured[cell].values
        swapped[cell] = Spectra(values | {"exact": values["finite"], "finite": values["exact"]})
    evidence = judged("F2", "finite", replace(setting(), measured=swapped))
    assert evidence.verdict == Verdict.REFUTED
    assert "on the wrong side: lambda_n of relu" in evidence.detail


def test_the_law_of_infinite_width_is_refuted_in_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finite_width, "finite_spectrum_law", spectrum_law)
    assert judged("F4", "finite", setting()).verdict == Verdict.REFUTED


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_a_law_that_is_15_per_cent_off_is_refuted(factor: float):
    off = [replace(e, error=factor * (1 + e.error) - 1) for e in errors()]
    assert judge_law(off, 4.5)[0] == Verdict.REFUTED


def test_means_that_are_not_known_well_enough_confirm_nothing():
    noisy = [
        LawError(cell, quantity, 0.01, 0.08) for cell in LAW_CELLS for quantity in ("lambda_n", "lambda_1")
    ]
    assert judge_law(noisy, 4.5)[0] == Verdict.INCONCLUSIVE
    assert judge_law([replace(e, bar=0.01) for e in noisy], 4.5)[0] == Verdict.CONFIRMED


@pytest.mark.parametrize("name", ["relu", "swiglu", "gqu"])
def test_the_kernel_of_one_network_is_that_of_the_estimator(name: str):
    X = generate("gaussian", 7, 3, np.random.default_rng(0))
    for chosen in (finite_network(name), finite_network(name, "ntk", 0.5)):
        expected = empirical_ntk(chosen, X, 20, seeds=1, rng=5).mean
        # Sums of 20 neurons in another order.
        np.testing.assert_allclose(network_kernel(chosen, X, 20, 5), expected, rtol=1e-10, atol=1e-12)


def test_more_draws_begin_with_the_same_ones():
    cell = RANK_CELLS[0]
    few, many = (cell.measure(np.random.SeedSequence(8), factor) for factor in (0.01, 2.0))
    assert (len(few), len(many)) == (cell.draws, 2 * cell.draws)
    np.testing.assert_array_equal(few, many[: cell.draws])
