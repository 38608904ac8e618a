"""The README is true: its commands exist, its output is printed, its Python runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from derivations import symbols
from derivations.dynamics import crossing_estimate, crossing_formula, early_stage, exact_smallest_rows
from derivations.dynamics.crossing_argument import LABELS
from derivations.learning_symbols import eta
from verify.cli import gluntk

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_first_example_prints_what_the_readme_shows():
    block = README.split("```")[1]
    command, *shown = block.strip().splitlines()
    assert command == "$ gluntk derive reglu"
    printed = CliRunner().invoke(gluntk, ["derive", "reglu"]).output
    for line in shown:
        assert line.strip(" .") in printed


def test_trained_networks_do_what_the_readme_shows():
    block = next(
        b for b in README.split("```") if b.strip().startswith("$ gluntk dynamics") and "--seeds" in b
    )
    command, *shown = block.strip().splitlines()
    printed = CliRunner().invoke(gluntk, shlex.split(command)[2:]).output.splitlines()
    assert len(shown) > 9
    assert {line for line in shown if line != "..."} <= set(printed)


def test_the_spectrum_is_what_the_readme_shows():
    block = next(b for b in README.split("```") if b.strip().startswith("$ gluntk spectrum"))
    command, *shown = block.strip().splitlines()
    printed = CliRunner().invoke(gluntk, command.split()[2:]).output
    assert len(shown) > 8
    for line in shown:
        # Digits are those of LAPACK on any machine: eigenvalues are right to 1e-9 here.
        assert line.strip(".") in printed


@pytest.mark.parametrize("claim", ["A10", "A16"])
def test_the_map_is_what_the_readme_shows(claim: str):
    block = next(b for b in README.split("```") if b.strip().startswith(f"$ gluntk regimes {claim}"))
    command, *shown = block.strip().splitlines()
    printed = CliRunner().invoke(gluntk, command.split()[2:]).output.splitlines()
    assert len(shown) > 8
    assert {line for line in shown if line != "..."} <= set(printed)


def test_the_losses_are_what_the_readme_shows():
    block = next(b for b in README.split("```") if b.strip().startswith("$ gluntk dynamics"))
    command, *shown = block.strip().splitlines()
    runner = CliRunner()
    printed = runner.invoke(gluntk, shlex.split(command)[2:]).output.splitlines()
    assert len(shown) > 7
    assert {line for line in shown if line != "..."} <= set(printed)
    for option, stated in ((("--initial", "kernel"), 182), (("--d", "5"), 30577)):
        other = runner.invoke(gluntk, [*shlex.split(command)[2:], *option]).output
        assert re.search(rf"at k = (\d+, )?{stated};", other)
        assert str(stated) in README


def test_closed_forms_of_the_crossing_are_what_the_readme_says():
    block = next(b for b in README.split("```") if b.strip().startswith("$ gluntk dynamics"))
    printed = CliRunner().invoke(gluntk, shlex.split(block.strip().splitlines()[0])[2:]).output
    found = re.search(r"eta +([\d.e-]+)", printed)
    assert found
    rate = float(found[1])
    sizes = {symbols.n: 300, symbols.d: 20, symbols.m: 1000, eta: rate, LABELS: 1}
    formula = float(crossing_formula().steps[-1].rhs.subs(sizes))
    estimate = crossing_estimate(300, 20, 1000, eta=rate)
    assert estimate
    for words, value in (
        ("k = {:.1f} at the example's", formula),
        ("k = {:.1f}\nin the example", estimate.logarithm),
        ("k = {:.1f}, of which", estimate.step),
    ):
        assert words.format(value) in README


def test_the_gaps_are_what_the_readme_shows():
    pytest.importorskip("sklearn")
    block = next(b for b in README.split("```") if b.strip().startswith("$ gluntk generalise"))
    command, *shown = block.strip().splitlines()
    printed = CliRunner().invoke(gluntk, shlex.split(command)[2:]).output
    stated = [line.strip() for line in shown if line != "..."]
    assert len(stated) == 5
    for line in stated:
        # Four digits of eigenvalues and sums, the last of them the machine's.
        assert without_last_digits(line) in without_last_digits(printed)


def test_the_rows_that_wide_networks_need_are_what_the_readme_says():
    dimensions = range(5, 30)
    assert max(exact_smallest_rows(d, None) or np.inf for d in dimensions) == 59
    assert "59 rows are enough from d = 5 on" in README
    # One neuron, with outputs of covariance K and of a real network.
    assert all((exact_smallest_rows(d, 1, "kernel") or np.inf) > 300 for d in (*range(5, 60), 100, 1000))
    few = [d for d in range(5, 120) if (exact_smallest_rows(d, 1, "nngp") or np.inf) <= 300]
    assert few == [*range(13, 73)]
    assert "enough from\nd = 13 to 72 (208 rows at d = 20)" in README
    assert exact_smallest_rows(20, 1, "nngp") == 208
    for initial, ratio in (("kernel", 0.349), ("nngp", 0.033)):
        assert float(early_stage(initial).smallest_ratio(300)) == pytest.approx(ratio, abs=5e-4)
        assert f"m >= {ratio} d" in README


@pytest.mark.parametrize("name", ["compare", "design"])
def test_what_is_learned_is_what_the_readme_shows(name: str):
    block = next(b for b in README.split("```") if b.strip().startswith(f"$ gluntk {name}"))
    command, *shown = block.strip().splitlines()
    printed = CliRunner().invoke(gluntk, shlex.split(command)[2:]).output
    assert len(shown) > 6
    for line in shown:
        # Four digits of a search that stops at relative gains of 1e-5: the same on any machine but for the last one.
        assert without_last_digits(line.strip(".")) in without_last_digits(printed)


def without_last_digits(text: str) -> str:
    return re.sub(r"(\d\.\d{2})\d+", r"\1", text)


def test_every_command_in_the_readme_exists():
    named = set(re.findall(r"`gluntk ([a-z]+)", README))
    assert named == set(gluntk.commands)


def test_every_make_target_in_the_documents_exists():
    makefile = (ROOT / "Makefile").read_text()
    for document in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / document).read_text(), re.MULTILINE):
            assert f"\n{target}:" in makefile, target


def test_the_python_example_runs():
    block = next(b for b in README.split("```python") if "from verify import empirical_ntk" in b).split(
        "```"
    )[0]
    names: dict = {"X": np.eye(3)}
    exec(compile(block, "README", "exec"), names)  # the README's own code
    assert names["K"].shape == (3, 3)
    assert names["estimate"].standard_error.shape == (3, 3)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_paths_named_in_the_documents_exist(document: str):
    for path in re.findall(
        r"`((?:derivations|verify|tests|notebooks|benchmarks)/[\w/.]*)`", (ROOT / document).read_text()
    ):
        assert (ROOT / path).exists(), path


def test_the_networks_that_the_readme_trains_learn():
    block = next(b for b in README.split("```python") if "from verify.training import train" in b).split(
        "```"
    )[0]
    names: dict[str, Any] = {"X": np.random.default_rng(0).standard_normal((20, 4)), "np": np}
    exec(compile(block, "README", "exec"), names)  # the README's own code
    means = names["found"].mean
    assert means[2] < means[1] < means[0] / 2
