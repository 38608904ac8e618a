"""Maps of where published statements hold: their numbers, error bars, sources, and what they say in words."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from derivations import kernel_function, network
from derivations.errors import InputError
from verify import empirical_ntk
from verify.claim import RUNGS, Verdict
from verify.claims.corrections import correction
from verify.claims.spectrum import CLAIMS, cells
from verify.claims.spectrum.cells import SpectrumCell
from verify.claims.spectrum.laws import law
from verify.claims.spectrum.matrices import coefficients
from verify.inputs import DISTRIBUTIONS, generate
from verify.regimes import IDS, Regime, formulas_of, maps, regime_map, summaries
from verify.regimes.formulas import ORDERING
from verify.regimes.maps import DENSE
from verify.regimes.truths import Known, SmallestAdvantage

measure = SpectrumCell.measure
ALL = pytest.mark.parametrize(("rung", "data"), [(rung, data) for rung in RUNGS for data in DISTRIBUTIONS])


def one(*arguments, **options) -> Regime:
    (row,) = regime_map(*arguments, **options)
    return row


def one_ratio(n: int, d: int, width: int, rung: str) -> Known:
    """lambda_n(K~)/lambda_n(K) on the sphere."""
    drawn = SpectrumCell(n, d, width, 20, (rung,), "sphere").measure(np.random.SeedSequence(0), 1.0)
    return SmallestAdvantage().measured(rung, drawn, 0.01)


def within(row: Regime, values: np.ndarray) -> bool:
    """Five standard errors of the difference between a row's mean and that of independent draws."""
    return bool(abs(row.true - values.mean()) < 5 * np.hypot(row.error, values.std() / np.sqrt(len(values))))


@pytest.mark.parametrize("data", DISTRIBUTIONS)
def test_small_kernels_are_dense_and_large_ones_by_the_law_where_it_is_reliable(data: str):
    rows = regime_map("A10", [30, DENSE, 2000], [100, 3], width=50, data=data)
    assert [(row.n, row.d, row.source) for row in rows] == [
        (30, 3, "dense"), (DENSE, 3, "dense"), (2000, 3, ""),
        (30, 100, "dense"), (DENSE, 100, "dense"), (2000, 100, "law"),
    ]  # fmt: skip
    unknown = rows[2]
    assert np.isnan([unknown.true, unknown.ratio, unknown.low, unknown.error]).all()
    assert unknown.holds is None
    kernel = kernel_function(network("relu"), width=50)
    drawn = [kernel(generate(data, 30, 3, np.random.default_rng(s))) for s in range(200)]
    assert within(rows[0], np.array([np.linalg.eigvalsh(K)[0] for K in drawn]))


@pytest.mark.parametrize("data", DISTRIBUTIONS)
def test_networks_are_those_whose_kernels_are_measured_elsewhere(data: str):
    row = one("A7", [12], [4], width=6, rung="finite", data=data)
    assert (row.source, row.draws) == ("networks", 128)
    values = [
        np.linalg.eigvalsh(
            empirical_ntk(
                "relu", generate(data, 12, 4, np.random.default_rng(s)), width=6, seeds=1, rng=s
            ).mean
        )[-1]
        for s in range(200)
    ]
    assert within(row, np.array(values))
    assert one("A7", [DENSE + 1], [4], width=6, rung="finite").source == ""


@ALL
def test_a_formula_that_is_off_by_a_factor_is_seen(rung: str, data: str, monkeypatch: pytest.MonkeyPatch):
    def planted(factor: float, claim: str):
        return tuple(
            replace(formula, stated=lambda *size, formula=formula: factor * formula.stated(*size))
            for formula in formulas_of(claim)
        )

    # The statements change, what is measured does not.
    measured = cache(lambda cell: measure(cell, np.random.SeedSequence(0), 1.0))
    monkeypatch.setattr(SpectrumCell, "measure", lambda cell, seed, factor: measured(cell))
    sizes = {"A7": ([100], [50]), "A8": ([300], [20]), "A10": ([20], [200]), "A11": ([5], [400])}
    options: dict[str, Any] = {"width": 300, "rung": rung, "data": data, "tolerance": 0.3}
    for claim, grid in sizes.items():
        assert {row.holds for row in regime_map(claim, *grid, **options)} == {True}, claim
        for factor in (1 / 3, 3.0):
            monkeypatch.setattr(maps, "formulas_of", partial(planted, factor))
            for row in regime_map(claim, *grid, **options):
                # A bound that is too wide is not wrong.
                assert row.holds is (row.relation == "lower" if factor < 1 else row.relation == "upper"), row
        monkeypatch.setattr(maps, "formulas_of", formulas_of)


