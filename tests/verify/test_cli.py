"""The command line: results on stdout, one line for bad input, exit codes, nothing half-written."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner

from derivations import kernel_function, network
from derivations.networks import GATED
from derivations.printing import FORMATS
from verify.audit import PROFILES
from verify.bounds import MODES
from verify.claims.chains import chains as claims_chains
from verify.cli import gluntk, main, options
from verify.inputs import DISTRIBUTIONS, read_input
from verify.montecarlo import KINDS
from verify.prepare import PREPARATIONS


def ask(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command in this process."""
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def refused(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that bad input gets."""
    code, out, err = ask(*arguments, capsys=capsys)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("gluntk: ")
    assert "Traceback" not in err
    return err


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.npy"
    np.save(path, np.random.default_rng(0).standard_normal((6, 3)))
    return path


def test_options_that_are_spelled_out_match_their_sources():
    assert options.FORMATS == FORMATS
    assert options.PREPARATIONS == PREPARATIONS
    assert set(options.DISTRIBUTIONS) == set(DISTRIBUTIONS)
    assert options.KINDS == KINDS
    assert tuple(PROFILES) == options.PROFILES
    assert options.BOUNDS == MODES


def test_help_and_version_are_fast_and_import_no_algebra():
    probe = "import sys; from verify.cli import main\ntry: main(['{}'])\nexcept SystemExit: pass\n"
    probe += "assert not {{'sympy', 'numpy', 'scipy', 'rich'}} & set(sys.modules), sorted(sys.modules)"
    for option in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", probe.format(option)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


def test_every_command_has_help_with_an_example():
    runner = CliRunner()
    for name in gluntk.commands:
        result = runner.invoke(gluntk, [name, "--help"])
        assert result.exit_code == 0
        assert name == "list" or "$ gluntk" in result.output


def test_list_names_networks_and_claims(capsys: pytest.CaptureFixture[str]):
    code, out, err = ask("list", capsys=capsys)
    assert code == 0
    assert err == ""
    assert all(name in out for name in ("relu", *GATED, "A1", "A6"))


def test_derive_shows_every_step_as_proved(capsys: pytest.CaptureFixture[str]):
    code, out, _ = ask("derive", "reglu", "--steps", capsys=capsys)
    assert code == 0
    assert "61 of 61 steps proved" in out
    assert out.count(": proved]") == 61


def test_derive_json_has_the_coefficients_that_sympy_reads(capsys: pytest.CaptureFixture[str]):
    _, out, _ = ask("derive", "reglu", "--format", "json", capsys=capsys)
    content = json.loads(out)
    m, d = sp.symbols("m d")
    assert sp.sympify(content["coefficients"]["alpha"]) - (m / (4 * d**2) + 1 / (2 * d)) == 0
    assert {step["status"] for step in content["steps"]} == {"proved"}


def test_derive_keeps_variances_as_symbols_on_request(capsys: pytest.CaptureFixture[str]):
    _, out, _ = ask("derive", "relu", "--variances", "symbolic", capsys=capsys)
    assert "sigma_a**2 + sigma_w**2" in out


def test_kernel_writes_the_matrix_of_the_derived_function(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "K.npy"
    code, out, err = ask(
        "kernel", "reglu", "--input", str(rows), "--width", "8", "--output", str(target), "--format", "json",
        capsys=capsys,
    )  # fmt: skip
    assert code == 0
    assert err == ""
    report = json.loads(out)
    K = np.load(target)
    np.testing.assert_array_equal(K, kernel_function(network("reglu"), width=8)(np.load(rows)))
    values = np.linalg.eigvalsh(K)
    # eigvalsh is right to n eps lambda_max.
    assert report["lambda_max"] == pytest.approx(values[-1], rel=1e-13)
    assert report["lambda_min"] == pytest.approx(values[0], abs=1e-13 * values[-1])
    assert report["condition_number"] == pytest.approx(values[-1] / values[0], rel=1e-9)
    assert (report["n"], report["d"], report["width"]) == (6, 3, 8)


def test_the_kernel_s_eigenvalues_have_proved_intervals(capsys: pytest.CaptureFixture[str]):
    arguments = ("kernel", "swiglu", "--data", "gaussian", "--n", "30", "--d", "10", "--width", "4")
    _, out, _ = ask(*arguments, "--format", "json", capsys=capsys)
    report = json.loads(out)
    assert report["singular"] is None
    for name in ("lambda_min", "lambda_max", "condition_number"):
        low, high = report["bounds"][name]
        assert low <= report[name] <= high <= low * (1 + 1e-7)
    _, out, _ = ask(*arguments, capsys=capsys)
    assert out.count("  proved: ") == 3


def test_equal_rows_make_the_condition_number_infinite_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "equal.csv"
    path.write_text("1,2\n1,2\n")
    _, out, _ = ask("kernel", "relu", "--input", str(path), "--width", "4", "--format", "json", capsys=capsys)
    assert json.loads(out)["condition_number"] == "inf"
    _, out, _ = ask("kernel", "relu", "--input", str(path), "--width", "4", capsys=capsys)
    assert "singular" in out


def test_empirical_agrees_with_the_kernel_within_its_standard_errors(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    mean, error = tmp_path / "E.npy", tmp_path / "SE.npy"
    code, out, err = ask(
        "empirical", "reglu", "--input", str(rows), "--width", "256", "--seeds", "64", "--output", str(mean),
        "--error-output", str(error), "--format", "json", capsys=capsys,
    )  # fmt: skip
    assert code == 0
    assert err == ""
    report = json.loads(out)
    K = kernel_function(network("reglu"), width=256)(np.load(rows))
    # 21 entries: a normal exceeds 5 deviations once in 80 000 runs of this test.
    assert np.all(np.abs(np.load(mean) - K) < 5 * np.load(error))
    assert report["lambda_min_bias"] <= 0
    assert 0.5 <= report["lambda_min_bias_rate"] <= 1
    assert 0 < report["standard_error"] < 0.1
    assert report["seconds"] > 0


def test_empirical_takes_an_expression_and_gates(capsys: pytest.CaptureFixture[str]):
    common = (
        "--data",
        "gaussian",
        "--n",
        "4",
        "--d",
        "3",
        "--width",
        "64",
        "--seeds",
        "4",
        "--format",
        "json",
    )
    named, expressed = (
        json.loads(ask("empirical", *which, *common, capsys=capsys)[1])
        for which in (("reglu",), ("--activation", "max(0, z)", "--gates", "1"))
    )
    assert named["lambda_max"] == expressed["lambda_max"]


def test_the_same_seed_gives_the_same_data_and_networks(capsys: pytest.CaptureFixture[str]):
    common = ("relu", "--data", "sphere", "--n", "4", "--d", "3", "--width", "8", "--format", "json")
    first, again, other = (
        json.loads(ask("empirical", *common, "--seed", seed, capsys=capsys)[1])["lambda_max"]
        for seed in ("1", "1", "2")
    )
    assert first == again != other


def test_verify_exits_with_zero_when_all_is_as_pinned(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    report = tmp_path / "report.html"
    code, out, err = ask("verify", "A2", "--jobs", "2", "--report", str(report), capsys=capsys)
    assert code == 0
    assert err == ""
    assert "Unexpected: 0" in out
    assert "CONFIRMED" in report.read_text()


def test_verify_exits_with_one_when_a_verdict_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    import dataclasses

    from verify import audit
    from verify.claim import Verdict

    claim = audit.CLAIMS["A2"]
    rungs = tuple(dataclasses.replace(rung, expected=Verdict.REFUTED) for rung in claim.rungs)
    monkeypatch.setitem(audit.CLAIMS, "A2", dataclasses.replace(claim, rungs=rungs))
    code, out, _ = ask("verify", "A2", "--jobs", "1", "--format", "json", capsys=capsys)
    assert code == 1
    assert json.loads(out)["unexpected"] == 2


def test_show_gives_statement_source_and_evidence(capsys: pytest.CaptureFixture[str]):
    code, out, _ = ask("show", "A2", capsys=capsys)
    assert code == 0
    assert "arXiv" in out or "Wen et al. 2026" in out
    assert "phi_phi = " in out
    assert "PROVED" in out


SMALL = ("--data", "gaussian", "--n", "3", "--d", "2")
BAD = {
    "no network": (("derive",), "network must be given by its name or by an activation's expression, got neither"),
    "unknown network": (("derive", "regul"), "network 'regul' is unknown; did you mean reglu?"),
    "both": (("derive", "relu", "--activation", "z"), "got both 'relu' and 'z'"),
    "gates": (("derive", "relu", "--gates", "7"), "gates must be 0, 1 or 2, got 7"),
    "gates of a name": (("derive", "reglu", "--gates", "2"), "gates of network reglu are 1, got 2"),
    "call": (("derive", "--activation", "__import__('os').system('true')"), "activation may call"),
    "name": (("derive", "--activation", "q+1"), "got the name 'q'"),
    "not in z": (("derive", "--activation", "3"), "activation must depend on z"),
    "no closed form": (("derive", "--activation", "1/z"), "activation must be analytic in a strip"),
    "jump": (("derive", "step"), "jumps at 0, so the gradient in the activation weights w"),
    "kernel of a jump": (("kernel", "step", *SMALL, "--width", "4"), "covariance it has: kernel or empirical, kind nngp"),
    "order": (("derive", "reglu", "--order", "1"), "order must be a whole number from 2"),
    "digits": (("derive", "relu", "--digits", "0", "--format", "json"), "digits must be a whole number from 1"),
    "symbolic code": (("derive", "relu", "--variances", "symbolic", "--format", "c"), "sigma_a, sigma_w have no value"),
    "steps in code": (("derive", "relu", "--steps", "--format", "c"), "steps can be shown in text, latex or json"),
    "digits in text": (("derive", "relu", "--digits", "1001"), "digits must be a whole number from 1 to 1000, got 1001"),
    "format": (("derive", "relu", "--format", "yaml"), "'yaml' is not one of"),
    "option": (("derive", "relu", "--colour"), "No such option"),
    "command": (("derivee",), "No such command"),
    "no data": (("kernel", "relu", "--width", "4"), "data must come from --input or from --data"),
    "missing file": (("kernel", "relu", "--width", "4", "--input", "absent.npy"), "absent.npy"),
    "no width": (("kernel", "relu", *SMALL), "width is needed"),
    "width": (("kernel", "relu", *SMALL, "--width", "-3"), "width must be a positive integer, got -3"),
    "n": (("kernel", "relu", *SMALL, "--n", "0", "--width", "3"), "n must be a positive integer, got 0"),
    "no d": (("kernel", "relu", "--data", "gaussian", "--n", "3", "--width", "3"), "d is needed with --data"),
    "n with input": (("kernel", "relu", "--input", "digits", "--n", "3", "--width", "3"), "n and d belong to --data"),
    "huge": (("kernel", "relu", "--data", "gaussian", "--n", "1000000", "--d", "2", "--width", "3"), "GiB"),
    "seeds": (("empirical", "relu", *SMALL, "--width", "3", "--seeds", "0"), "seeds must be a positive integer, got 0"),
    "too many neurons": (("empirical", "relu", *SMALL, "--width", "10000000000", "--seeds", "1000000000"), "some months of"),
    "jump of networks": (("empirical", "step", *SMALL, "--width", "4"), "--kind nngp has one"),
    "same output": (
        ("empirical", "relu", *SMALL, "--width", "3", "--output", "o.npy", "--error-output", "./o.npy"),
        "error-output must be another file than output, got './o.npy'",
    ),
    "float width": (("empirical", "relu", *SMALL, "--width", "2.5"), "'2.5' is not a valid integer"),
    "seed": (("empirical", "relu", *SMALL, "--width", "3", "--seed", "-1"), "seed must be a whole number, 0 or"),
    "claim": (("verify", "A99"), "claim must be one of"),
    "no jobs": (("verify", "A2", "--jobs", "0"), "jobs must be a positive integer, got 0"),
    "near claim": (("verify", "a3"), "did you mean 'A3'?"),
    "jobs": (("verify", "A2", "--jobs", "-1"), "jobs must be a positive integer, got -1"),
    "shown claim": (("show", "Z"), "claim must be one of"),
    "output kind": (("kernel", "relu", *SMALL, "--width", "3", "--output", "K.txt"), ".npy"),
    "output folder": (("kernel", "relu", *SMALL, "--width", "3", "--output", "absent/K.npy"), "absent"),
    "report": (("verify", "A2", "--report", "absent/report.html"), "absent"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_exit_code_2(
    case: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[case]
    assert message in refused(*arguments, capsys=capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_pickled_array_is_not_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "evil.npy"
    path.write_bytes(pickle.dumps(np.eye(2)))
    assert "evil.npy" in refused("kernel", "relu", "--input", str(path), "--width", "4", capsys=capsys)


def test_an_existing_output_is_kept_without_force(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "K.npy"
    target.write_bytes(b"precious")
    command = ("kernel", "relu", "--input", str(rows), "--width", "4", "--output", str(target))
    assert "--force" in refused(*command, capsys=capsys)
    assert target.read_bytes() == b"precious"
    assert ask(*command, "--force", capsys=capsys)[0] == 0
    assert np.load(target).shape == (6, 6)


def test_the_input_is_never_an_output(rows: Path, capsys: pytest.CaptureFixture[str]):
    before = rows.read_bytes()
    other = rows.parent / "." / ".." / rows.parent.name / rows.name
    for option in ("--output", "--error-output"):
        command = ("empirical", "relu", "--input", str(rows), "--width", "4", option, str(other), "--force")
        assert "must be another file than the input" in refused(*command, capsys=capsys)
    assert rows.read_bytes() == before


def test_both_files_are_named_in_the_report(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    files = tmp_path / "K.npy", tmp_path / "E.npy"
    command = ("empirical", "relu", "--input", str(rows), "--width", "4", "--output", str(files[0]))
    _, out, _ = ask(*command, "--error-output", str(files[1]), capsys=capsys)
    assert all(str(file) in out for file in files)
    assert all(np.load(file).shape == (6, 6) for file in files)


def test_one_neuron_has_no_error_to_report(capsys: pytest.CaptureFixture[str]):
    _, out, _ = ask("empirical", "relu", *SMALL, "--width", "1", "--seeds", "1", capsys=capsys)
    assert "a single neuron has none" in out
    assert "one network" in out
    assert "nan" not in out


def test_a_kernel_that_vanishes_in_float64_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "tiny.npy"
    np.save(path, np.full((2, 2), 1e-160))
    assert "rows too short" in refused("kernel", "reglu", "--input", str(path), "--width", "4", capsys=capsys)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not run: there is no /dev/full")
def test_a_full_disk_behind_stdout_is_one_line():
    script = "from verify.cli import main; main(['derive', 'relu'])"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "gluntk: standard output must be writable, got: No space left on device\n"


def test_entries_beyond_float64_are_refused_with_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "huge.npy"
    np.save(path, np.full((2, 2), 1e150))
    line = refused("kernel", "reglu", "--input", str(path), "--width", "4", capsys=capsys)
    assert "--prepare normalize" in line


def test_a_closed_pipe_is_no_error():
    script = "from verify.cli import main; main(['derive', 'relu', '--steps'])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 0
    assert errors == b""


def test_real_data_pass_through_the_kernel(capsys: pytest.CaptureFixture[str]):
    X = read_input("diabetes", "standardize")
    _, out, _ = ask(
        "kernel", "relu", "--input", "diabetes", "--prepare", "standardize", "--parametrization", "ntk",
        "--format", "json", capsys=capsys,
    )  # fmt: skip
    report = json.loads(out)
    assert (report["n"], report["d"]) == X.shape == (442, 10)
    assert report["condition_number"] > 1
    assert report["width"] is None


def test_quiet_and_piped_commands_print_no_progress(rows: Path):
    script = "from verify.cli import main; main(['empirical', 'relu', '--input', {!r}, '--width', '64'])"
    done = subprocess.run([sys.executable, "-c", script.format(str(rows))], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""


def test_show_gives_the_steps_behind_a_claim(capsys: pytest.CaptureFixture[str]):
    code, out, _ = ask("show", "A5", "--steps", "--quiet", capsys=capsys)
    assert code == 0
    assert "55 of 55 steps proved, each re-checked now" in out


def test_chains_lead_to_the_eigenvalues_and_name_what_is_heuristic():
    chains = {id: claims_chains(id) for id in ("A7", "A8", "A10", "A11", "A13", "A14", "A9")}
    assert [len(found) for found in chains.values()] == [1, 2, 1, 1, 2, 2, 0]
    assert chains["A10"][0].status == "heuristic"
    assert {chain.status for chain in chains["A14"]} == {"proved"}
