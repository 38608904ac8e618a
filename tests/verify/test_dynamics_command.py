"""`gluntk dynamics`: keys, values against matrix powers, what it says, the figure, and bad input."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derivations import kernel_function
from derivations.dynamics import Crossings, crossing_estimate, loss_law, predicted_crossing
from derivations.dynamics.initial import INITIAL_OR_ZERO
from verify.cli import options
from verify.commands import dynamics, labels
from verify.commands.descent import BEGINNINGS
from verify.commands.dynamics_report import _crossings, draw_losses
from verify.inputs import generate, read_input
from verify.labels import draw_labels, real_labels
from verify.plots import new_figure

ROWS = ("--n", "40", "--d", "10", "--data", "gaussian")
REAL = ("dynamics", "relu", "reglu", "--input", "diabetes", "--width", "9")
SMALL = ("dynamics", "relu", "reglu", *ROWS, "--width", "100")


def rows() -> np.ndarray:
    return generate("gaussian", 40, 10, np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0,))))


def loss(K: np.ndarray, C: np.ndarray, Y: np.ndarray, eta: float, k: int) -> float:
    power = np.linalg.matrix_power(np.eye(len(K)) - eta * K, 2 * k)
    return float(np.trace(power @ C) + Y @ power @ Y) / 2


def test_the_choices_are_those_of_the_command():
    assert (tuple(BEGINNINGS), labels.LABELS) == (options.INITIAL, options.LABELS)
    assert set(options.INITIAL) == set(INITIAL_OR_ZERO)


@pytest.mark.parametrize("initial", options.INITIAL)
@pytest.mark.parametrize("labels", options.LABELS)
def test_the_losses_are_those_of_matrix_powers(initial: str, labels: str, gluntk):
    found = gluntk.asked(*SMALL, "--initial", initial, "--labels", labels, "--at", "0,1,7")
    X = rows()
    Y = draw_labels("normal" if labels == "random" else labels, X, 0)
    kernels = {name: kernel_function(name, width=100)(X) for name in ("relu", "reglu")}
    eta = 1 / max(np.linalg.eigvalsh(K)[-1] for K in kernels.values())
    assert found["eta"] == pytest.approx(eta, rel=1e-12)
    assert found["eta_bound"] == pytest.approx(2 * eta, rel=1e-12)
    for name, K in kernels.items():
        C = {"kernel": K, "nngp": kernel_function(name, kind="nngp")(X), "zero": 0 * K}[initial]
        for k in (0, 1, 7):
            # A dozen products of matrices of 40 rows, relative to the loss at the start.
            assert found["loss"][name][str(k)] == pytest.approx(
                loss(K, C, Y, eta, k), rel=1e-9, abs=1e-11 * loss(K, C, Y, eta, 0)
            )
        lowest = np.linalg.eigvalsh(K)[0]
        assert found["rates"][name] == pytest.approx(1 - eta * lowest, rel=1e-12)


def test_the_crossing_is_where_the_losses_change_order(gluntk):
    first = gluntk.asked(*SMALL)
    (k,) = first["crossings"]
    assert first["ahead"] == {"start": "relu", "end": "reglu"}
    around = gluntk.asked(*SMALL, "--at", f"{k - 1},{k}")["loss"]
    assert around["relu"][str(k - 1)] <= around["reglu"][str(k - 1)]
    assert around["relu"][str(k)] > around["reglu"][str(k)]
    text = gluntk.told(*SMALL)
    more = first["most_crossings"] - 1
    assert more > 0
    assert f"one crossing, at k = {k}; up to {more} more are not excluded" in text
    assert f"eta      {first['eta']:.8g} (auto: 1 / the larger lambda_1); it must be below" in text
    assert "auto" not in gluntk.told(*SMALL, "--eta", "1e-6")
    lost = [f"{1 - rate:.4g}" for rate in first["rates"].values()]
    rows_of = [line.split() for line in text.splitlines() if line.startswith(("  relu ", "  reglu "))]
    assert [row[-1] for row in rows_of] == lost
    assert "rate at last: the share of the slowest mode's error that a step takes away" in text
    assert "ahead before the first step: relu" in text
    assert "ahead at last, where the slowest modes decide: reglu" in text


@pytest.mark.parametrize(
    ("steps", "most", "said"),
    [
        ((), 3, "no crossing up to 10^8 steps; up to 3 more are not excluded"),
        ((17,), 1, "one crossing, at k = 17; no other is possible"),
        ((17,), 3, "one crossing, at k = 17; up to 2 more are not excluded"),
        ((8, 90), 2, "2 crossings, at k = 8, 90; no other is possible"),
    ],
)
def test_what_is_said_of_crossings(steps: tuple[int, ...], most: int, said: str):
    assert _crossings(Crossings(steps, most, -1, 1)) == said


def test_the_crossing_is_predicted_where_a_law_of_the_rows_is_known(gluntk):
    found = gluntk.asked(*SMALL)
    plain, gated = (loss_law(name, 40, 10, 100, "gaussian") for name in ("relu", "reglu"))
    assert found["predicted_crossing"] == predicted_crossing(plain, gated, found["eta"])
    assert f"without these: k = {found['predicted_crossing']}" in gluntk.told(*SMALL)
    for further in (("--labels", "linear"), ("--prepare", "normalize")):
        assert gluntk.asked(*SMALL, *further)["predicted_crossing"] is None
    others = ("dynamics", "gelu", "geglu", *ROWS, "--width", "100")
    assert gluntk.asked(*others)["predicted_crossing"] is None  # no law of Gaussian rows


def test_the_crossing_is_estimated_in_closed_form_where_that_applies(gluntk):
    size = ("--n", "300", "--d", "20", "--width", "1000", "--data", "gaussian")
    found = gluntk.asked("dynamics", "relu", "reglu", *size)
    expected = crossing_estimate(300, 20, 1000, found["eta"])
    assert expected is not None
    assert found["estimated_crossing"] == {"step": expected.step, "reliable": True}
    assert f"by its closed estimate: k = {expected.step:.3g}" in gluntk.told(
        "dynamics", "relu", "reglu", *size
    )
    # Whichever is named first: the one with more gates is the second one of the formula.
    assert (
        gluntk.asked("dynamics", "reglu", "relu", *size)["estimated_crossing"] == found["estimated_crossing"]
    )
    for further in (("--labels", "linear"), ("--prepare", "normalize"), ("--initial", "zero")):
        assert gluntk.asked("dynamics", "relu", "reglu", *size, *further)["estimated_crossing"] is None
    # Where the correction is large it is told in JSON only.
    unsure = ("dynamics", "relu", "reglu", *ROWS, "--width", "100", "--initial", "kernel")
    assert gluntk.asked(*unsure)["estimated_crossing"]["reliable"] is False
    assert "closed estimate" not in gluntk.told(*unsure)


def test_who_is_ahead_at_last_is_sure_from_the_step_that_is_told(gluntk):
    found = gluntk.asked(*SMALL)
    since = ceil(found["decided_from"])
    assert f"reglu, surely from k = {since} on" in gluntk.told(*SMALL)
    assert since >= max(found["crossings"])
    later = gluntk.asked(*SMALL, "--at", f"{since},{2 * since},{100 * since}")["log10_loss"]
    assert all(later["relu"][k] > later["reglu"][k] for k in later["relu"])


@pytest.mark.parametrize(
    "arguments",
    [("identity", "bilinear", "--n", "60", "--d", "5"), ("relu", "reglu", "--n", "1", "--d", "5")],
)
def test_kernels_without_full_rank_or_a_single_row_have_an_order_at_last(gluntk, arguments):
    found = gluntk.asked("dynamics", *arguments, "--data", "gaussian", "--width", "100")
    assert found["ahead"]["end"] in arguments[:2]
    assert 1 <= found["decided_from"] < 1e6
    assert "surely from k = " in gluntk.told("dynamics", *arguments, "--data", "gaussian", "--width", "100")


def test_a_hundred_million_steps_do_not_underflow(gluntk):
    found = gluntk.asked(*SMALL, "--at", "100000000")
    K = kernel_function("relu", width=100)(rows())
    # The slowest mode's factor, twice, k times over; its weight is of order 1.
    slowest = 2e8 * np.log10(1 - found["eta"] * np.linalg.eigvalsh(K)[0])
    assert found["log10_loss"]["relu"]["100000000"] == pytest.approx(slowest, rel=1e-5)
    assert f"1e{found['log10_loss']['relu']['100000000']:.0f}" in gluntk.told(*SMALL, "--at", "100000000")


def test_rows_and_targets_of_files(tmp_path: Path, gluntk):
    X, Y = rows(), np.arange(40.0)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y[:, None])
    options = ("--input", str(tmp_path / "X.npy"), "--targets", str(tmp_path / "Y.npy"), "--width", "100")
    found = gluntk.asked("dynamics", "relu", "reglu", *options, "--initial", "zero")
    assert found["loss"]["relu"]["0"] == found["loss"]["reglu"]["0"] == float(Y @ Y) / 2
    np.save(tmp_path / "Y.npy", Y[:5, None])
    code, out, err = gluntk.ask("dynamics", "relu", "reglu", *options)
    assert (code, out) == (2, "")
    assert "targets must be one number for each of the 40 rows" in err


@pytest.mark.parametrize(
    ("source", "target"), [("digits", "digits:parity"), ("digits", "digits:3"), ("diabetes", "diabetes")]
)
def test_some_rows_of_real_data_keep_their_targets(source: str, target: str, gluntk):
    pytest.importorskip("sklearn")
    options = ("--input", source, "--prepare", "standardize", "--targets", target, "--width", "100")
    found = gluntk.asked("dynamics", "relu", "reglu", *options, "--rows", "60", "--at", "0,9")
    assert (found["n"], found["labels"]) == (60, target)
    X, Y = read_input(source, "standardize"), real_labels(target)
    taken = np.sort(np.random.default_rng(np.random.SeedSequence(0, spawn_key=(5,))).permutation(len(X))[:60])
    X, Y = X[taken], Y[taken]
    K, C = (kernel_function("relu", kind, width=100)(X) for kind in ("ntk", "nngp"))
    # A dozen products of matrices of 60 rows.
    assert found["loss"]["relu"]["9"] == pytest.approx(loss(K, C, Y, found["eta"], 9), rel=1e-9)
    assert found["predicted_crossing"] is None
    assert f"{source}, some rows by seed 0 (standardize): n = 60" in gluntk.told(
        "dynamics", "relu", "reglu", *options, "--rows", "60"
    )


@pytest.mark.parametrize("source", labels.OWN)
def test_real_sets_have_their_own_targets_in_both_commands(source: str, gluntk):
    pytest.importorskip("sklearn")
    for rest in (
        ("dynamics", "--rows", "20"),
        ("generalise", "--train", "9", "--test", "9", "--splits", "5", "--at", "1"),
    ):
        found = gluntk.asked(rest[0], "relu", "reglu", "--input", source, *rest[1:], "--width", "9")
        assert found["labels" if rest[0] == "dynamics" else "targets"] == labels.OWN[source]
    drawn = ("--input", source, "--rows", "20", "--width", "9", "--labels", "random")
    assert gluntk.asked("dynamics", "relu", "reglu", *drawn)["labels"] == "random"


def test_all_rows_are_taken_in_their_order_and_some_rows_of_a_file_keep_their_targets(tmp_path: Path, gluntk):
    X, Y = rows(), np.arange(40.0)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y[None])
    options = ("--input", str(tmp_path / "X.npy"), "--targets", str(tmp_path / "Y.npy"), "--width", "100")
    zero = ("dynamics", "relu", "reglu", *options, "--initial", "zero")
    taken = np.sort(np.random.default_rng(np.random.SeedSequence(0, spawn_key=(5,))).permutation(40)[:7])
    some = gluntk.asked(*zero, "--rows", "7")["loss"]["relu"]["0"]
    assert some == float(Y[taken] @ Y[taken]) / 2
    assert gluntk.asked(*zero, "--rows", "40")["loss"] == gluntk.asked(*zero)["loss"]
    code, out, err = gluntk.ask(*zero, "--rows", "41")
    assert (code, out) == (2, "")
    assert "rows must be at most 40, all of the input's, got 41" in err


def test_the_figure_is_written_and_not_overwritten(tmp_path: Path, gluntk):
    target = tmp_path / "losses.svg"
    gluntk.told(*SMALL, "--plot", str(target))
    text = target.read_text()
    assert text.startswith("<?xml")
    assert len(text) > 5000
    code, _, err = gluntk.ask(*SMALL, "--plot", str(target))
    assert code == 2
    assert "exists" in err


@pytest.mark.parametrize("initial", options.INITIAL)
def test_the_figure_says_what_it_shows(initial: str, tmp_path: Path, monkeypatch, gluntk):
    kept: list[Any] = []

    def draw(ax, report) -> None:
        draw_losses(ax, report)
        ax.figure.draw_without_rendering()
        kept.extend([ax, report])

    monkeypatch.setattr(dynamics, "draw_losses", draw)
    gluntk.told(*SMALL, "--initial", initial, "--plot", str(tmp_path / "losses.png"))
    ax, report = kept
    title = ax.title.get_text()
    for part in ("random targets", "gaussian, seed 0", "n = 40, d = 10, m = 100", f"eta = {report.eta:.4g}"):
        assert part in title
    assert f"outputs at the start: {BEGINNINGS[initial]}" in title
    box = ax.title.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= ax.figure.bbox.width
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    crossing = ["expected losses cross"] if report.crossings.steps else []
    assert legend == ["relu", "reglu", *crossing]
    assert bool(crossing) == (initial != "zero")
    twice = replace(report, crossings=replace(report.crossings, steps=(3, 5)))
    _, (again,) = new_figure()
    draw_losses(again, twice)
    found: Any = again.get_legend()
    assert [text.get_text() for text in found.get_texts()] == [
        "relu",
        "reglu",
        "expected losses cross",
    ]


@pytest.mark.parametrize("train", [(), ("--seeds", "3")])
@pytest.mark.parametrize(
    "X",
    [
        rows()[:1],
        rows()[:6, :1],
        np.array([[2.0]]),
        np.vstack([rows()[:3], rows()[:3]]),
        np.vstack([rows()[:3], 0 * rows()[:1]]),
        np.vstack([rows()[:3], -rows()[:3]]),
    ],
    ids=["one row", "one column", "one number", "equal rows", "a zero row", "opposite rows"],
)
def test_special_rows_have_the_losses_of_matrix_powers(
    X: np.ndarray, train: tuple[str, ...], tmp_path, gluntk
):
    Y = np.linspace(-1, 2, len(X))
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y[None])
    options = (
        "--input",
        str(tmp_path / "X.npy"),
        "--targets",
        str(tmp_path / "Y.npy"),
        "--width",
        "20",
        *train,
    )
    found = gluntk.asked("dynamics", "relu", "reglu", *options, "--at", "0,1,7")
    for name in ("relu", "reglu"):
        K, C = (kernel_function(name, kind, width=20)(X) for kind in ("ntk", "nngp"))
        for k in (0, 1, 7):
            assert found["loss"][name][str(k)] == pytest.approx(
                loss(K, C, Y, found["eta"], k), rel=1e-9, abs=1e-11 * loss(K, C, Y, found["eta"], 0)
            )
            assert not train or found["trained"][name]["loss"][str(k)] >= 0


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (np.where(np.arange(40) == 3, np.nan, 1.0)[:, None], "must hold finite numbers, got nan at row 3"),
        (np.full((40, 1), np.inf), "must hold finite numbers, got inf"),
        (
            np.full((40, 1), 1e200),
            "targets must be smaller numbers: the sum of their squares exceeds 1.8e308",
        ),
        (np.ones((39, 1)), "targets must be one number for each of the 40 rows, got shape (39, 1)"),
        (np.ones((40, 2)), "targets must be one number for each of the 40 rows, got shape (40, 2)"),
        (np.ones(39), "targets must be one number for each of the 40 rows, got shape (39, 1)"),
        (np.full((40, 1), 1j), "must hold real numbers"),
        (np.full((40, 1), "a"), "must hold real numbers"),
    ],
    ids=["nan", "inf", "squares overflow", "too few", "two columns", "one axis", "complex", "text"],
)
def test_targets_that_are_none_are_told_in_one_line(content: np.ndarray, line: str, tmp_path: Path, gluntk):
    np.save(tmp_path / "X.npy", rows())
    np.save(tmp_path / "Y.npy", content)
    options = ("--input", str(tmp_path / "X.npy"), "--targets", str(tmp_path / "Y.npy"), "--width", "9")
    code, out, err = gluntk.ask("dynamics", "relu", "reglu", *options, "--seeds", "2")
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1


def test_the_largest_step_size_is_the_one_that_is_told(gluntk):
    bound = gluntk.asked(*SMALL)["eta_bound"]
    for train in ((), ("--seeds", "2")):
        code, out, err = gluntk.ask(*SMALL, "--eta", repr(bound), *train)
        assert (code, out) == (2, "")
        assert f"eta must be below 2 / lambda_1 = {bound:.6g}" in err
        assert err.count("\n") == 1
    assert gluntk.asked(*SMALL, "--eta", repr(bound * (1 - 1e-9)))["eta"] < bound


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((*SMALL, "--eta", "3"), "eta must be below 2 / lambda_1 = "),
        ((*SMALL, "--eta", "-1"), "eta must be positive"),
        ((*SMALL, "--eta", "nan"), "eta must be positive"),
        ((*SMALL, "--eta", "0"), "eta must be positive"),
        ((*SMALL, "--eta", "inf"), "eta must be positive and finite, got inf"),
        ((*SMALL, "--at", "1.5"), "at must be whole numbers"),
        ((*SMALL, "--at", ""), "at must be whole numbers"),
        (
            ("dynamics", "relu", "reglu", "--n", "0", "--d", "9", "--width", "9"),
            "n must be a positive integer",
        ),
        (
            ("dynamics", "relu", "reglu", "--n", "9", "--d", "-1", "--width", "9"),
            "d must be a positive integer",
        ),
        (("dynamics", "relu", "reglu", *ROWS, "--width", "0"), "width must be a positive integer, got 0"),
        ((*SMALL, "--eta", "fast"), "eta must be a number or auto"),
        ((*SMALL, "--at", "1,x"), "at must be whole numbers"),
        ((*SMALL, "--at", "-1"), "at must be whole numbers"),
        ((*SMALL, "--targets", "Y.npy"), "targets belong to the rows of --input"),
        ((*SMALL, "--rows", "3"), "rows belong to --input; with --data give --n"),
        ((*REAL, "--rows", "0"), "rows must be a positive integer, got 0"),
        ((*REAL, "--targets", "diabetes", "--labels", "signs"), "labels and targets are two ways"),
        ((*REAL, "--targets", "digits:3"), "targets digits:3 belong to --input digits, got 'diabetes'"),
        ((*REAL, "--targets", "digits:11"), "targets must be one of digits:parity, "),
        ((*REAL, "--targets", "digits"), "targets must be one of digits:parity, "),
        (("dynamics", "relu", *ROWS, "--width", "9"), "networks must be two, got 1"),
        (("dynamics", "relu", "relu", *ROWS, "--width", "9"), "networks must differ"),
        (("dynamics", "relu", "reglu", *ROWS), "width is needed"),
        (("dynamics", "relu", "reglu", "--n", "5000", "--d", "9", "--width", "9"), "n must be at most 4000"),
        (("dynamics", "relu", "reglu", "--n", "9", "--width", "9"), "d is needed"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], line: str, gluntk):
    code, out, err = gluntk.ask(*arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
