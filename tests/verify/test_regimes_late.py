"""The map of who is ahead late: shares of data sets, from draws and by the law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from derivations import kernel_function, network
from verify.claims.spectrum.cells import Spectra, SpectrumCell
from verify.claims.spectrum.laws import law
from verify.inputs import generate
from verify.regimes import Regime, formulas_of, maps, regime_map, summaries, truths
from verify.regimes.formulas import SHARE
from verify.regimes.interval import share_interval
from verify.regimes.maps import DATA_SETS
from verify.regimes.truths import FAR, ShareAhead


def one(n: int, d: int, **options) -> Regime:
    (row,) = regime_map("A17", [n], [d], **({"width": 1000} | options))
    return row


@pytest.mark.parametrize("draws", [1, 7, 40])
def test_a_share_is_missed_no_more_often_than_promised_and_hardly_less(draws: int):
    alpha = 0.05
    ends = [share_interval(count, draws, alpha) for count in range(draws + 1)]
    for share in np.linspace(0, 1, 101):
        missed = sum(
            binom.pmf(k, draws, share) for k, (low, high) in enumerate(ends) if not low <= share <= high
        )
        assert missed <= alpha * (1 + 1e-9)
    # At its own end each count is at the edge of alpha/2: no shorter interval does on both sides.
    for count, (low, high) in enumerate(ends):
        assert count == 0 or binom.sf(count - 1, draws, low) == pytest.approx(alpha / 2)
        assert count == draws or binom.cdf(count, draws, high) == pytest.approx(alpha / 2)


def test_what_is_mapped_is_the_share_and_not_the_ratio_of_means():
    row = one(30, 5)
    rng = np.random.default_rng(8)
    plain, gated = (kernel_function(network(name), width=1000) for name in ("relu", "reglu"))
    drawn = [generate("gaussian", 30, 5, rng) for _ in range(300)]
    smallest = np.array([[np.linalg.eigvalsh(K(X))[0] for K in (plain, gated)] for X in drawn])
    share = np.mean(smallest[:, 1] > smallest[:, 0])
    # Five standard errors of the difference of two shares.
    assert abs(row.true - share) < 5 * np.hypot(row.error, np.sqrt(share * (1 - share) / 300))
    assert row.low < row.true < row.high
    # The means are the other way round.
    assert smallest[:, 1].mean() > 1.1 * smallest[:, 0].mean()
    assert row.holds is False
    assert (row.relation, row.stated, row.source) == (SHARE, 1.0, "dense")


def test_enough_are_drawn_to_say_that_it_holds():
    row = one(60, 100)
    assert (row.true, row.draws, row.holds) == (1.0, DATA_SETS, True)
    assert row.low == pytest.approx((0.01 / 2) ** (1 / DATA_SETS))
    few = one(60, 100, draws=20)
    assert (few.true, few.draws, few.holds) == (1.0, 66, True)  # 4000 rows in all
    assert one(60, 100, tolerance=0.01).holds is None


@pytest.mark.parametrize(
    ("true", "said"), [(1.0, True), (0.97, None), (0.9, None), (0.84, None), (0.5, False)]
)
def test_a_share_holds_only_where_it_surely_exceeds_1_less_the_tolerance(true: float, said: bool | None):
    class Planted(Spectra):
        def smallest(self, rung: str, name: str) -> np.ndarray:
            return np.where(np.arange(128) < true * 128, 2.0, 0.5) if name == "reglu" else np.ones(128)

    known = ShareAhead().measured("exact", Planted({}), 1e-4)
    assert known.value == pytest.approx(true, abs=1 / 128)
    assert maps._holds(SHARE, 1.0, known, 0.1) is said


def test_on_the_sphere_all_data_sets_agree_with_the_theorem():
    for n, d in ((1, 4), (20, 2), (60, 5)):
        assert one(n, d, data="sphere").true == 1.0


def test_singular_kernels_of_both_networks_are_not_compared():
    row = one(10, 4, width=1, rung="finite")
    assert (np.isnan(row.true), row.holds, row.source) == (True, None, "")


def test_the_law_decides_only_far_from_equality():
    sure, near, unreliable = one(2000, 100), one(2000, 20), one(2000, 5)
    assert (sure.true, sure.holds, sure.source) == (1.0, True, "law")
    for row in (near, unreliable):
        assert np.isnan(row.true)
        assert (row.holds, row.source) == (None, "")
    # Of simplified matrices it does not know how far draws scatter.
    assert one(2000, 100, rung="simplified").holds is None
    # What it leaves open is Cantelli's, which no data can beat.
    assert 1 - 1 / (1 + FAR**2) <= sure.low < sure.high == 1.0


def test_the_law_is_right_where_dense_kernels_can_tell():
    size = (300, 100, 1000)
    drawn = SpectrumCell(*size, 40, ("exact",)).measure(np.random.SeedSequence(5), 1.0)
    known, truth = ShareAhead().by_law("exact", size, "gaussian"), ShareAhead().measured("exact", drawn, 0.01)
    assert known.low <= truth.high
    assert known.high >= truth.low
    plain, gated = (np.log(drawn.smallest("exact", name)) for name in ("relu", "reglu"))
    spread = np.linalg.norm([law("exact", name, *size).fluctuation for name in ("relu", "reglu")])
    # 40 draws know a standard deviation to 11 %; the law's may be 1.5 times too small.
    assert (gated - plain).std(ddof=1) < 1.5 * spread
    assert np.corrcoef(plain, gated)[0, 1] > 0


def test_a_reversed_law_says_so(monkeypatch: pytest.MonkeyPatch):
    swapped = {"relu": "reglu", "reglu": "relu"}
    monkeypatch.setattr(truths, "law", lambda rung, name, *rest: law(rung, swapped[name], *rest))
    row = one(2000, 100)
    assert (row.true, row.holds) == (0.0, False)


def test_the_summary_counts_all_sizes():
    rows = regime_map("A17", [10, 2000], [5, 100], width=1000)
    (found,) = summaries(rows)
    assert (found.sizes, found.holds, found.fails, found.undecided, found.unknown) == (4, 2, 1, 0, 1)
    assert [formula.name for formula in formulas_of("A17")] == [found.formula] == ["share of data sets"]