def test_intervals_of_networks_cover_the_mean_and_errors_are_what_means_scatter_by():
    draw = SpectrumCell(4, 3, 5, 3000, ("finite",)).measure(np.random.SeedSequence(99), 1.0)
    mean = draw.smallest("finite", "reglu").mean()
    rows = [one("A11", [4], [3], width=5, rung="finite", rng=seed) for seed in range(40)]
    # At a skewness of 15 an interval at 1 % misses with 2 %: six or more of 40 do with 0.02 %.
    assert sum(not row.low <= mean <= row.high for row in rows) <= 5
    # 39 degrees of freedom: the ratio of standard deviations is within 1 +- 0.11 at one sigma; four of them.
    scatter = np.std([row.true for row in rows], ddof=1) / np.sqrt(np.mean([row.error**2 for row in rows]))
    assert 0.55 < scatter < 1.45


@pytest.mark.parametrize("relation", ["ratio", "lower", "upper"])
def test_a_formula_holds_only_where_all_of_the_interval_says_so(relation: str):
    def said(low: float, high: float) -> bool | None:
        return maps._holds(relation, 1.1, Known((low + high) / 2, 0.1, low, high), 0.1)

    assert said(1.05, 1.15) is True
    assert said(1.0, 1.3) is (True if relation == "lower" else None)
    assert said(0.9, 1.1) is (True if relation == "upper" else None)
    assert said(1.3, 1.4) is (relation == "lower")
    assert said(0.8, 0.9) is (relation == "upper")
    assert said(np.nan, np.nan) is None


@pytest.mark.parametrize("data", DISTRIBUTIONS)
@pytest.mark.parametrize("rung", ["simplified", "exact"])
def test_the_law_is_as_right_as_its_interval_says(rung: str, data: str):
    sizes = [(500, d, 30) for d in (20, 30, 60)]
    for size in sizes:
        drawn = SpectrumCell(*size, 6, (rung,), data).measure(np.random.SeedSequence(3), 1.0)
        for claim in ("A7", "A10", "A11"):
            (formula,) = formulas_of(claim)
            known = formula.truth.by_law(rung, size, data)
            truth = formula.truth.measured(rung, drawn, 0.01)
            assert known.low < known.value < known.high
            assert known.low <= truth.high, (size, claim)
            assert known.high >= truth.low, (size, claim)


def test_where_the_law_is_not_reliable_it_says_nothing():
    (formula,) = formulas_of("A11")
    assert not law("exact", "reglu", 1500, 20, 1000, "sphere").reliable
    assert np.isnan(formula.truth.by_law("exact", (1500, 20, 1000), "sphere").value)


def test_on_the_sphere_a_simplified_matrix_of_few_features_leaves_its_diagonal_term():
    plain, gated = (one(id, [1000], [6], width=50, rung="simplified", data="sphere") for id in ("A10", "A11"))
    for row, name in ((plain, "relu"), (gated, "reglu")):
        gamma = coefficients(name, 6, 50)[2]
        # A diagonal is a degree of so many dimensions that its eigenvalues spread by 2e-4.
        assert row.true == pytest.approx(gamma * 6 ** (1 + (name == "reglu")), rel=5e-4)
        assert row.source == "law"


def test_a_network_that_is_not_needed_is_not_measured(monkeypatch: pytest.MonkeyPatch):
    built: list[str] = []

    def noted(name: str, X: np.ndarray, width: int) -> np.ndarray:
        built.append(name)
        return np.eye(len(X)) * (1 + len(built))

    monkeypatch.setattr(cells, "simplified", noted)
    for claim, needed in (("A10", {"relu"}), ("A8", {"reglu"}), ("A13", {"relu", "reglu"})):
        built.clear()
        regime_map(claim, [5], [3], width=2, rung="simplified")
        assert set(built) == needed


