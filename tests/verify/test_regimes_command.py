"""`gluntk regimes`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verify.claim import RUNGS
from verify.cli import main, options
from verify.regimes import IDS, Regime, regime_map

GRID = ("--n", "10,2000", "--d", "3,100", "--width", "50")
KINDS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool | None": {"true": True, "false": False, "": None}.__getitem__,
}


def ask(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["regimes", *arguments])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_rungs_that_are_spelled_out_match_their_source():
    assert options.RUNGS == RUNGS


def test_the_report_says_where_a_formula_holds(capsys: pytest.CaptureFixture[str]):
    code, out, err = ask("A10", "--n", "20,100,2000", "--d", "3,200", "--width", "100", capsys=capsys)
    assert (code, err) == (0, "")
    assert "A10 on infinite-width kernels, Gaussian rows, m = 100, seed 0" in out
    assert "of 6 sizes: holds at 2, fails at 3, undecided at 0, not known at 1" in out
    assert "smallest counterexample  n = 20, d = 3, m = 100: stated" in out
    assert "d = 3    fails at n = 20 to 100; not known at n = 2000" in out
    assert "d = 200  holds at n = 20 to 100; fails at n = 2000" in out
    assert "What holds: rows of unequal lengths" in out


@pytest.mark.parametrize("id", IDS)
def test_every_claim_is_reported_in_both_formats(id: str, capsys: pytest.CaptureFixture[str]):
    small = (id, "--n", "8", "--d", "4", "--width", "4", "--rung", "finite", "--data", "sphere")
    code, out, _ = ask(*small, capsys=capsys)
    assert code == 0
    assert f"{id} on networks, rows on the sphere, m = 4" in out
    code, out, _ = ask(*small, "--format", "json", capsys=capsys)
    content = json.loads(out)
    assert code == 0
    assert [each["formula"] for each in content["formulas"]] == [row["formula"] for row in content["rows"]]
    assert {row["rung"] for row in content["rows"]} == {"finite"}


def test_json_has_the_rows_and_no_invalid_numbers(capsys: pytest.CaptureFixture[str]):
    code, out, _ = ask("A10", *GRID, "--format", "json", "--tolerance", "0.2", capsys=capsys)
    content = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert code == 0
    assert list(content) == [
        "schema", "version", "claim", "title", "source", "rung", "data", "seed", "formulas", "correction", "rows",
    ]  # fmt: skip
    expected = regime_map("A10", [10, 2000], [3, 100], width=50, tolerance=0.2)
    assert [row["true"] for row in content["rows"]] == [
        row.true if np.isfinite(row.true) else str(row.true) for row in expected
    ]
    (summary,) = content["formulas"]
    assert summary["sizes"] == summary["holds"] + summary["fails"] + summary["undecided"] + summary["unknown"]
    assert summary["counterexample"] in content["rows"]
    assert summary["regions"][0] == {
        "d": 3,
        "ranges": [{"verdict": "fails", "n": [10, 10]}, {"verdict": "not known", "n": [2000, 2000]}],
    }


def test_the_table_says_all_that_the_map_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    target, picture = tmp_path / "map.csv", tmp_path / "map.png"
    code, out, _ = ask("A13", *GRID, "--output", str(target), "--plot", str(picture), capsys=capsys)
    assert code == 0
    assert f"Wrote {target}" in out
    assert picture.read_bytes()[1:4] == b"PNG"
    kinds = {name: KINDS[kind] for name, kind in Regime.__annotations__.items()}
    with target.open(newline="") as stream:
        rows = [
            Regime(**{name: kinds[name](text) for name, text in row.items()})
            for row in csv.DictReader(stream)
        ]
    expected = regime_map("A13", [10, 2000], [3, 100], width=50)
    assert {row.holds for row in rows} > {True, None}
    for row, computed in zip(rows, expected, strict=True):
        np.testing.assert_equal(asdict(row), asdict(computed))


def test_the_seed_decides_what_is_drawn(capsys: pytest.CaptureFixture[str]):
    small = ("A7", "--n", "5", "--d", "3", "--width", "4", "--format", "json")
    one, same, other = (
        json.loads(ask(*small, "--seed", seed, capsys=capsys)[1])["rows"] for seed in ("1", "1", "2")
    )
    assert one == same != other


BAD = {
    "claim": (("A0",), "claim must be one of A7, A8, A9, A10, A11, A12, A13, A14, A16, A17, got 'A0'"),
    "no map": (("A1",), "A1 has no map; `gluntk show A1` has its evidence"),
    "no map of the loss": (("A15",), "A15 has no map"),
    "no map of the crossing": (("A18",), "A18 has no map"),
    "no map of the gap": (("A19",), "A19 has no map"),
    "ordering": (("A14", "--tolerance", "0.2"), "tolerance must be left out for A14, an ordering, got 0.2"),
    "no share": (("A17", "--tolerance", "1"), "tolerance must be below 1 for A17, a share of data sets, got 1.0"),
    "near claim": (("a7",), "did you mean 'A7'?"),
    "numbers": (("A7", "--n", "10;20"), "n must be whole numbers such as 10,20,50, got '10;20'"),
    "float": (("A7", "--d", "2.5"), "d must be whole numbers"),
    "negative": (("A7", "--n", "-3"), "n must be a positive integer, got -3"),
    "column": (("A7", "--d", "1"), "d must be at least 2, got 1"),
    "empty": (("A7", "--n", ""), "n must be whole numbers"),
    "two widths": (("A7", "--width", "3", "--width-per-dimension", "2"), "must be given, and not both"),
    "width": (("A7", "--width", "0"), "width must be a positive integer, got 0"),
    "huge": (("A7", "--n", "10000000000"), "n must be at most"),
    "share": (("A7", "--width-per-dimension", "nan"), "width-per-dimension must be a positive number, got nan"),
    "tolerance": (("A7", "--tolerance", "-1"), "tolerance must be a number, 0 or larger, got -1.0"),
    "seed": (("A7", "--seed", "-1"), "seed must be a whole number, 0 or larger, got -1"),
    "rung": (("A7", "--rung", "real"), "'real' is not one of"),
    "data": (("A7", "--data", "cube"), "'cube' is not one of"),
    "nothing stated": (("A13", "--n", "10", "--d", "20"), "n must be larger than d somewhere"),
    "table": (("A7", "--output", "map.txt"), "output must be a file name that ends in .csv"),
    "picture": (("A7", "--plot", "map.gif"), "plot must be a file name that ends in .png or .svg or .pdf"),
    "folder": (("A7", "--output", "absent/map.csv"), "absent"),
    "widths": (("A7", "--width", "3,4"), "width must be one number for A7, got 3,4"),
    "word": (("A7", "--width", "wide"), "width must be whole numbers such as 10,20,50, got 'wide'"),
    "early width": (("A16", "--width", "0"), "width must be a positive integer, got 0"),
    "early word": (("A16", "--width", "1,wide"), "width must be whole numbers"),
    "early networks": (("A16", "--rung", "finite"), "rung must be one of simplified, exact for A16, got 'finite'"),
    "early sphere": (("A16", "--data", "sphere"), "data must be gaussian for A16, got 'sphere'"),
    "early rows": (("A16", "--n", "300"), "n must be left out for A16"),
    "early tolerance": (("A16", "--tolerance", "0.1"), "tolerance must be left out for A16"),
    "early share": (("A16", "--width-per-dimension", "2"), "width-per-dimension must be left out for A16"),
    "early picture": (("A16", "--plot", "map.gif"), "plot must be a file name that ends in .png"),
    "months": (("A7", "--rung", "finite", "--width", "1000000000"), "width must be smaller for a map of networks"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_leaves_nothing(
    case: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[case]
    code, out, err = ask(*arguments, capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--output", "--plot"])
def test_existing_files_are_kept_without_force(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / ("map.csv" if option == "--output" else "map.svg")
    target.write_bytes(b"precious")
    command = ("A7", "--n", "5", "--d", "3", option, str(target))
    code, _, err = ask(*command, capsys=capsys)
    assert code == 2
    assert "--force" in err
    assert target.read_bytes() == b"precious"
    assert ask(*command, "--force", capsys=capsys)[0] == 0
    assert target.read_bytes() != b"precious"
    assert list(tmp_path.iterdir()) == [target]


def test_the_late_report_says_that_shares_are_mapped(capsys: pytest.CaptureFixture[str]):
    out = ask("A17", "--n", "30,2000", "--d", "5", "--tolerance", "0.2", capsys=capsys)[1]
    assert "mapped is the share of data sets where it is so, and not a mean over them" in out
    assert "share of data sets: lambda_n(K~) > lambda_n(K), in 80% of all data sets or more" in out
    assert "of 2 sizes: holds at 0, fails at 1, undecided at 0, not known at 1" in out
    assert re.search(
        r"n = 30, d = 5, m = 1000: \d\d% of 133 data sets, surely \d\d\.\d% to \d\d\.\d% \(dense\)", out
    )
    assert "share of data sets" not in ask("A7", "--n", "30", "--d", "5", capsys=capsys)[1]


EARLY = ("A16", "--d", "4,5,50", "--width", "1,100,inf")


def test_the_early_stage_is_a_table_of_d_and_m(capsys: pytest.CaptureFixture[str]):
    code, out, err = ask(*EARLY, capsys=capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    start = lines.index("infinite-width kernels, outputs of covariance K at the start")
    table = [line.split() for line in lines[start + 1 : start + 7]]
    assert table[0] == ["d", "=", "4", "5", "50"]
    assert [row[-3:] for row in table[1:]] == [
        ["never", "never", "2753"], ["443", "84", "26"], ["194", "59", "4"], ["51", "18", "1"], ["167", "27", "18"],
    ]  # fmt: skip
    assert "  published for d >= 5, n >= 300: right at 4 of these 6 d and m" in lines[start:]
    assert "  smallest counterexample  d = 5, m = 1: no n is enough" in lines[start:]
    assert "%" not in out
    assert "without any hypothesis, for its first loss is smaller" in out
    # Limits that both kernels share are there once, those they do not with the kernel's name.
    assert lines.count("    at m = t d     n >= 1 + 2*pi**2/t + 3*pi**2/t**2") == 1
    narrow = [line for line in lines if line.startswith("    at constant m")]
    assert narrow == [
        "    at constant m  n/d >= 12*pi**2/(-4 + pi**2)",
        "    at constant m  n/d >= 4*pi**2/(4*m - 4 + pi**2) (simplified matrices)",
        "    at constant m  n/d >= 4*pi**2/(4*m + pi**2) (infinite-width kernels)",
    ]
    one_rung = ask(*EARLY, "--rung", "simplified", capsys=capsys)[1]
    assert "simplified matrices" in one_rung
    assert "infinite-width kernels, " not in one_rung


def test_the_early_table_and_json_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    target, picture = tmp_path / "early.csv", tmp_path / "early.png"
    arguments = (*EARLY, "--format", "json", "--output", str(target), "--plot", str(picture))
    code, out, _ = ask(*arguments, capsys=capsys)
    content = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert code == 0
    assert list(content) == ["schema", "version", "claim", "title", "source", "data", "maps", "rows"]
    assert picture.read_bytes()[1:4] == b"PNG"
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    words = {True: "true", False: "false", None: ""}
    assert rows == [
        {key: words[value] if value is None or value is True or value is False else str(value) for key, value in row.items()}
        for row in content["rows"]
    ]  # fmt: skip
    assert {"m": "inf", "rows": 194}.items() <= next(
        row for row in content["rows"] if (row["rung"], row["d"], row["m"]) == ("exact", 4, "inf")
    ).items()
    assert {row["rows"] for row in content["rows"]} > {"inf"}
    assert content["maps"][0]["some_rows"] == [{"d": 4, "m": 34}, {"d": 5, "m": 15}, {"d": 50, "m": 1}]
    assert content["maps"][0]["counterexample"] in content["rows"]
