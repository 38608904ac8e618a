"""`gluntk generalise`: its numbers are those of `follow`, what it says of them, the figure, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from derivations import kernel_function
from derivations.dynamics.loss import logarithmic_steps
from verify.bootstrap import Interval, resampled
from verify.cli import options
from verify.commands import generalise
from verify.commands.generalise_plots import draw_generalisation
from verify.commands.generalise_report import Report
from verify.commands.generalise_words import Gap, shown_change, speed, verdict
from verify.generalisation import LEVELS, follow
from verify.plots import COLOURS
from verify.samples import fresh_samples, resplit
from verify.trained_generalisation import follow_trained

SMALL = (
    "generalise",
    "relu",
    "reglu",
    "--labels",
    "linear",
    "--d",
    "6",
    "--width",
    "50",
    "--train",
    "20",
    "--test",
    "15",
    "--splits",
    "6",
)
RNG = np.random.SeedSequence(0, spawn_key=(8,))


def followed(samples, initial: str = "nngp", **more):
    kernels = [kernel_function(name, width=50) for name in ("relu", "reglu")]
    starts = [kernel_function(name, "nngp") if initial == "nngp" else None for name in ("relu", "reglu")]
    return follow(kernels, starts, samples, (0, 3, np.inf), **more)


def test_the_choices_are_those_of_the_command():
    assert options.INITIAL[:2] == generalise.INITIAL


@pytest.mark.parametrize("initial", ["nngp", "zero"])
def test_numbers_are_those_of_descent_on_the_same_draws(initial: str, gluntk):
    found = gluntk.asked(*SMALL, "--noise", "0.2", "--initial", initial, "--at", "3,0")
    expected = followed(fresh_samples("sphere", 6, "linear", 20, 15, 6, RNG, noise=0.2), initial)
    for k, name in enumerate(("relu", "reglu")):
        for kind in ("train", "test", "gap"):
            values = getattr(expected, kind)[:, k].mean(axis=0)
            assert list(found["errors"][name][kind]) == ["0", "3", "inf"]
            assert list(found["errors"][name][kind].values()) == pytest.approx(values, rel=1e-9, abs=1e-12)
        assert found["steps"][name]["0.1"] == pytest.approx(expected.reached[:, k, 1].mean(), rel=1e-9)
        assert found["interpolation"][name] == pytest.approx(expected.test[:, k, -1].mean(), rel=1e-6)
        assert found["left_out"][name] == pytest.approx(expected.left_out[:, k].mean(), rel=1e-6)
        assert "wrong" not in found["errors"][name]
    gaps = expected.gap_there[:, :, 1]
    difference = found["gap_difference"]["reglu"]["training error 10 %"]
    assert difference == pytest.approx(resampled(np.mean, [gaps[:, 1] - gaps[:, 0]]), rel=1e-6)
    change = found["gap_change"]["reglu"]["training error 10 %"]
    assert change[0] == pytest.approx(gaps[:, 1].mean() / gaps[:, 0].mean() - 1, rel=1e-9)
    assert change[1] < change[0] < change[2]
    logarithm = np.log(expected.reached[:, 0, 1] / expected.reached[:, 1, 1]).mean()
    assert found["faster"]["reglu"]["0.1"][0] == pytest.approx(np.exp(logarithm), rel=1e-9)


def stepped(K: np.ndarray, C: np.ndarray, sample, eta: float, steps: int) -> tuple[float, float]:
    """Training and test error of outputs of covariance C, step by step: f <- f + eta K[:, train] (y - f[train])."""
    n = sample.train
    move = np.eye(len(K))
    move[:, :n] -= eta * K[:, :n]
    power = np.linalg.matrix_power(move, steps)
    # f - Y, with Y of the rows to test moved along: only what is missing at the rows to train on moves anything.
    missing = -power @ np.concatenate([sample.Y[:n], np.zeros(len(K) - n)])
    missing[n:] -= sample.Y[n:]
    squares = missing**2 + np.diagonal(power @ C @ power.T)
    return float(np.mean(squares[:n])), float(np.mean(squares[n:]))


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_rate_of_ones_own_is_taken_and_may_overshoot(share: float, gluntk):
    bound = gluntk.asked(*SMALL)["eta_bound"]
    eta = share * bound
    found = gluntk.asked(*SMALL, "--eta", repr(eta), "--at", "1,2,5", "--seeds", "1")
    assert (found["eta"], found["eta_bound"]) == (eta, pytest.approx(bound, rel=1e-9))
    for name in ("relu", "reglu"):
        K, C = (kernel_function(name, kind, width=50) for kind in ("ntk", "nngp"))
        for k in (1, 2, 5):
            samples = fresh_samples("sphere", 6, "linear", 20, 15, 6, RNG)
            errors = np.mean([stepped(K(s.X), C(s.X), s, eta, k) for s in samples], axis=0)
            shown = [found["errors"][name][kind][str(k)] for kind in ("train", "test")]
            # A handful of products of matrices of 35 rows.
            assert shown == pytest.approx(errors, rel=1e-9)
    samples = fresh_samples("sphere", 6, "linear", 20, 15, 6, RNG)
    steps = sorted({1, 2, 5, *logarithmic_steps(5, 20)})
    trained = follow_trained(
        ("relu", "reglu"), samples, 50, [eta] * 6, steps, LEVELS, 1, np.random.SeedSequence(0, spawn_key=(9,))
    )
    assert found["trained"]["errors"]["relu"]["test"]["5"] == pytest.approx(
        trained.test[:, 0, steps.index(5)].mean(), rel=1e-9
    )
    assert f"eta      {eta:.8g} (it must be below {bound:.8g})" in gluntk.told(*SMALL, "--eta", repr(eta))
    code, _, err = gluntk.ask(*SMALL, "--eta", repr(bound * 1.000001))
    assert code == 2
    assert f"eta must be below 2 / lambda_1 = {bound:.6g}" in err


def test_labels_teachers_and_three_networks(gluntk):
    signs = gluntk.asked(*SMALL, "--labels", "signs")
    expected = followed(fresh_samples("sphere", 6, "signs", 20, 15, 6, RNG), classes=(-1.0, 1.0))
    assert expected.wrong is not None
    assert signs["errors"]["reglu"]["wrong"]["inf"] == pytest.approx(
        expected.wrong[:, 1, -1].mean(), rel=1e-6
    )
    teacher = ("--labels", "network", "--teacher", "bilinear")
    found = gluntk.asked("generalise", "gqu", *SMALL[1:], *teacher, "--data", "gaussian")
    drawn = fresh_samples("gaussian", 6, "network", 20, 15, 6, RNG, teacher="bilinear")
    alone = follow([kernel_function("gqu", width=50)] * 2, [None] * 2, drawn, (0,))
    # Which network is how fast depends on the others' lambda_1, where each ends does not.
    assert found["left_out"]["gqu"] > alone.left_out[:, 0].mean()
    assert list(found["gap_difference"]) == ["relu", "reglu"]
    assert found["against"] == "gqu"
    assert found["targets"] == "network (bilinear)"
    noise = gluntk.asked(*SMALL, "--labels", "random")
    assert noise["errors"]["relu"]["train"]["inf"] == 0
    assert "targets are independent of the rows" in gluntk.told(*SMALL, "--labels", "signs")
    assert "targets are independent of the rows" not in gluntk.told(*SMALL)


def test_generated_rows_have_random_targets_where_nothing_is_said(gluntk):
    silent = ("generalise", "relu", "reglu", *SMALL[5:])
    assert SMALL[3] == "--labels"
    assert gluntk.asked(*silent) == gluntk.asked(*SMALL, "--labels", "random")


def test_rows_and_targets_of_files_and_of_real_sets(tmp_path: Path, gluntk):
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((40, 6)), rng.standard_normal(40)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y[:, None])
    common = ("generalise", "relu", "reglu", *SMALL[7:], "--input", str(tmp_path / "X.npy"))
    found = gluntk.asked(*common, "--targets", str(tmp_path / "Y.npy"))
    expected = followed(resplit(X, Y, 20, 15, 6, RNG))
    assert found["errors"]["relu"]["test"]["inf"] == pytest.approx(expected.test[:, 0, -1].mean(), rel=1e-6)
    code, out, err = gluntk.ask(*common)
    assert (code, out) == (2, "")
    assert "targets are needed with the rows of a file" in err
    code, _, err = gluntk.ask(*common, "--targets", str(tmp_path / "Y.npy"), "--train", "30")
    assert code == 2
    assert "train and test must have at most 40 rows together, all of the input's, got 30 + 15" in err


def test_real_sets_have_their_own_targets_and_their_splits_a_warning(gluntk):
    pytest.importorskip("sklearn")
    common = ("generalise", "relu", "reglu", *SMALL[7:], "--prepare", "normalize")
    text = gluntk.told(*common, "--input", "digits")
    assert "targets  digits:parity" in text
    assert "wrong class" in text
    assert "splits share rows: intervals are about other splits of these rows" in text
    assert "targets  digits:3" in gluntk.told(*common, "--input", "digits", "--targets", "digits:3")
    assert "wrong class" not in gluntk.told(*common, "--input", "diabetes")


def test_the_text_says_who_is_faster_and_whose_gap_is_larger(gluntk):
    # 60 rows of 10 columns, linear targets: ReGLU is slower and its gap a multiple of ReLU's.
    linear = (
        "generalise", "relu", "reglu", "--labels", "linear", "--data", "gaussian", "--d", "10", "--width", "300",
        "--train", "60", "--test", "60",
    )  # fmt: skip
    text = gluntk.told(*linear)
    assert "to a training error of 10 %: reglu takes 1." in text
    assert "times more steps" in text
    assert (
        "gap at convergence: the gaps differ by more than 20 % of that of relu (reglu's is larger): not little"
        in text
    )
    assert "splits share rows" not in text
    found = gluntk.asked(*linear)
    (row,) = (line.split() for line in text.splitlines() if line.startswith("  convergence"))
    assert row[1:3] == [f"{found['gaps']['convergence'][name]:.4g}" for name in ("relu", "reglu")]
    added, low, high = found["gap_difference"]["reglu"]["convergence"]
    assert row[3:6] == [f"{added:+.3g}", f"[{low:+.3g},", f"{high:+.3g}]"]
    (steps,) = (
        line.split() for line in text.splitlines() if line.startswith("  reglu ") and len(line.split()) == 4
    )
    assert steps[1:] == [f"{found['steps']['reglu'][level]:.4g}" for level in ("0.5", "0.1", "0.01")]
    assert "20 draws" in text


def test_trained_networks_stand_beside_their_kernels(gluntk):
    trained = (*SMALL, "--seeds", "2", "--at", "0,4,400")
    found = gluntk.asked(*trained)
    kernels = followed(fresh_samples("sphere", 6, "linear", 20, 15, 6, RNG))
    rates = [float(1 / largest) for largest in kernels.largest.max(axis=1)]
    steps = sorted({0, 4, *logarithmic_steps(400, 20)})
    samples = fresh_samples("sphere", 6, "linear", 20, 15, 6, RNG)
    expected = follow_trained(
        ("relu", "reglu"), samples, 50, rates, steps, LEVELS, 2, np.random.SeedSequence(0, spawn_key=(9,))
    )
    for k, name in enumerate(("relu", "reglu")):
        values = expected.test[:, k, [steps.index(step) for step in (0, 4, 400)]].mean(axis=0)
        assert list(found["trained"]["errors"][name]["test"].values()) == pytest.approx(values, rel=1e-9)
        assert found["trained"]["steps"][name]["0.5"] == pytest.approx(
            expected.reached[:, k, 0].mean(), rel=1e-9
        )
        gap = found["trained"]["gaps"][name]["0.1"]
        assert gap == pytest.approx(expected.gap_there[:, k, 1].mean(), rel=1e-9)
    text = gluntk.told(*trained)
    assert f"{expected.train[:, 1, steps.index(4)].mean():.4g}" in text
    assert "trained networks, to a training error of 50 %: reglu takes 1." in text
    assert "trained: 2 networks of width" in text
    short = gluntk.told(*SMALL, "--seeds", "1", "--at", "4")
    assert "trained: one network of width" in short
    assert "trained networks: not all come to a training error of 1 % within 4 steps" in short
    assert gluntk.asked(*SMALL)["trained"] is None


def test_networks_that_diverge_where_their_mean_kernel_does_not_are_told_in_one_line(gluntk):
    # One neuron: a network's own lambda_1 is often several times that of the mean.
    code, out, err = gluntk.ask(*SMALL, "--width", "1", "--seeds", "9", "--at", "400")
    assert (code, out) == (2, "")
    assert "eta must be smaller, or width larger, for networks of relu or reglu with m = 1" in err
    assert err.count("\n") == 1


def sentence(first: float, change: float, scatter: float) -> str:
    rng = np.random.default_rng(0)
    plain = first * (1 + 0.1 * rng.random(40))
    return verdict(Gap("convergence", np.stack([plain, plain * (1 + change) + scatter * rng.standard_normal(40)], 1)), 1,
                    "b", "a")  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((1.0, 0.1, 0.01), "the gaps differ by at most 20 % of that of a (b's is larger): little"),
        ((1.0, -0.1, 0.01), "the gaps differ by at most 20 % of that of a (b's is smaller): little"),
        ((1.0, 0.0, 0.1), "the gaps differ by at most 20 % of that of a (no difference is seen): little"),
        ((1.0, 0.5, 0.1), "the gaps differ by more than 20 % of that of a (b's is larger): not little"),
        ((1.0, -0.5, 0.1), "the gaps differ by more than 20 % of that of a (b's is smaller): not little"),
        (
            (1.0, 0.2, 0.2),
            "whether the gaps differ by more than 20 % of that of a is not decided (b's is larger)",
        ),
        (
            (1.0, -0.2, 0.2),
            "whether the gaps differ by more than 20 % of that of a is not decided (b's is smaller)",
        ),
        (
            (1.0, 0.0, 3.0),
            "whether the gaps differ by more than 20 % of that of a is not decided (no difference is seen)",
        ),
        ((-1.0, 0.5, 0.1), "b's is smaller"),
        ((1.0, np.nan, 0.1), "not known for every split"),
    ],
)
def test_what_is_said_of_two_gaps(arguments: tuple[float, float, float], said: str):
    assert sentence(*arguments) == f"gap at convergence: {said}"


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (Interval(2.0, 1.5, 2.5), "b takes 2 times fewer steps (1.5 to 2.5) than a"),
        (Interval(0.5, 0.4, 0.8), "b takes 2 times more steps (1.25 to 2.5) than a"),
        (Interval(1.1, 0.9, 1.2), "no difference in speed is seen between b and a (a factor of 0.9 to 1.2)"),
        (None, "not every split gets there"),
    ],
)
def test_what_is_said_of_two_speeds(saved: Interval | None, said: str):
    assert speed(saved, "b", "a", 0.1) == f"to a training error of 10 %: {said}"


def test_equal_rows_with_different_targets_are_never_fitted(tmp_path: Path, gluntk):
    np.save(tmp_path / "X.npy", np.tile(np.eye(3), (12, 1)))
    np.save(tmp_path / "Y.npy", np.arange(36.0)[:, None] - 17.5)
    files = ("--input", str(tmp_path / "X.npy"), "--targets", str(tmp_path / "Y.npy"))
    found = gluntk.asked("generalise", "relu", "reglu", *SMALL[7:], *files)
    assert found["steps"]["relu"]["0.01"] == "inf"
    assert found["faster"]["reglu"]["0.01"] is None
    assert found["interpolation"]["relu"] == "nan"
    text = gluntk.told("generalise", "relu", "reglu", *SMALL[7:], *files)
    assert "to a training error of 1 %: not every split gets there" in text
    assert "interpolation by solving for it: test error not known, for a kernel is singular" in text


def test_what_is_fitted_without_any_gap_has_no_change_of_it(gluntk):
    # In one dimension both kernels have rank 2, and linear targets are learned.
    text = gluntk.told(
        "generalise", "relu", "reglu", "--d", "1", "--labels", "linear", *SMALL[7:], "--initial", "zero"
    )
    assert "gap at convergence: no difference is seen" in text
    assert "nan" not in text


def test_a_gap_that_may_be_none_is_no_measure_of_others():
    # 40 splits: a mean gap of 0.26 or 1, known to 2 times 0.16.
    scatter = np.tile([1.0, -1.0], 20)
    for mean, told in ((0.26, False), (1.0, True)):
        gap = Gap("convergence", np.stack([mean + scatter, 3 + scatter], axis=1))
        change = gap.change(1)
        assert (change is not None) == told
        assert shown_change(change).startswith("+200 % [+1" if told else "-")
        assert ("20 %" in verdict(gap, 1, "b", "a")) == told
        assert "b's is larger" in verdict(gap, 1, "b", "a")


def test_the_figure_is_written_and_not_overwritten(tmp_path: Path, gluntk):
    target = tmp_path / "gaps.svg"
    assert f"figure: {target}" in gluntk.told(*SMALL, "--plot", str(target))
    text = target.read_text()
    assert text.startswith("<?xml")
    assert len(text) > 10_000
    code, _, err = gluntk.ask(*SMALL, "--plot", str(target))
    assert code == 2
    assert "exists" in err


def drawn(monkeypatch, gluntk, tmp_path: Path, *arguments: str) -> tuple[Any, Any, Report]:
    """Both panels as they are drawn, and what of."""
    kept: list[Any] = []

    def draw(figure, axes, report) -> None:
        draw_generalisation(figure, axes, report)
        figure.draw_without_rendering()
        kept.extend([*axes, report])

    monkeypatch.setattr(generalise, "draw_generalisation", draw)
    gluntk.told(*arguments, "--plot", str(tmp_path / "drawn.svg"))
    left, right, report = kept
    return left, right, report


def test_legends_stand_above_both_panels(tmp_path: Path, monkeypatch, gluntk):
    for ax in drawn(monkeypatch, gluntk, tmp_path, *SMALL, "--seeds", "1", "--at", "1,9")[:2]:
        legend = ax.get_legend()
        assert legend.get_window_extent().y0 >= ax.get_window_extent().y1 - 1
        assert "trained" in legend.get_texts()[-1].get_text()


def test_the_figure_has_trained_networks_as_markers_with_intervals(tmp_path: Path, monkeypatch, gluntk):
    left, right, report = drawn(monkeypatch, gluntk, tmp_path, *SMALL, "--seeds", "2", "--at", "0,2,9,24")
    trained = report.trained
    assert trained is not None
    tests, trains, *others = (bars.lines[0].get_xydata() for bars in left.containers)
    columns = [trained.steps.index(step) for step in (2, 9, 24)]
    np.testing.assert_array_equal(tests[:, 0], (2, 9, 24))
    np.testing.assert_allclose(tests[:, 1], trained.test[:, 0, columns].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(trains[:, 1], trained.train[:, 0, columns].mean(axis=0), rtol=1e-12)
    for points, errors_of in zip(others, (trained.test, trained.train), strict=True):
        np.testing.assert_allclose(points[:, 1], errors_of[:, 1, columns].mean(axis=0), rtol=1e-12)
    errors = [container for container in right.containers if isinstance(container, ErrorbarContainer)]
    # Bars have error bars without markers, networks' errors have markers.
    marked: list[Any] = [bars.lines[0].get_xydata() for bars in errors if bars.lines[0] is not None]
    assert len(marked) == 2
    for k, points in enumerate(marked):
        gaps = trained.gap_there[:, k]
        there = np.isfinite(gaps).all(axis=0)
        assert 0 < there.sum() < 3
        np.testing.assert_allclose(np.array(points)[:, 1], gaps[:, there].mean(axis=0), rtol=1e-12)
        low, high = resampled(np.mean, [gaps[:, 0]])[1:]
        (segments,) = (bars.lines[2][0].get_segments() for bars in [errors[2 * k + 1]])
        np.testing.assert_allclose(segments[0][:, 1], (low, high), rtol=1e-12)
    plain_left, plain_right, _ = drawn(monkeypatch, gluntk, tmp_path / "..", *SMALL, "--force")
    assert not plain_left.containers
    assert len(plain_right.containers) == 4


def test_the_figure_tells_paired_differences_of_every_group(tmp_path: Path, monkeypatch, gluntk):
    three = ("generalise", "gqu", *SMALL[1:])
    _, right, report = drawn(monkeypatch, gluntk, tmp_path, *three)
    assert len(right.texts) == 8
    told = {(round(text.xy[0]), text.get_color()): text.get_text() for text in right.texts}
    for i, gap in enumerate(report.gaps):
        for k in (1, 2):
            change = gap.change(k)
            numbers = gap.difference(k) if change is None else 100 * np.array(change)
            form = "{:+.3g} [{:+.3g}, {:+.3g}]" if change is None else "{:+.0f} % [{:+.0f}, {:+.0f}]"
            assert told[i, COLOURS[k]] == form.format(*numbers)
    inside = right.get_window_extent()
    for text in right.texts:
        assert text.get_window_extent().y1 <= inside.y1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((*SMALL, "--splits", "4"), "splits must be at least 5 for intervals, got 4"),
        ((*SMALL, "--train", "0"), "train must be a positive integer, got 0"),
        ((*SMALL, "--test", "-3"), "test must be a positive integer, got -3"),
        ((*SMALL, "--train", "5000"), "train must be at most 4000 rows"),
        ((*SMALL, "--at", "1,x"), "at must be whole numbers"),
        ((*SMALL, "--seeds", "0"), "seeds must be a positive integer, got 0"),
        ((*SMALL, "--seeds", "2", "--initial", "zero"), "initial must be nngp with --seeds"),
        (
            (*SMALL, "--seeds", "2000000", "--at", "1000000"),
            "seeds must be fewer, or at fewer steps",
        ),
        ((*SMALL, "--noise", "nan"), "noise must be a variance, 0 or larger, got nan"),
        ((*SMALL, "--n", "40"), "n must be left out: rows are --train + --test, got 40"),
        ((*SMALL, "--eta", "inf"), "eta must be positive and finite, got inf"),
        ((*SMALL, "--eta", "fast"), "eta must be a number or auto, got 'fast'"),
        ((*SMALL, "--eta", "9"), "eta must be below 2 / lambda_1 = "),
        ((*SMALL, "--prepare", "normalize"), "prepare belongs to --input, got 'normalize' with --data"),
        ((*SMALL, "--targets", "diabetes"), "targets belong to the rows of --input"),
        (
            (*SMALL, "--labels", "network", "--teacher", "rglu"),
            "network 'rglu' is unknown; did you mean reglu?",
        ),
        ((*SMALL, "--teacher", "reglu"), "teacher belongs to --labels network, got 'reglu'"),
        ((*SMALL[:2], *SMALL[3:]), "networks must be 2 to 4, got 1"),
        (("generalise", "relu", "relu", *SMALL[3:]), "networks must differ, got relu, relu"),
        ((*SMALL[:5], *SMALL[7:]), "d is needed with --data"),
        ((*SMALL[:7], *SMALL[9:]), "width is needed"),
        (
            (*SMALL[:3], *SMALL[7:], "--input", "digits", "--labels", "linear"),
            "labels and noise belong to --data",
        ),
        (
            (*SMALL[:3], *SMALL[7:], "--input", "digits", "--targets", "diabetes"),
            "targets diabetes belong to",
        ),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], line: str, gluntk):
    code, out, err = gluntk.ask(*arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
