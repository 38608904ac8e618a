"""`gluntk dynamics --seeds`: what is told is what `train` measures, beside the kernels' losses, or one line why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from verify.commands import dynamics, dynamics_trained
from verify.commands.dynamics_report import draw_losses
from verify.finite import finite_network
from verify.inputs import generate
from verify.labels import draw_labels
from verify.trained_crossing import TrainedCrossing, trained_crossing
from verify.training import TrainedLosses, train

SMALL = ("dynamics", "relu", "reglu", "--n", "12", "--d", "5", "--data", "gaussian", "--width", "200")
ROWS = ("--n", "40", "--d", "10", "--data", "gaussian")
TRAINED = (*SMALL, "--seeds", "30", "--at", "0,1,40")


def problem() -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0,)))
    X = generate("gaussian", 12, 5, stream)
    return X, draw_labels("normal", X, 0)


def test_what_is_told_is_what_networks_do(gluntk):
    found = gluntk.asked(*TRAINED)
    X, Y = problem()
    rng = np.random.SeedSequence(0, spawn_key=(6,))
    relu, reglu = (train(name, X, Y, 200, range(41), found["eta"], 30, rng) for name in ("relu", "reglu"))
    for name, losses in (("relu", relu), ("reglu", reglu)):
        shown = found["trained"][name]
        # The rate is that of an eigenvalue, which another routine gives to 1e-14.
        np.testing.assert_allclose(list(shown["loss"].values()), losses.mean[[0, 1, 40]], rtol=1e-9)
        np.testing.assert_allclose(
            list(shown["standard_error"].values()), losses.standard_error[[0, 1, 40]], rtol=1e-9
        )
        assert list(shown["loss"]) == list(shown["standard_error"]) == ["0", "1", "40"]
        assert shown["grown"] == 0
    crossing = trained_crossing(relu, reglu, np.random.SeedSequence(0, spawn_key=(7,)))
    assert crossing is not None
    assert found["trained_crossing"] == {"step": crossing.step, "low": crossing.low, "high": crossing.high}
    assert found["seeds"] == 30
    tests = [ttest_rel(relu.losses[:, k], reglu.losses[:, k]) for k in (0, 1, 40)]
    # Three steps together: each at a third of 5 %.
    sure = [None if test.pvalue > 0.05 / 3 else ("relu" if test.statistic < 0 else "reglu") for test in tests]
    assert list(found["trained_ahead"].values()) == sure
    assert {None, "reglu"} <= set(sure)
    text = gluntk.told(*TRAINED)
    assert "Mean loss of 30 trained networks each, m = 200, +- its standard error" in text
    ahead = "relu" if crossing.ahead < 0 else "reglu"
    assert f"{ahead} is ahead from k = {crossing.step} on (95 % interval: {crossing.low:.0f} to " in text
    row = next(line for line in text.splitlines()[::-1] if line.startswith("  relu "))
    # The table's digits, but for those that a rounding may turn.
    mean, error = (float(number) for number in row.split("  ")[-1].split(" +- "))
    assert mean == pytest.approx(relu.mean[40], rel=1e-3)
    assert error == pytest.approx(relu.standard_error[40], rel=0.06)
    assert row.count("+-") == 3


def test_wide_networks_are_near_the_kernels_curve_and_begin_like_it(gluntk):
    wide = (*SMALL[:-1], "2000", "--seeds", "60", "--at", "0,3,10")
    found = gluntk.asked(*wide)
    for name in ("relu", "reglu"):
        for k in ("0", "3", "10"):
            mean, error = (found["trained"][name][what][k] for what in ("loss", "standard_error"))
            # 4 standard errors, and what is left of the width's own: 0.05 after 10 steps at m = 2000, d = 5.
            assert abs(mean - found["loss"][name][k]) < 4 * error + 0.05 * mean
            # Power: that is seen which is a quarter off.
            assert 4 * error < 0.25 * mean


def test_the_rest_of_the_report_is_as_without_networks(gluntk):
    plain = gluntk.asked(*SMALL, "--at", "0,1,40")
    found = gluntk.asked(*TRAINED)
    for key in ("seeds", "trained", "trained_crossing", "trained_ahead"):
        assert plain[key] is None
        del plain[key], found[key]
    assert plain == found
    assert "trained" not in gluntk.told(*SMALL)


def test_one_network_has_no_standard_error(gluntk):
    found = gluntk.asked(*SMALL, "--seeds", "1", "--at", "0,40")
    assert found["trained"]["relu"]["standard_error"] is None
    assert found["trained_crossing"] is None or found["trained_crossing"]["low"] is None
    assert set(found["trained_ahead"].values()) == {None}
    text = gluntk.told(*SMALL, "--seeds", "1")
    assert "+-" not in text
    assert "interval" not in text
    assert "Loss of one trained network each, m = 200" in text
    assert "surely ahead: nobody can be told from one network each" in text


def made_up(ahead: int, low: float | None, high: float | None) -> dynamics_trained.TrainedNetworks:
    losses = {
        name: TrainedLosses((0, 1, 2), np.array([[3.0, 2.0, last]] * 4), np.zeros((4, 1)))
        for name, last in (("relu", 2.5), ("reglu", 4.0))
    }
    return dynamics_trained.TrainedNetworks(
        9, losses, TrainedCrossing(2, low, high, ahead) if ahead else None
    )


def test_remarks_say_who_is_ahead_from_when_and_whose_loss_has_grown():
    text = "\n".join(dynamics_trained.trained_lines(made_up(-1, 1.0, np.inf), (0, 2)))
    assert "relu is ahead from k = 2 on (95 % interval: 1 to after 2)" in text
    assert "the loss of 4 of 4 networks of reglu has grown" in text
    assert "networks of relu has grown" not in text
    text = "\n".join(dynamics_trained.trained_lines(made_up(0, None, None), (0, 2)))
    assert "trained networks: no crossing seen up to k = 2\n" in text
    content = dynamics_trained.trained_content(made_up(1, 0.0, np.inf), (0, 2))
    assert content["trained_crossing"] == {"step": 2, "low": 0.0, "high": "inf"}
    json.dumps(content, allow_nan=False)


def test_remarks_say_at_which_steps_the_order_is_sure():
    def line(relu: np.ndarray, reglu: np.ndarray) -> str:
        losses = {
            name: TrainedLosses((0, 1, 2), found, np.zeros((len(found), 1)))
            for name, found in (("relu", relu), ("reglu", reglu))
        }
        networks = dynamics_trained.TrainedNetworks(9, losses, None)
        return next(
            line
            for line in dynamics_trained.trained_lines(networks, (0, 1, 2))
            if line.startswith("  surely ahead")
        )

    # Networks differ by far more than the two of a pair: unpaired, nothing would be sure.
    common = np.linspace(1.0, 20.0, 20)[:, None]
    relu = common + np.array([0.0, 0.5, -0.5]) + np.tile([[0.1], [-0.1]], (10, 3))
    assert line(relu, common + np.zeros(3)) == (
        "  surely ahead (95 % for all these steps together, paired): relu at k = 2; reglu at k = 1"
    )
    assert line(relu, relu).endswith(": neither at any")
    assert (
        line(relu[:1], common[:1] + np.zeros(3)) == "  surely ahead: nobody can be told from one network each"
    )


def test_one_network_whose_loss_grows_is_not_counted():
    losses = {
        name: TrainedLosses((0, 1), np.array([[1.0, last]]), np.zeros((1, 1)))
        for name, last in (("relu", 0.5), ("reglu", 2.0))
    }
    text = "\n".join(
        dynamics_trained.trained_lines(dynamics_trained.TrainedNetworks(9, losses, None), (0, 1))
    )
    assert "the loss of the network of reglu has grown" in text
    assert "network of relu" not in text


def test_the_figure_has_the_trained_means_and_their_bands(tmp_path: Path, gluntk):
    target = tmp_path / "losses.svg"
    gluntk.told(*TRAINED, "--plot", str(target))
    gluntk.told(*SMALL, "--at", "0,1,40", "--plot", str(tmp_path / "plain.svg"))
    assert target.read_text().count("<path") > (tmp_path / "plain.svg").read_text().count("<path") + 4
    from verify.plots import new_figure

    _, (ax,) = new_figure()
    dynamics_trained.draw_trained(ax, made_up(1, 1.0, 2.0))
    assert [line.get_linestyle() for line in ax.lines] == ["--", "--"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [2.0, 4.0])
    assert len(ax.collections) == 2


def test_the_figure_ends_where_training_does(tmp_path: Path, monkeypatch, gluntk):
    panels: list[np.ndarray] = []

    def draw(ax, report) -> None:
        draw_losses(ax, report)
        panels.append(np.concatenate([line.get_xdata() for line in ax.lines]))

    monkeypatch.setattr(dynamics, "draw_losses", draw)
    for index, further in enumerate([("--seeds", "2"), ()]):
        target = str(tmp_path / f"{index}.svg")
        gluntk.told(
            *SMALL[:3], *ROWS, "--width", "100", "--seed", "1", "--at", "0,12", *further, "--plot", target
        )
    # Their only crossing is at k = 3, and ten times that is shown of kernels alone.
    assert [xs.max() for xs in panels] == [12, 30]


def test_expressions_are_trained_too(gluntk):
    named = gluntk.asked(*TRAINED)["trained"]["relu"]["loss"]
    own = ("dynamics", "reglu", "--activation", "max(0, z)", *TRAINED[3:])
    found = gluntk.asked(*own)["trained"]
    (loss,) = (found[name]["loss"] for name in found if name != "reglu")
    assert finite_network("relu").gates == 0
    # The same function, compiled; a rounding of the rate in 40 steps.
    np.testing.assert_allclose(list(loss.values()), list(named.values()), rtol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((*SMALL, "--seeds", "0"), "seeds must be a positive integer, got 0"),
        ((*SMALL, "--seeds", "-5"), "seeds must be a positive integer, got -5"),
        ((*SMALL[:-2], "--parametrization", "ntk", "--seeds", "5"), "width is needed with --seeds"),
        ((*SMALL, "--seeds", "5", "--initial", "zero"), "initial must be nngp with --seeds"),
        ((*SMALL, "--seeds", "5", "--eta", "1"), "eta must be below 2 / lambda_1 = "),
        (
            (*SMALL, "--seeds", "5", "--at", "1000000000"),
            "seeds must be fewer, or at fewer steps: 5 networks of ",
        ),
        (
            (*SMALL, "--seeds", "1000000000"),
            "seeds must be fewer, or at fewer steps: 1000000000 networks of ",
        ),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], line: str, gluntk):
    code, out, err = gluntk.ask(*arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1


def test_a_descent_that_diverges_names_eta_and_the_network(gluntk):
    # Two neurons: a network's own lambda_1 is often several times that of the mean.
    narrow = ("dynamics", "relu", "reglu", "--n", "12", "--d", "5", "--data", "gaussian", "--width", "2")
    unstable = gluntk.asked(*narrow)["eta_bound"] * 0.99
    code, out, err = gluntk.ask(*narrow, "--seeds", "40", "--eta", str(unstable), "--at", "400")
    assert (code, out) == (2, "")
    assert "eta must be smaller, or width larger, for networks of " in err
    assert "lambda_1 of a network's own kernel is on average larger" in err
    assert err.count("\n") == 1
