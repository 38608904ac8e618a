"""Claims A7 to A14: verdicts on every rung, planted errors, and true statements that must not be refuted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import gamma, pi
from typing import Any

import numpy as np
import pytest
import sympy as sp

from derivations.sources import STATEMENTS, Statement
from derivations.symbols import d, m, n
from verify.audit import PLANTED
from verify.claim import RUNGS, Evidence, Sampled, Setting, Verdict
from verify.claims import CLAIMS
from verify.claims.spectrum import asymptotics, extremes, orderings, orders, quantities
from verify.claims.spectrum.asymptotics import finding
from verify.claims.spectrum.cells import Spectra, SpectrumCell
from verify.claims.spectrum.composition import composed, contradiction
from verify.claims.spectrum.ladders import DIMENSIONS, LADDERS
from verify.claims.spectrum.laws import Ends, law
from verify.claims.spectrum.matrices import exact_kernel, of_network, simplified
from verify.claims.spectrum.quantities import LOWER, RATIO, UPPER, compiled
from verify.claims.spectrum.trend import MARGIN, Point, trend
from verify.finite import finite_network
from verify.inputs import generate
from verify.montecarlo import empirical_ntk
from verify.streams import draw_neurons

IDS = tuple(f"A{number}" for number in range(7, 15))
# Enough for every verdict; the whole takes a quick audit's 17 s.
RATIOS = tuple((Fraction(samples), Fraction(10)) for samples in (Fraction(1, 2), 2, 5, 20))
CELLS = (
    *(cell for ratios in RATIOS for cell in LADDERS[ratios]),
    *(cell for cell in orderings.SMALL if cell.n in (3, 4, 7, 12)),
    *orders.NARROW.cells,
    *orders.CROWDED.cells,
)


@cache
def setting() -> Setting:
    measured: dict[Sampled[Any], Any] = {cell: cell.measure(np.random.SeedSequence(3), 1.0) for cell in CELLS}
    return Setting(measured, 1e-3 / 40, 0.999, 0.005)


def judged(id: str, rung: str, statement: Statement | None = None) -> Evidence:
    found = next(each for each in CLAIMS[id].rungs if each.name == rung)
    return found.judge(statement or CLAIMS[id].statement, setting())


def with_formula(id: str, name: str, formula: sp.Expr) -> Statement:
    statement = STATEMENTS[id]
    formulas = tuple((key, formula if key == name else value) for key, value in statement.formulas)
    return replace(statement, formulas=formulas)


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("rung", RUNGS)
def test_every_verdict_is_the_pinned_one_on_part_of_the_cells(id: str, rung: str):
    expected = next(each.expected for each in CLAIMS[id].rungs if each.name == rung)
    evidence = judged(id, rung)
    assert evidence.verdict == expected, evidence.detail
    if expected == Verdict.REFUTED:
        assert "instead: " in evidence.detail
        assert "smallest counterexample" in evidence.detail or "no constant bounds it" in evidence.detail


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("id", ["A7", "A8", "A10", "A11", "A13"])
def test_half_a_percent_in_any_term_is_refuted_term_by_term(id: str, sign: int):
    planted = list(STATEMENTS[id].planted(sign * PLANTED))
    assert len(planted) >= 4
    for label, wrong in planted:
        assert contradiction(wrong, composed()), label
    assert judged(id, "simplified", planted[0][1]).verdict == Verdict.REFUTED
    assert contradiction(STATEMENTS[id], composed()) == ""


def test_another_chain_may_stand_for_the_sum_of_terms():
    other = {"A7": {"lambda_1": STATEMENTS["A7"].formula("lambda_1") + 1}}
    evidence = extremes.judge("simplified", lambda: other, STATEMENTS["A7"], setting())
    assert evidence.verdict == Verdict.REFUTED
    assert "not the sum of its terms" in evidence.detail


def test_the_upper_bound_with_the_norm_of_the_gram_matrix_is_confirmed():
    missing = 2 * sp.sqrt(n * d) * (m + d) / (2 * sp.pi * d)
    right = with_formula("A8", "upper", STATEMENTS["A8"].formula("upper") + missing)
    assert judged("A8", "exact").verdict == Verdict.REFUTED
    assert judged("A8", "exact", right).verdict == Verdict.CONFIRMED


def test_networks_violate_an_upper_bound_that_the_exact_kernel_violates():
    quantity = extremes.QUANTITIES["A8"][1]
    found = finding(quantity, compiled(STATEMENTS["A8"].formula("upper")), "finite", setting())
    # By Jensen's inequality, so with the law's sizes in place of what was measured.
    assert len(found.trends[RATIOS[0]].points) == len(DIMENSIONS)
    assert found.trends[RATIOS[0]].verdict == Verdict.REFUTED


@pytest.mark.parametrize("id", ["A7", "A10", "A11"])
@pytest.mark.parametrize("factor", [sp.Rational(4, 5), sp.Rational(5, 4)])
def test_a_wrong_constant_in_front_is_refuted_by_eigenvalues(id: str, factor: sp.Rational):
    (name, formula), *_ = STATEMENTS[id].formulas
    evidence = judged(id, "exact", with_formula(id, name, factor * formula))
    assert evidence.verdict == Verdict.REFUTED
    assert "smallest counterexample" in evidence.detail


def test_the_laws_own_value_is_confirmed_as_it_stands():
    quantity = extremes.QUANTITIES["A10"][0]
    found = finding(quantity, lambda *size: quantity.by_law("exact", size), "exact", setting())
    assert found.verdict == Verdict.CONFIRMED
    assert all(not point.is_off for points in found.points.values() for point in points[1:])


def test_a_law_that_measurements_contradict_decides_nothing(monkeypatch: pytest.MonkeyPatch):
    def wrong(rung: str, name: str, *size: int) -> Ends:
        ends = law(rung, name, *size)
        return ends._replace(smallest=1.5 * ends.smallest)

    monkeypatch.setattr(quantities, "law", wrong)
    evidence = judged("A10", "exact")
    assert evidence.verdict == Verdict.INCONCLUSIVE
    assert "is not what was measured" in evidence.detail


def test_the_report_of_the_smallest_eigenvalue_names_a_practical_size():
    detail = judged("A10", "exact").detail
    assert "at n = 2000, d = 100, m = 1000: lambda_n stated 115.8, by the law 32" in detail
    assert extremes.PRACTICAL in next(r for r in CLAIMS["A10"].rungs if r.name == "exact").further


def test_the_slope_of_the_largest_eigenvalue_holds_at_one_neuron():
    dimension = 50
    slope = 2 * dimension / (4 * pi) * (gamma(dimension / 2) / gamma((dimension + 1) / 2)) ** 2
    near, far = (law("exact", "relu", rows, dimension, 1).largest for rows in (4000, 8000))
    # The other degrees add a constant, a few of the diagonal's entries.
    assert (far - near) / 4000 == pytest.approx(slope, rel=2e-3)


@pytest.mark.parametrize(
    ("relation", "stated", "off"),
    [(RATIO, 2.0, 0.693), (LOWER, 2.0, 0.693), (LOWER, 0.5, 0.0), (UPPER, 0.5, 0.693), (UPPER, 2.0, 0.0)],
)
def test_bounds_are_off_on_one_side_only(relation: str, stated: float, off: float):
    assert Point((1, 1, 1), stated, 1.0, relation).off == pytest.approx(off, abs=1e-3)


def test_trends_need_more_than_noise():
    def ladder(first: float, last: float, error: float) -> list[Point]:
        logs, sizes = (first, (first + last) / 2, last), ((1, 10, 1), (1, 20, 1), (1, 40, 1))
        return [
            Point(size, float(np.exp(value)), 1.0, RATIO, error, 6 * error)
            for value, size in zip(logs, sizes, strict=True)
        ]

    assert trend(ladder(0.5, 0.2, 0.01)).verdict == Verdict.CONFIRMED
    assert trend(ladder(0.5, 0.5, 0.01)).verdict == Verdict.REFUTED
    assert trend(ladder(0.5, 0.5, 0.1)).verdict == Verdict.INCONCLUSIVE
    assert trend(ladder(0.5, 0.35, 0.05)).verdict == Verdict.INCONCLUSIVE
    assert trend(ladder(MARGIN / 4, MARGIN / 2, 0.001)).verdict == Verdict.CONFIRMED


def test_the_right_order_of_the_largest_eigenvalue_is_confirmed():
    for rung in ("simplified", "exact"):
        # From d = 20 on; at d = 10 the edge of the bulk is still above its share.
        verdict, sentence = orders.follow(
            orders.GATED_TRUE, orders.Path(orders.NARROW.cells[1:], "d"), rung, setting()
        )
        assert verdict != Verdict.REFUTED, sentence
        assert orders.follow(orders.GATED_LARGEST, orders.NARROW, rung, setting())[0] == Verdict.REFUTED


def test_orderings_are_decided_by_certain_signs_only():
    def outcomes(mean: float) -> Setting:
        values = np.zeros((2, 40, 2))
        values[1, :, 0] = mean + np.random.default_rng(0).standard_normal(40)
        values[..., 1] = 10.0
        cells = orderings.SMALL[:2]
        return Setting({cell: Spectra({"exact": values}) for cell in cells}, 1e-3, 0.999, 0.005)

    for mean, verdict in ((3.0, Verdict.CONFIRMED), (-3.0, Verdict.REFUTED), (0.1, Verdict.INCONCLUSIVE)):
        found = orderings.outcomes(orderings.smallest_ahead, "exact", outcomes(mean))
        assert orderings.ordering(found, "the difference")[0] == verdict


def test_on_the_sphere_the_gated_kernel_is_never_behind():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = generate("sphere", int(rng.integers(3, 12)), 2 + seed % 4, rng)
        width = (1, 7, 40)[seed % 3]
        plain, gated = (np.linalg.eigvalsh(exact_kernel(name, width)(X))[0] for name in ("relu", "reglu"))
        # Rounding: n eps times the largest entry.
        assert gated >= plain - 1e-12 * width


@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_networks_kernels_are_those_of_the_estimator(name: str):
    X = generate("gaussian", 7, 3, np.random.default_rng(0))
    np.testing.assert_allclose(
        of_network(name, X, 20, rng=5), empirical_ntk(name, X, 20, seeds=1, rng=5).mean, rtol=1e-10
    )


def test_both_networks_have_the_same_readout_and_activation_weights():
    plain, gated = (next(draw_neurons(finite_network(name), 5, 3, 8, 8, 1, 1)) for name in ("relu", "reglu"))
    np.testing.assert_array_equal(plain.activation, gated.activation)
    np.testing.assert_array_equal(plain.readout, gated.readout)


@pytest.mark.parametrize(("name", "power"), [("relu", 1), ("reglu", 2)])
def test_simplified_matrices_share_their_diagonal_with_the_exact_kernel(name: str, power: int):
    X = generate("gaussian", 6, 4, np.random.default_rng(1))
    K, simple = exact_kernel(name, 9)(X), simplified(name, X, 9)
    np.testing.assert_allclose(np.diagonal(simple), np.diagonal(K), rtol=1e-13)
    off = simplified(name, np.eye(2), 9)[0, 1]
    assert off == pytest.approx(9 / (4 * pi) if power == 1 else 0.0)


@pytest.mark.parametrize("rung", ["simplified", "exact"])
def test_the_law_meets_measured_spectra(rung: str):
    cell = LADDERS[RATIOS[1]][2]
    spectra = setting().measured[cell]
    for name in ("relu", "reglu"):
        ends = law(rung, name, cell.n, cell.d, cell.width)
        # A few rows' lengths decide the smallest eigenvalue: 5 % from draw to draw.
        assert ends.smallest == pytest.approx(spectra.smallest(rung, name).mean(), rel=0.1)
        assert ends.largest == pytest.approx(spectra.largest(rung, name).mean(), rel=0.05)


def test_more_draws_begin_with_the_same_ones():
    cell = SpectrumCell(4, 3, 2, 3)
    few, many = (cell.measure(np.random.SeedSequence(8), factor) for factor in (0.01, 2.0))
    for rung in RUNGS:
        assert few.values[rung].shape == (2, 3, 2)
        assert many.values[rung].shape == (2, 6, 2)
        # A stack of more data sets is another call of the kernel: equal to its rounding.
        np.testing.assert_allclose(few.values[rung], many.values[rung][:, :3], rtol=1e-9, atol=1e-12)


def test_half_widths_are_wider_where_less_was_drawn():
    first, last = asymptotics.half_widths([np.array([0.9, 1.1] * 8), np.array([0.99, 1.01])], 1e-3)
    assert first < last