def test_the_law_needs_its_interval():
    # Six draws of the smallest eigenvalue on the sphere are off the law by 7 +- 1 %.
    drawn = SpectrumCell(500, 20, 30, 6, ("exact",), "sphere").measure(np.random.SeedSequence(3), 1.0)
    (formula,) = formulas_of("A10")
    assert (
        formula.truth.by_law("exact", (500, 20, 30), "sphere").value
        > formula.truth.measured("exact", drawn, 0.01).high
    )


def test_bounds_and_orderings_say_whether_they_hold():
    lower, upper = regime_map("A8", [50], [100], width=1000)
    assert (lower.holds, upper.holds) == (True, False)
    assert upper.ratio < 1
    fails, holds = (regime_map("A13", [n], [20], width=100) for n in (5120, 320))
    assert [row.holds for row in fails] == [False, False]
    assert holds[0].holds is True
    assert fails[0].true < 1
    assert fails[1].true < 0
    assert np.isnan(fails[1].ratio)
    # An ordering has no tolerance, whatever that of the formula beside it.
    assert [row.tolerance for row in regime_map("A13", [10], [3], width=4, tolerance=0.5)] == [0.0, 0.5]
    worse, better = (one("A14", [n], [d], width=100) for n, d in ((60, 3), (2000, 100)))
    assert (worse.holds, better.holds) == (False, True)
    assert (worse.source, better.source) == ("dense", "law")


def test_on_the_sphere_the_gated_smallest_eigenvalue_is_never_behind():
    # A theorem for all n, d and m; Gaussian rows are behind at most of these sizes.
    grid = [20, 60], [2, 3, 5]
    fails = {
        data: sum(
            row.holds is False
            for row in regime_map("A13", *grid, width=20, data=data)
            if row.relation == ORDERING
        )
        for data in DISTRIBUTIONS
    }
    assert fails["sphere"] == 0
    assert fails["gaussian"] >= 4


@pytest.mark.parametrize("rung", ["simplified", "exact"])
def test_one_row_of_the_sphere_has_a_ratio_without_an_interval(rung: str):
    for width, size in ((50, 3), (7, 10), (1, 2)):
        row = one_ratio(1, size, width, rung)
        # K = (m + d)/2 and (m + 2 d)/2 in every draw: 8 roundings of sums of d squares.
        assert row.value == pytest.approx((width + 2 * size) / (width + size), rel=1e-13)
        assert row.high - row.low < 1e-12
        assert row.value > 1


@pytest.mark.parametrize("rung", RUNGS)
def test_orders_hold_near_their_constant_and_fail_where_they_run_away(rung: str):
    plain, gated = regime_map("A9", [100], [5], width=1000, rung=rung)
    assert (plain.holds, gated.holds) == (True, True)
    assert regime_map("A9", [200], [100], width=2, rung=rung)[1].holds is False
    for row in regime_map("A12", [10], [40], width=40, rung=rung):
        assert row.holds is True
    for row in regime_map("A12", [60], [3], width=160, rung=rung):
        assert row.holds is False


def test_orders_have_the_constants_of_the_source():
    plain, gated = formulas_of("A9")
    largest = 10**9, 10, 10**6
    assert plain.stated(*largest) == pytest.approx(formulas_of("A7")[0].stated(*largest), rel=1e-4)
    assert gated.stated(*largest) == pytest.approx(formulas_of("A8")[0].stated(*largest), rel=1e-4)


def test_singular_kernels_have_no_ordering_and_no_ratio():
    # 4 weights per gradient block: fewer than rows; the gated network has 7 and is singular too.
    rows = regime_map("A13", [10], [4], width=1, rung="finite")
    assert rows[0].holds is None
    assert np.isnan(rows[0].true)
    # With 12 and 21 the plain one alone is.
    (row, _) = regime_map("A13", [15], [4], width=3, rung="finite")
    assert (row.true, row.holds) == (np.inf, True)
    assert one("A10", [15], [4], width=3, rung="finite").ratio == np.inf


