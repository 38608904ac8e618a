"""Figures: what is drawn is what was given, told on the axes."""

import sys

import numpy as np
import pytest

from derivations.errors import InputError
from verify.ladder import Ladder
from verify.plots import COLOURS, Profile, Spectrum, new_figure, plot_ladder, plot_profiles, plot_spectra
from verify.statistics import SlopeFit

LADDER = Ladder(
    widths=(256, 64, 1024),
    fluctuation=np.array([0.2, 0.4, 0.1]),
    standard_error=np.array([0.01, 0.02, 0.005]),
    networks=8,
    slope=SlopeFit(slope=-0.5, half_width=0.0123, intercept=float(np.log(3.2))),
)
COSINE = np.linspace(-1.0, 1.0, 5)
PROFILE = Profile("plain", COSINE, COSINE + 0.1, np.full(5, 0.05), COSINE, COSINE)
SPECTRUM = Spectrum("plain", np.array([1.0, 4.0, 2.0]), np.array([3.0, 1.0, 1.0]), np.array([0.5, 5.0, 2.0]))


@pytest.fixture
def ax():
    figure, (axes,) = new_figure()
    yield axes
    # Text that no font can set, or a layout that collapses, warns only when it is rendered.
    figure.canvas.draw()


def lines(ax):
    """Drawn curves by label; the bars' points have a label of matplotlib's own."""
    return {line.get_label(): line for line in ax.lines}


def bars(container):
    """Lower and upper ends of the error bars."""
    (segments,) = container[2]
    return np.array([segment[:, 1] for segment in segments.get_segments()])


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_figure_has_the_panels_asked_for_and_is_not_in_pyplot():
    from matplotlib import pyplot

    figure, axes = new_figure(2)
    assert list(axes) == figure.axes
    assert len(axes) == 2
    assert not pyplot.get_fignums()


def test_panels_go_on_in_further_rows():
    figure, axes = new_figure(5, columns=3)
    assert list(axes) == figure.axes
    # The fourth panel stands below the first, and no empty one is left.
    assert axes[3].get_position().x0 == axes[0].get_position().x0
    assert axes[3].get_position().y1 < axes[0].get_position().y0
    assert figure.get_size_inches()[1] == 2 * new_figure(3)[0].get_size_inches()[1]


def test_no_panels_are_refused():
    with pytest.raises(InputError, match="panels must be a positive integer, got 0"):
        new_figure(0)


def test_a_ladder_shows_points_with_bars_fit_and_prediction(ax):
    plot_ladder(ax, LADDER, [0.21, 0.42, 0.105])
    (container,) = ax.containers
    np.testing.assert_allclose(container[0].get_xydata(), [[64, 0.4], [256, 0.2], [1024, 0.1]])
    np.testing.assert_allclose(bars(container), [[0.36, 0.44], [0.18, 0.22], [0.09, 0.11]])
    drawn = lines(ax)
    np.testing.assert_allclose(drawn["closed form"].get_xydata(), [[64, 0.42], [256, 0.21], [1024, 0.105]])
    (fit,) = (line for label, line in drawn.items() if label.startswith("fit"))
    np.testing.assert_allclose(fit.get_ydata(), 3.2 / np.sqrt([64, 256, 1024]))


def test_a_ladder_tells_its_axes_slope_and_interval(ax):
    plot_ladder(ax, LADDER, [0.21, 0.42, 0.105])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "width" in ax.get_xlabel()
    assert "fluctuation" in ax.get_ylabel()
    assert any(r"$-0.500 \pm 0.012$ (95 %)" in text for text in legend(ax))
    assert "8 networks per width, ± 2 standard errors" in legend(ax)


def test_a_prediction_of_another_length_is_refused(ax):
    with pytest.raises(InputError, match="prediction must be a finite vector of length 3"):
        plot_ladder(ax, LADDER, [0.1, 0.2])


def test_profiles_show_curve_and_points_with_bars(ax):
    plot_profiles(ax, [PROFILE])
    (container,) = ax.containers
    np.testing.assert_allclose(container[0].get_ydata(), COSINE + 0.1)
    np.testing.assert_allclose(bars(container), np.stack([COSINE, COSINE + 0.2], axis=1))
    np.testing.assert_allclose(lines(ax)["plain"].get_xydata(), np.stack([COSINE, COSINE], axis=1))
    assert r"$\rho$" in ax.get_xlabel()


def test_each_profile_has_its_points_next_to_it_in_the_legend(ax):
    plot_profiles(ax, [PROFILE, Profile("gated", COSINE, COSINE, np.ones(5), COSINE, COSINE**2)])
    assert legend(ax)[::2] == ["plain", "gated"]
    assert len(legend(ax)) == 4


def test_spectra_are_sorted_from_the_largest(ax):
    plot_spectra(ax, [SPECTRUM])
    exact, simplified, measured = ax.lines
    np.testing.assert_allclose(exact.get_xydata(), [[1, 4], [2, 2], [3, 1]])
    np.testing.assert_allclose(simplified.get_ydata(), [3, 1, 1])
    np.testing.assert_allclose(measured.get_ydata(), [5, 2, 0.5])
    assert legend(ax) == ["plain, derived", "simplified matrix", "one network"]
    assert ax.get_yscale() == "log"


def test_long_spectra_keep_their_ends_among_few_markers(ax):
    values = np.arange(1.0, 301.0)
    plot_spectra(ax, [Spectrum("long", values, values, values)])
    measured = ax.lines[2].get_xydata()
    assert len(measured) < 40
    np.testing.assert_allclose(measured[[0, -1]], [[1, 300], [300, 1]])


def test_kernels_keep_their_colours_across_figures(ax):
    plot_spectra(ax, [SPECTRUM, SPECTRUM])
    assert [line.get_color() for line in ax.lines] == [*[COLOURS[0]] * 3, *[COLOURS[1]] * 3]


def test_eigenvalues_without_a_logarithm_are_refused(ax):
    singular = Spectrum("flat", np.array([1.0, 0.0]), np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="eigenvalues of flat must be positive"):
        plot_spectra(ax, [singular])


@pytest.mark.parametrize("count", [0, 5])
def test_more_curves_than_colours_are_refused(ax, count):
    with pytest.raises(InputError, match=f"profiles must hold 1 to 4 curves, got {count}"):
        plot_profiles(ax, [PROFILE] * count)


def test_a_missing_matplotlib_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pip install 'gluntk\[plot\]'"):
        new_figure()


def test_the_module_can_be_imported_without_matplotlib():
    import subprocess

    code = "import sys; sys.modules['matplotlib'] = None; import verify.plots"
    subprocess.run([sys.executable, "-c", code], check=True)
