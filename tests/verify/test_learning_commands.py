"""`gluntk compare` and `gluntk design`: keys, values against the law, what they say, figures, and bad input."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from derivations import derive, network, spectrum_law
from derivations.learning import Teacher, learning_curve
from derivations.spectrum import gegenbauer_expansion
from verify.comparison import with_all_gates

SIZE = ("--n", "200", "--d", "30")
COMPARED = (*SIZE, "--width", "50", "--steps", "2,20", "--teacher", "0.6,0.4")
TEACHER = Teacher((0.6, 0.4))
SEARCHED = (*SIZE, "--degrees", "3", "--gates", "1", "--width", "50", "--steps", "5")


def test_compare_has_the_public_keys_and_the_values_of_the_laws(gluntk):
    found = gluntk.asked("compare", "reglu", "relu", *COMPARED)
    assert list(found)[:2] == ["schema", "version"]
    assert (found["n"], found["d"], found["width"], found["steps"]) == (200, 30, 50, [2, 20])
    # By activation, fewer gates first.
    assert [row["network"] for row in found["rows"]] == ["relu", "reglu"]
    for row in found["rows"]:
        name = row["network"]
        law = spectrum_law(name, 200, 30, 50)
        for quantity in ("lambda_max", "lambda_min", "condition_number"):
            assert list(row[quantity]) == ["published", "bounds", "sharp", "finite", "exact"]
            assert row[quantity]["sharp"] == getattr(law, quantity)
        curve = learning_curve(name, 200, 30, 50, (2, 20), TEACHER)
        assert row["test_error"] == {"2": curve.errors[0], "20": curve.errors[1]}
        assert row["measured"] is None
        coefficients = derive(network(name)).coefficients
        for key in ("alpha", "beta", "gamma"):
            exact = getattr(coefficients, key).subs({"m": 50, "d": 30})
            exact = sp.N(
                exact.subs({symbol: {"m": 50, "d": 30}[symbol.name] for symbol in exact.free_symbols})
            )
            assert row["coefficients"][key] == pytest.approx(float(exact), rel=1e-12)
        expansion = gegenbauer_expansion(network(name), 30, 50, 3)
        shares = [row["shares"][key] for key in ("0", "1", "2", "3")]
        np.testing.assert_allclose(shares, expansion.masses / expansion.total, rtol=1e-12, atol=1e-15)
        assert sum(row["shares"].values()) == pytest.approx(1)
    errors = {row["network"]: row["test_error"] for row in found["rows"]}
    for t in ("2", "20"):
        assert found["best"][t][0] == min(errors, key=lambda name: errors[name][t])


def test_all_gates_adds_the_members_by_their_names(gluntk):
    found = gluntk.asked("compare", "swiglu", *COMPARED, "--all-gates")
    names = [(row["network"], row["gates"]) for row in found["rows"]]
    assert names == [("silu", 0), ("swiglu", 1), ("silu with 2 linear gates", 2)]
    members = with_all_gates([network(expression="z + z**2/3", gates=1), network("relu")])
    assert [(one.activation.name, one.gates) for one in members] == [
        ("z + z**2/3", 0), ("z + z**2/3", 1), ("z + z**2/3", 2), ("relu", 0), ("relu", 1), ("relu", 2),
    ]  # fmt: skip
    assert [one.name for one in members[3:]] == ["relu", "reglu", "gqu"]


def test_compare_says_which_is_best_and_what_gates_buy(gluntk):
    text = gluntk.told("compare", "relu", "reglu", "gqu", *COMPARED)
    assert "best after 2 steps: reglu" in text
    assert "reglu / relu" in text
    assert "gqu / relu" in text
    assert "is that of gqu, but it does not learn best" in " ".join(text.split())
    one = learning_curve("reglu", 200, 30, 50, (2, 20), TEACHER).errors
    plain = learning_curve("relu", 200, 30, 50, (2, 20), TEACHER).errors
    line = next(line for line in text.splitlines() if "reglu / relu" in line)
    assert line.split()[-2:] == [f"{a / b:.2f}" for a, b in zip(one, plain, strict=True)]
    starred = [line.split()[0] for line in text.splitlines() if "*" in line and "predicted" not in line]
    assert starred == ["reglu"]


def test_compare_measures_on_request(gluntk):
    found = gluntk.asked("compare", "relu", "reglu", *COMPARED, "--draws", "6", "--data", "gaussian")
    for row in found["rows"]:
        for t in ("2", "20"):
            mean, error = row["measured"]["mean"][t], row["measured"]["standard_error"][t]
            # Five standard errors of six draws, and 2 % that the law is wrong by.
            assert abs(row["test_error"][t] - mean) < 5 * error + 0.02 * mean
            assert 0 < error < 0.05 * mean
    drawn = [
        gluntk.asked("compare", "relu", *COMPARED, "--draws", "2", "--seed", seed)["rows"][0]["measured"]
        for seed in ("0", "0", "1")
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    text = gluntk.told("compare", "relu", *COMPARED, "--draws", "2")
    assert "measured and predicted test errors differ by" in text


def test_what_no_law_covers_is_said_beside_what_one_does(gluntk):
    found = gluntk.asked("compare", "silu", "reglu", *COMPARED, "--data", "gaussian")
    silu, reglu = found["rows"]
    assert silu["test_error"] is None
    assert "not homogeneous" in silu["refusal"]
    assert silu["condition_number"]["sharp"] > 1
    assert reglu["refusal"] is None
    alone = gluntk.told("compare", "silu", *COMPARED, "--data", "gaussian")
    assert "silu: no test error is predicted" in alone
    assert "best after" not in alone


def test_design_has_its_keys_and_the_printed_activation_has_the_profile(gluntk):
    found = gluntk.asked("design", *SEARCHED)
    assert list(found)[:2] == ["schema", "version"]
    design = found["design"]
    c = design["coefficients"]
    assert sum(c) == pytest.approx(1)
    assert c[0] == 0
    assert design["reached_by_an_activation"] == "proved"
    (activation,) = design["activations"]
    described = network(expression=activation["expression"], gates=activation["gates"])
    expansion = derive(described, order=3).expansion.coefficients
    at = {"m": activation["width"], "d": 30}
    values = [float(v.subs({s: at[s.name] for s in v.free_symbols})) for v in expansion]
    np.testing.assert_allclose(values, c, atol=1e-9)
    curve = learning_curve(described, 200, 30, activation["width"], (5,), Teacher((0.5, 0.5)))
    assert curve.errors[0] == pytest.approx(design["test_error"], rel=1e-6)
    best, nearest = found["best_of_catalogue"], found["nearest_of_catalogue"]
    assert best == found["catalogue"][0]
    assert best["test_error"] == min(one["test_error"] for one in found["catalogue"])
    assert nearest["distance"] == min(one["distance"] for one in found["catalogue"])
    assert best["cost"] == pytest.approx(best["test_error"] / design["test_error"] - 1)
    assert best["cost"] > 0
    assert {one["gates"] for one in found["catalogue"]} == {1}
    by_name = {one["network"]: one for one in found["catalogue"]}
    exact = learning_curve("reglu", 200, 30, 50, (5,), Teacher((0.5, 0.5))).errors[0]
    assert by_name["reglu"]["test_error"] == pytest.approx(exact)
    expansion = gegenbauer_expansion(network("reglu"), 30, 50, 60)
    shares = np.append(expansion.masses, expansion.rest) / expansion.total
    shares[: len(design["shares"])] -= design["shares"]
    assert by_name["reglu"]["distance"] == pytest.approx(np.sum(np.abs(shares)) / 2, abs=1e-6)
    degenerate = found["best_condition_number"]
    conditions = [one["condition_number"] for one in found["pure_degrees"]]
    assert degenerate["condition_number"] == min(float(value) for value in conditions)
    assert degenerate["test_error"] > design["test_error"]


def test_design_says_what_to_type_and_measures_on_request(gluntk, tmp_path: Path):
    figure = tmp_path / "design.png"
    text = gluntk.told("design", *SEARCHED, "--draws", "3", "--plot", str(figure))
    assert figure.read_bytes()[1:4] == b"PNG"
    line = next(line for line in text.splitlines() if "gluntk derive" in line)
    assert "[rho^" not in line
    assert "The NTK of" in gluntk.told(*shlex.split(line)[1:])
    assert "minimising the condition number is degenerate" in text
    assert text.count("real gradient descent, 3 draws") == 3 - ("best, nearest" in text)


def test_a_constant_is_no_activation(gluntk):
    text = gluntk.told("design", *SEARCHED, "--teacher", "1", "--degrees", "2")
    assert "c_1 = 1.0000" in text
    assert "none is needed" in text


def test_compare_draws_its_figure(gluntk, tmp_path: Path):
    figure = tmp_path / "compare.svg"
    text = gluntk.told("compare", "relu", "bilinear", *COMPARED, "--plot", str(figure))
    assert f"figure written to {figure}" in text
    drawn = figure.read_text()
    assert "<svg" in drawn
    code, _, err = gluntk.ask("compare", "relu", *COMPARED, "--plot", str(figure))
    assert code == 2
    assert "--force" in err


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("compare relu --n 200 --d 30", "width is needed"),
        ("compare relu relu --n 200 --d 30 --width 3", "networks must differ, got relu twice"),
        ("compare reglu --tied --all-gates --n 200 --d 30 --width 3", "all-gates adds gates with weights of their own"),
        ("compare step --n 200 --d 30 --width 3", "activation must be continuous"),
        ("compare relu --n 200 --d 30 --width 3 --teacher a", "teacher must be numbers separated by commas, got 'a'"),
        ("compare relu --n 200 --d 30 --width 3 --teacher 0", "teacher must be 1 to 16 energies"),
        ("compare relu --n 200 --d 30 --width 3 --steps 0", "steps must be a positive integer, got 0"),
        ("compare relu --n 200 --d 30 --width 3 --steps 1.5", "steps must be whole numbers"),
        ("compare relu --n 200 --d 30 --width 3 --steps nan", "steps must be numbers separated by commas"),
        ("compare relu --n 200 --d 30 --width 3 --noise -1", "noise must be a variance"),
        ("compare relu --n 200 --d 30 --width 3 --draws 1", "draws must be 0, or at least 2"),
        ("compare relu --n 5000 --d 30 --width 3 --draws 2", "draws must be 0 beyond n = 4000"),
        ("compare relu --n 200 --d 30 --width 3 --seed -1", "seed must be a whole number"),
        ("compare relu --n 200 --d 30 --width 3 --plot x.gif", "plot must be a file name"),
        ("compare relu --n 200 --d 1 --width 3", "d must be at least 2"),
        ("design --n 200 --d 30 --steps 1,2", "steps must be one number, got '1,2'"),
        ("design --n 200 --d 30 --gates 3", "Invalid value for '--gates'"),
        ("design --n 19 --d 30", "n must be at least 20 for a test error, got 19"),
        ("design --n 200 --d 30 --degrees 0", "degrees must be a positive integer, got 0"),
        ("design --n 200 --d 30 --degrees 17", "degrees must be from 1 to 16, got 17"),
        ("design --n 200 --d 30 --width 0", "width must be a positive integer, got 0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(command: str, line: str, gluntk):
    code, out, err = gluntk.ask(*command.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err