def test_sizes_that_a_claim_does_not_speak_of_are_left_out():
    found = regime_map("A14", [10, 200], [5, 100], width_per_dimension=2.0)
    assert {row.size for row in found} == {(10, 5, 10), (200, 5, 10), (200, 100, 200)}
    assert {row.size for row in regime_map("A9", [10, 5], [10], width=3)} == {(10, 10, 3)}
    assert regime_map("A13", [10], [10], width=3) == []


def test_rows_are_tables():
    assert list(asdict(one("A7", [50], [100], width=10))) == [
        "claim", "formula", "relation", "rung", "data", "n", "d", "m", "stated", "true", "error", "low", "high",
        "ratio", "tolerance", "holds", "source", "draws",
    ]  # fmt: skip


def test_a_size_does_not_depend_on_the_others():
    alone = one("A10", [20], [10], width=5)
    among = next(row for row in regime_map("A10", [10, 20], [5, 10], width=5) if row.size == alone.size)
    assert (alone.true, alone.error) == (among.true, among.error)
    # The same false-alarm rate is shared by more sizes.
    assert among.high - among.low > alone.high - alone.low


def test_progress_counts_sizes():
    told: list[tuple[str, int, int]] = []
    regime_map("A7", [5, 6], [3], width=4, progress=lambda *what: told.append(what))
    assert told == [("n = 5, d = 3", 0, 2), ("n = 6, d = 3", 1, 2)]


def test_a_summary_counts_and_finds_the_smallest_counterexample():
    rows = regime_map("A10", [10, 50, 200, 2000], [100, 5], width=100)
    (found,) = summaries(rows)
    assert found.holds + found.fails + found.undecided + found.unknown == found.sizes == 8
    assert found.counterexample == min((row for row in rows if row.holds is False), key=lambda row: row.size)
    assert found.share == found.holds / (found.holds + found.fails)
    by_dimension = dict(found.regions)
    assert by_dimension[100] == (("holds", (10, 50)), ("fails", (200, 2000)))
    assert by_dimension[5] == (("fails", (10, 200)), ("not known", (2000, 2000)))


@pytest.mark.parametrize("id", IDS)
def test_every_claim_has_a_map(id: str):
    rows = regime_map(id, [6], [3], width=4)
    assert [row.formula for row in rows] == [formula.name for formula in formulas_of(id)]
    assert [summary.formula for summary in summaries(rows)] == [row.formula for row in rows]
    assert np.isfinite([row.true for row in rows]).all()


def test_every_refuted_statement_has_a_correction():
    for claim in CLAIMS:
        for rung in claim.rungs:
            if rung.expected == Verdict.REFUTED:
                assert correction(claim.id, rung.name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"claim": "A6", "width": 3}, "claim must be one of A7, A8, A9"),
        ({}, "width or width-per-dimension must be given"),
        ({"width": 3, "width_per_dimension": 3.0}, "and not both"),
        ({"width": 0}, "width must be a positive integer, got 0"),
        ({"width": 10**10}, "width must be at most 1e\\+09, got 10000000000"),
        ({"width_per_dimension": np.nan}, "width-per-dimension must be a positive number, got nan"),
        ({"width_per_dimension": 1e300}, "width must be at most 1e\\+09"),
        ({"width": 3, "draws": 1}, "draws must be at least 2, got 1"),
        ({"width": 3, "rung": "exactly"}, "rung must be one of"),
        ({"width": 3, "data": "uniform"}, "data must be one of"),
        (
            {"width": 3, "claim": "A14", "tolerance": 0.2},
            "tolerance must be left out for A14, an ordering, got 0.2",
        ),
        ({"width": 3, "claim": "A17", "tolerance": 1.0}, "tolerance must be below 1 for A17"),
        ({"width": 3, "tolerance": -0.1}, "tolerance must be a number, 0 or larger, got -0.1"),
        ({"width": 10**9, "rung": "finite"}, "width must be smaller for a map of networks"),
        ({"width": 3, "samples": [0]}, "n must be a positive integer, got 0"),
        ({"width": 3, "samples": []}, "n must hold at least one number, got none"),
        ({"width": 3, "dimensions": [1]}, "d must be at least 2, got 1"),
    ],
)
def test_bad_arguments_are_told(arguments: dict, message: str):
    with pytest.raises(InputError, match=message):
        regime_map(**{"claim": "A7", "samples": [20], "dimensions": [10]} | arguments)
