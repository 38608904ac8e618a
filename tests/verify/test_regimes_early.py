"""Maps of the early stage: their numbers are the derivation's, and what they say of the published statement is so."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from matplotlib.collections import QuadMesh

from derivations.dynamics import early_stage, exact_smallest_rows
from derivations.dynamics.initial import INITIAL
from derivations.errors import InputError
from derivations.symbols import d as d_symbol
from derivations.symbols import m as m_symbol
from derivations.symbols import n as n_symbol
from verify.plots import new_figure
from verify.regimes import early_map, early_summaries
from verify.regimes.early import DIMENSION, ROWS, RUNGS, region_of
from verify.regimes.early_plots import draw_early

DIMENSIONS, WIDTHS = (2, 4, 5, 10, 100), (1, 30, 1000, None)


def test_a_map_has_the_numbers_of_both_kernels_and_both_covariances():
    found = early_map(DIMENSIONS, WIDTHS)
    assert len(found) == 4 * len(DIMENSIONS) * len(WIDTHS)
    for size in found:
        least = (
            early_stage(size.initial).smallest_rows(size.d, size.m)
            if size.rung == "simplified"
            else exact_smallest_rows(size.d, size.m, size.initial)
        )
        assert size.rows == least
        assert size.claimed is (size.d >= DIMENSION)
        assert size.holds is ((least is not None and least <= ROWS) if size.claimed else None)


def test_sizes_are_in_order_and_once():
    found = early_map([10, 5, 10], [None, 7, 3, 7], ["exact"])
    assert [size.order for size in found[:6]] == [(d, m) for d in (5, 10) for m in (3, 7, float("inf"))]
    assert [size.initial for size in found] == ["kernel"] * 6 + ["nngp"] * 6


def test_a_summary_counts_what_is_claimed_and_what_is_so():
    found = early_map(DIMENSIONS, WIDTHS)
    for summary in early_summaries(found):
        own = [size for size in found if (size.rung, size.initial) == (summary.rung, summary.initial)]
        wrong = [
            size for size in own if size.d >= DIMENSION and not (size.rows is not None and size.rows <= ROWS)
        ]
        assert summary.claimed == 3 * len(WIDTHS)
        assert summary.claimed - summary.holds == len(wrong) > 0
        assert summary.counterexample == wrong[0]
        assert summary.share == summary.holds / summary.claimed
        assert summary.unclaimed == sum(
            any(
                size.rows is not None and rows >= size.rows and not (size.d >= DIMENSION and rows >= ROWS)
                for rows in (*range(1, ROWS), 10**9)
            )
            for size in own
        )
        for d, least in summary.published_rows:
            assert least == region_of(summary.rung, summary.initial, d).smallest_width(ROWS)
        # d = 2: never; d = 4: some; from the width on that the table says.
        assert dict(summary.some_rows)[2] is dict(summary.published_rows)[2] is None
    narrow = [size for size in found if size.d == 2]
    assert np.isnan(early_summaries(narrow)[0].share)


def test_what_is_published_is_right_for_wide_networks_and_wrong_for_narrow_ones_at_every_dimension():
    # Not a matter of the grid: with outputs of covariance K one neuron is too few at every d tried.
    for rung in RUNGS:
        found = early_map([*range(5, 31), 50, 100, 1000], [1, None], [rung])
        by_kernel = [size for size in found if size.initial == "kernel"]
        assert {size.holds for size in by_kernel if size.m == 1} == {False}
        assert {size.holds for size in by_kernel if size.m is None} == {True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [3]), "d must be at least 2, got 1"),
        (([5], [0]), "width must be a positive integer, got 0"),
        (([10**10], [3]), "d must be at most 1e\\+09, got 10000000000"),
        (([], [3]), "d must hold at least one number"),
        (([5], []), "width must hold at least one number"),
        (([5], [3], ["finite"]), "rung must be one of simplified, exact"),
    ],
)
def test_bad_arguments_are_told(arguments: tuple, message: str):
    with pytest.raises(InputError, match=message):
        early_map(*arguments)


def test_colours_are_the_smallest_n_and_the_line_is_that_of_the_published_one():
    found = early_map([2, 9], [1, 1000], ["simplified"])
    figure, axes = new_figure(2)
    draw_early(figure, axes, found)
    figure.canvas.draw()
    for ax, initial in zip(axes, INITIAL, strict=True):
        (mesh,) = (each for each in ax.collections if isinstance(each, QuadMesh))
        shown = np.ma.filled(np.ma.masked_invalid(np.asarray(mesh.get_array())), np.nan)
        # At the ends of the map: nothing for d = 2, and the table's numbers for d = 9.
        assert np.isnan(shown[:, 0]).all()
        at = {size.m: size.rows for size in found if (size.initial, size.d) == (initial, 9)}
        for value, width in ((shown[0, -1], 1), (shown[-1, -1], 1000)):
            assert value == at[width] if at[width] is not None else np.isnan(value)
        line, published = (np.asarray(each.get_data(), dtype=float) for each in ax.lines)
        assert line[1, -1] == region_of("simplified", initial, 9).smallest_width(ROWS)
        assert 4 < published[0, 0] < 5
    (legend,) = figure.legends
    assert "published and wrong" in [text.get_text() for text in legend.get_texts()]


def test_the_limit_of_large_widths_is_a_strip_of_its_own():
    for widths, strips in (([1, 1000, None], 1), ([1, 1000], 0)):
        figure, axes = new_figure(2)
        draw_early(figure, axes, early_map([4, 9], widths, ["exact"]))
        figure.canvas.draw()
        for ax in axes:
            meshes = [each for each in ax.collections if isinstance(each, QuadMesh)]
            assert len(meshes) == 1 + strips
            names = [label.get_text() for label in ax.get_yticklabels()]
            assert (names[-1:] == ["$\\infty$"]) is bool(strips)
            assert [label.get_text() for label in ax.get_xticklabels()] == ["4", "9"]
            assert names[:2] == ["1", "1000"]
            if strips:
                finite, strip = meshes
                least = np.asarray(strip.get_array(), dtype=float).ravel()
                # The region's own limits, as the tables have them; above all finite widths.
                assert (least[0], least[-1]) == (194, region_of("exact", "kernel", 9).smallest_rows(None))
                heights = [np.asarray(mesh.get_coordinates(), dtype=float)[..., 1] for mesh in meshes]
                assert heights[1].min() > heights[0].max()
                assert strip.norm is finite.norm


def test_the_plain_loss_starts_lower_whatever_the_size():
    # What the report says of being ahead: n times a polynomial without a positive coefficient; Gaussian rows.
    for initial in INITIAL:
        start = sp.expand(early_stage(initial).start * d_symbol)
        assert all(sp.sympify(c).is_negative for c in sp.Poly(start, n_symbol, d_symbol, m_symbol).coeffs())


def test_only_what_is_published_is_hatched():
    figure, (ax, _) = new_figure(2)
    draw_early(figure, (ax, _), early_map([2, 30], [1, 1000], ["simplified"]))
    figure.canvas.draw()
    (hatched,) = (each for each in ax.collections if each.get_hatch())
    corners = np.concatenate([path.vertices for path in hatched.get_paths()])
    assert corners[:, 0].min() == DIMENSION
    assert corners[:, 0].max() == 30
    # Up to the width from which the published n is enough, the largest at d = 5.
    assert corners[:, 1].max() == region_of("simplified", "kernel", DIMENSION).smallest_width(ROWS)


def test_one_size_can_be_drawn_and_none_is_told():
    figure, axes = new_figure(2)
    draw_early(figure, axes, early_map([5], [None], ["exact"]))
    figure.canvas.draw()
    with pytest.raises(InputError, match="at least one size, got none"):
        draw_early(figure, axes, [])
