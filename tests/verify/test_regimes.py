"""Maps of where published formulas hold: their numbers, sources and pictures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from derivations import kernel_function, network
from derivations.errors import InputError
from verify.inputs import generate
from verify.plots import new_figure
from verify.regime_plots import plot_regimes
from verify.regimes import Regime, regime_map


def test_numbers_come_from_the_law_where_it_is_reliable_and_from_dense_kernels_elsewhere():
    near, far, unknown = regime_map("A10", [40, 2000], [100], width=50) + regime_map(
        "A10", [900], [3], width=50
    )
    assert [near.source, far.source, unknown.source] == ["law", "law", ""]
    assert np.isnan(unknown.true)
    assert np.isnan(unknown.ratio)
    (dense,) = regime_map("A10", [30], [3], width=50, rng=1)
    assert dense.source == "dense"
    kernel = kernel_function(network("relu"), width=50)
    values = [
        np.linalg.eigvalsh(kernel(generate("gaussian", 30, 3, np.random.default_rng(s))))[0]
        for s in range(200)
    ]
    # 66 draws against 200: five standard errors of their difference.
    assert abs(dense.true - np.mean(values)) < 5 * np.std(values) * np.sqrt(1 / 66 + 1 / 200)


def test_bounds_and_orderings_say_whether_they_hold():
    lower, upper = regime_map("A8", [50], [100], width=1000)
    assert (lower.holds, upper.holds) == (True, False)
    assert upper.ratio < 1
    fails, holds = (regime_map("A13", [n], [20], width=100)[0] for n in (5120, 320))
    assert (fails.holds, holds.holds) == (False, True)
    assert np.isnan(fails.ratio)
    assert regime_map("A7", [50], [100], width=10)[0].holds is None
    worse, better = (regime_map("A14", [n], [d], width=100)[0] for n, d in ((60, 3), (2000, 100)))
    assert (worse.holds, better.holds) == (False, True)
    assert (worse.source, better.source) == ("dense", "law")


def test_orderings_are_mapped_where_rows_outnumber_columns():
    found = regime_map("A14", [10, 200], [5, 100], width_per_dimension=2.0)
    assert {(row.n, row.d, row.m) for row in found} == {(10, 5, 10), (200, 5, 10), (200, 100, 200)}


def test_rows_are_tables():
    (row,) = regime_map("A7", [50], [100], width=10)
    assert list(asdict(row)) == [
        "claim", "formula", "relation", "n", "d", "m", "stated", "true", "ratio", "holds", "source",
    ]  # fmt: skip


def row(n: int, d: int, stated: float, true: float, claim: str = "A10", relation: str = "ratio") -> Regime:
    ratio = stated / true if true > 0 else np.nan
    return Regime(claim, "value", relation, n, d, 7, stated, true, ratio, None, "law")


def labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_picture_shows_the_ratio_and_the_line_of_the_tolerance():
    grid = [row(n, d, n / d, 1.0) for n in (10, 20, 40) for d in (10, 20, 40)]
    figure, (ax,) = new_figure()
    plot_regimes(ax, grid, "value", tolerance=0.1)
    figure.canvas.draw()
    shown = np.asarray(ax.collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(shown[0], np.log10([1, 2, 4]))
    np.testing.assert_allclose(shown[:, 0], np.log10([1, 1 / 2, 1 / 4]))
    assert labels(ax) == ["off by 10%"]
    assert ax.get_title() == "A10 value, m = 7"


def test_a_picture_marks_what_is_reversed_and_what_is_not_known():
    grid = [row(10, 10, 1.0, 1.0, "A13"), row(20, 10, 1.0, -1.0, "A13"), row(20, 20, 1.0, 2.0, "A13")]
    figure, (ax,) = new_figure()
    plot_regimes(ax, grid, "value")
    figure.canvas.draw()
    assert labels(ax)[:2] == ["not known or not stated", "ordering reversed"]


def test_bounds_have_one_line():
    grid = [row(n, d, n / d, 1.0, "A8", "upper") for n in (10, 20, 40) for d in (10, 20, 40)]
    figure, (ax,) = new_figure()
    plot_regimes(ax, grid, "value", tolerance=0.25)
    figure.canvas.draw()
    assert labels(ax) == ["violated by 25%"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"claim": "A9", "width": 3}, "claim must be one of A7, A8"),
        ({"claim": "A7"}, "width or width_per_dimension must be given"),
        ({"claim": "A7", "width": 0}, "width must be a positive integer, got 0"),
        ({"claim": "A7", "width": 3, "draws": 1}, "draws must be at least 2, got 1"),
    ],
)
def test_bad_arguments_are_told(arguments: dict, message: str):
    with pytest.raises(InputError, match=message):
        regime_map(samples=[20], dimensions=[10], **arguments)
    with pytest.raises(InputError, match="dimensions must be at least 2, got 1"):
        regime_map("A7", [20], [1], width=3)
    with pytest.raises(InputError, match="of the formula 'no such', got none"):
        plot_regimes(new_figure()[1][0], regime_map("A7", [20], [10], width=3), "no such")
