"""Pictures of maps: colours, outlines and what is marked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from derivations.errors import InputError
from verify.plots import new_figure
from verify.regimes import IDS, Regime, formulas_of, regime_map
from verify.regimes.plots import draw_regimes, heading, plot_regimes


def row(n: int, d: int, ratio: float, holds: bool | None, claim: str = "A10", **others: Any) -> Regime:
    formula, relation = {
        "A10": ("lambda_n", "ratio"),
        "A13": ("ordering", "ordering"),
        "A17": ("share of data sets", "share"),
    }[claim]
    true = 1 / ratio
    kept: dict[str, Any] = {
        "formula": formula, "relation": relation, "rung": "exact", "data": "gaussian", "m": 7, "stated": 1.0, "true": true,
        "error": 0.0, "low": true, "high": true, "ratio": ratio, "tolerance": 0.1, "source": "law", "draws": 0,
    }  # fmt: skip
    return Regime(claim=claim, n=n, d=d, holds=holds, **(kept | others))


def labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn(grid: list[Regime], formula: str = "lambda_n") -> Any:
    figure, (ax,) = new_figure()
    plot_regimes(ax, grid, formula)
    figure.canvas.draw()
    return ax


def test_colours_are_logarithms_of_the_ratio_and_lines_go_around_what_holds():
    grid = [row(n, d, n / d, n == d) for n in (10, 20, 40) for d in (10, 20, 40)]
    ax = drawn(grid)
    shown = np.asarray(ax.collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(shown[0], np.log10([1, 2, 4]))
    np.testing.assert_allclose(shown[:, 0], np.log10([1, 1 / 2, 1 / 4]))
    (outline,) = (c for c in ax.collections if isinstance(c, LineCollection))
    (dots,) = ax.lines
    assert sorted(zip(*dots.get_data(), strict=True)) == [(10, 10), (20, 20), (40, 40)]
    # Three cells that touch at corners have four sides each.
    assert len(outline.get_segments()) == 12
    assert labels(ax) == ["right to 10%"]


def test_an_ordering_shows_the_ratio_that_should_exceed_1():
    ax = drawn([row(20, 10, 0.25, True, "A13"), row(40, 10, 2.0, False, "A13")], "ordering")
    np.testing.assert_allclose(np.asarray(ax.collections[0].get_array()).ravel(), np.log10([4, 0.5]))
    assert labels(ax) == ["ordering holds"]
    # A gated kernel that is singular where the plain one is not is as far behind as can be.
    singular = drawn([row(20, 10, np.inf, False, "A13", true=0.0)], "ordering")
    assert np.asarray(singular.collections[0].get_array()).ravel() == [-1.0]


def test_what_is_open_unknown_reversed_or_not_stated_is_marked():
    grid = [
        row(10, 10, 1.05, None),
        row(20, 10, np.nan, None, true=np.nan),
        row(40, 10, np.nan, False, true=-1.0),
        row(40, 20, np.inf, False, true=0.0),
    ]
    ax = drawn(grid)
    assert labels(ax) == ["undecided", "negative", "not known", "not stated"]
    (hatched,) = (patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_hatch())
    # The cell of n = 10 reaches halfway to 20 in the logarithm.
    np.testing.assert_allclose(hatched.get_x() + hatched.get_width(), np.sqrt(200))
    assert np.asarray(ax.collections[0].get_array()).reshape(2, 3)[1, 2] == 1.0


@pytest.mark.parametrize("id", IDS)
def test_every_claim_can_be_drawn(id: str):
    figure, axes = new_figure(len(formulas_of(id)))
    draw_regimes(
        figure, axes, regime_map(id, [8, 6], [3, 5], width_per_dimension=2.0, rung="finite", data="sphere")
    )
    figure.canvas.draw()
    assert [ax.get_title() for ax in axes] == [formula.name for formula in formulas_of(id)]
    assert figure.get_suptitle() == f"{id} on networks, rows on the sphere, m/d = 2"


def test_ticks_are_at_the_sizes_asked_for_and_do_not_crowd():
    ax = drawn([row(n, d, 1.0, True) for n in (3, 30, 32, 300) for d in (2, 500)])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "30", "300"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2", "500"]
    assert not len(ax.get_xticks(minor=True)) + len(ax.get_yticks(minor=True))


def test_a_share_is_white_at_one_half_and_has_its_own_bar():
    grid = [row(10 * 2**i, 10, 1.0, None, "A17", true=share) for i, share in enumerate((0.0, 0.25, 0.5, 1.0))]
    ax = drawn(grid, "share of data sets")
    np.testing.assert_allclose(np.asarray(ax.collections[0].get_array()).ravel(), [-1, -0.5, 0, 1])
    bar = ax.collections[0].colorbar.ax
    assert [label.get_text() for label in bar.get_yticklabels()] == ["0%", "25%", "50%", "75%", "100%"]
    assert "share" in bar.get_ylabel()


def test_a_heading_names_the_width():
    assert heading([row(10, 10, 1.0, True)]) == "A10 on infinite-width kernels, Gaussian rows, m = 7"


def test_nothing_to_draw_is_told():
    with pytest.raises(InputError, match="of the formula 'no such', got none"):
        drawn([row(10, 10, 1.0, True)], "no such")
    with pytest.raises(InputError, match="at least one size, got none"):
        draw_regimes(*new_figure(), [])
