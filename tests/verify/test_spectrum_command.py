"""`gluntk spectrum`: its keys, its values against NumPy's own, what it says of bad inputs, its figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from derivations import finite_spectrum_law, kernel_function, network, spectrum_law
from verify.bounds import entries, inner, interval, split
from verify.cli import main
from verify.commands import spectra
from verify.inputs import generate, read_input
from verify.published import PublishedExtremes
from verify.spectrum import condition_numbers
from verify.spectrum_plots import ConditionCurve, plot_conditions

QUANTITIES = ("lambda_max", "lambda_min", "condition_number")
SMALL = ("--n", "60", "--d", "20", "--width", "30")


def ask(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `gluntk spectrum` in this process."""
    with pytest.raises(SystemExit) as stop:
        main(["spectrum", *arguments])
    return int(stop.value.code or 0), *capsys.readouterr()


def refused(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that bad input gets."""
    code, out, err = ask(*arguments, capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("gluntk: ")
    return err


def report(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict:
    code, out, err = ask(*arguments, "--format", "json", capsys=capsys)
    assert code == 0, err
    assert err == ""
    return json.loads(out)


def drawn(kind: str, n: int, d: int, seed: int) -> np.ndarray:
    return generate(kind, n, d, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))))


def eigenvalues(name: str, X: np.ndarray, width: int) -> np.ndarray:
    return np.linalg.eigvalsh(kernel_function(network(name), width=width)(X))


def saved(folder: Path, X: object) -> str:
    path = folder / "rows.npy"
    np.save(path, np.asarray(X, float))
    return str(path)


def test_json_has_the_public_keys(capsys):
    found = report("relu", "swiglu", *SMALL, "--seed", "3", capsys=capsys)
    assert list(found)[:2] == ["schema", "version"]
    assert (found["n"], found["d"], found["width"], found["seed"], found["data"]) == (60, 20, 30, 3, "sphere")
    assert list(found["networks"]) == ["relu", "swiglu"]
    for of in found["networks"].values():
        assert tuple(of) == QUANTITIES
        assert all(list(of[q]) == ["published", "bounds", "sharp", "finite", "exact"] for q in QUANTITIES)
        assert all(of[q]["bounds"][0] <= of[q]["exact"] <= of[q]["bounds"][1] for q in QUANTITIES)
    for of in found["reliability"].values():
        assert set(of) == {
            "nearest_pair",
            "fluctuation",
            "reliable",
            "outlier",
            "refusal",
            "lambda_min_at_most",
            "bounds_mode",
            "singular",
            "data_free",
        }


@pytest.mark.parametrize("kind", ["sphere", "gaussian"])
def test_exact_values_are_those_of_the_sample_and_sharp_ones_of_the_law(kind: str, capsys):
    found = report("reglu", "geglu", *SMALL, "--data", kind, "--seed", "5", capsys=capsys)
    for name in ("reglu", "geglu"):
        values = eigenvalues(name, drawn(kind, 60, 20, 5), 30)
        law = spectrum_law(name, 60, 20, 30, kind)
        of = found["networks"][name]
        # eigvalsh is right to n eps lambda_1, here 1e-14 lambda_1 and 1e-12 lambda_n.
        assert of["lambda_max"]["exact"] == pytest.approx(values[-1], rel=1e-12)
        assert of["lambda_min"]["exact"] == pytest.approx(values[0], rel=1e-11)
        assert of["condition_number"]["exact"] == pytest.approx(values[-1] / values[0], rel=1e-11)
        assert [of[q]["sharp"] for q in QUANTITIES] == [getattr(law, q) for q in QUANTITIES]
        finite = finite_spectrum_law(name, 60, 20, 30, kind)
        assert [of[q]["finite"] for q in QUANTITIES] == [getattr(finite, q) for q in QUANTITIES]
        assert found["reliability"][name]["nearest_pair"] == law.nearest_pair
        assert found["reliability"][name]["reliable"] == law.reliable


def test_published_values_are_the_printed_formulas(capsys):
    n, d, m, pi = 2000, 100, 1000, np.pi
    found = report("relu", "reglu", "--n", str(n * 5), "--d", str(d), "--width", str(m), capsys=capsys)
    plain, gated = (found["networks"][name] for name in ("relu", "reglu"))
    n *= 5
    # A7, A8, A10, A11 once more; both S vanish for relu, sqrt(2 n) / d = 1.4 as well.
    top = m * n / (2 * pi) + d / 2 + (pi - 1) * m / (2 * pi)
    bottom = (m + d) / 4 - m / (2 * pi)
    assert plain["lambda_max"]["published"] == pytest.approx([top, top], rel=1e-14)
    assert plain["lambda_min"]["published"] == pytest.approx([bottom, bottom], rel=1e-13)
    assert plain["condition_number"]["published"] == pytest.approx([top / bottom] * 2, rel=1e-13)
    low = (m / (4 * d) + 1 / 2) * n + m / 2 - m / (2 * pi) + d - d / (2 * pi)
    high = (m / (4 * d) + m / (2 * pi * d) + 1 / 2 + 1 / (2 * pi)) * n + m / 2 + d
    bottom = (m + 2 * d) / 4 - (m + d) / (2 * pi)
    assert gated["lambda_max"]["published"] == pytest.approx([low, high], rel=1e-14)
    assert gated["lambda_min"]["published"] == pytest.approx([bottom, bottom], rel=1e-13)
    assert gated["condition_number"]["published"] == pytest.approx([low / bottom, high / bottom], rel=1e-13)


def test_quotients_pair_the_largest_with_the_smallest():
    assert PublishedExtremes((1.0, 2.0), (4.0, 8.0), ()).condition_number == (1 / 8, 1 / 2)
    assert PublishedExtremes((1.0, 2.0), (0.0, 8.0), ()).condition_number == (1 / 8, np.inf)


def test_nothing_is_published_of_other_networks_and_parametrizations(capsys):
    for arguments in (("swiglu", "gqu"), ("relu", "reglu", "--parametrization", "ntk")):
        found = report(*arguments, *SMALL, capsys=capsys)
        assert all(of[q]["published"] is None for of in found["networks"].values() for q in QUANTITIES)
    # The same network by its expression has the same statements.
    named, expressed = (
        report(*which, *SMALL, capsys=capsys)["networks"].popitem()[1]["lambda_min"]["published"]
        for which in (("reglu",), ("--activation", "max(0, z)", "--gates", "1"))
    )
    assert named == expressed


def test_input_enters_the_law_with_its_actual_rows(tmp_path: Path, capsys):
    X = drawn("gaussian", 50, 12, 1)
    found = report("relu", "--input", saved(tmp_path, X), "--width", "30", capsys=capsys)
    law = spectrum_law("relu", 50, 12, 30, X)
    assert found["networks"]["relu"]["lambda_min"]["sharp"] == law.lambda_min
    assert found["reliability"]["relu"]["nearest_pair"] == law.nearest_pair
    assert found["networks"]["relu"]["lambda_max"]["exact"] == pytest.approx(
        eigenvalues("relu", X, 30)[-1], rel=1e-12
    )


def test_text_names_columns_data_and_wrong_published_values(capsys):
    _, out, err = ask(
        "relu", "--n", "300", "--d", "30", "--width", "500", "--data", "gaussian", capsys=capsys
    )
    assert err == ""
    text = " ".join(out.split())
    value, stated = eigenvalues("relu", drawn("gaussian", 300, 30, 0), 500)[0], 530 / 4 - 500 / (2 * np.pi)
    assert "gaussian rows: n = 300, d = 30" in text
    assert all(f"{column}:" in text for column in ("published", "sharp", "exact"))
    factor = stated / value
    assert factor > 2
    # lambda_max is right to 10 %, which is not told.
    assert f"differ from the exact ones: lambda_min too high by a factor of {factor:.3g}; condition" in text


def test_text_says_in_words_when_the_law_is_not_reliable(capsys):
    _, out, _ = ask("relu", "--n", "200", "--d", "4", "--width", "10", capsys=capsys)
    assert "do not rely on the sharp lambda_min: the nearest two rows decide it" in out
    _, out, _ = ask("relu", "--n", "300", "--d", "100", "--width", "10", capsys=capsys)
    assert "do not rely on the sharp" not in out
    assert "do not rely on the finite column: the law of one network was measured from width 50 on" in out
    _, out, _ = ask("relu", "--n", "300", "--d", "100", "--width", "60", capsys=capsys)
    assert "do not rely" not in out
    assert "the law is reliable" in out


def test_equal_rows_make_the_condition_number_infinite_and_are_told(tmp_path: Path, capsys):
    X = drawn("gaussian", 8, 5, 0)
    path = saved(tmp_path, [*X, X[3]])
    found = report("relu", "reglu", "--input", path, "--width", "4", capsys=capsys)
    for of in found["networks"].values():
        assert of["lambda_min"]["exact"] == 0
        assert of["condition_number"]["exact"] == "inf"
    assert not found["reliability"]["relu"]["reliable"]
    _, out, _ = ask("relu", "--input", path, "--width", "4", capsys=capsys)
    assert "1 of 9 rows repeat another one exactly: lambda_min is 0 and the condition number infinite" in out


def test_all_rows_equal_and_rows_of_zeros_have_defined_results(tmp_path: Path, capsys):
    equal = report("relu", "--input", saved(tmp_path, np.ones((5, 3))), "--width", "4", capsys=capsys)
    assert equal["networks"]["relu"]["condition_number"]["exact"] == "inf"
    assert equal["networks"]["relu"]["lambda_max"]["exact"] == pytest.approx(5 * (4 / 2 + 3 / 2))
    path = saved(tmp_path, [*np.eye(3), np.zeros(3)])
    zeros = report("relu", "--input", path, "--width", "4", capsys=capsys)
    assert zeros["networks"]["relu"]["lambda_min"]["exact"] == 0
    assert zeros["networks"]["relu"]["lambda_min"]["sharp"] is None
    assert "positive length" in zeros["reliability"]["relu"]["refusal"]
    _, out, _ = ask("relu", "--input", path, "--width", "4", capsys=capsys)
    assert "1 of 4 rows are zero" in out
    assert "the law does not cover this" in out


def test_one_row_has_one_eigenvalue(capsys):
    found = report("relu", "silu", "--n", "1", "--d", "7", "--width", "4", capsys=capsys)
    for of in found["networks"].values():
        assert of["lambda_max"]["exact"] == pytest.approx(of["lambda_max"]["sharp"], rel=1e-12)
        assert of["condition_number"]["exact"] == of["condition_number"]["sharp"] == 1


def test_a_kernel_of_few_dimensions_is_singular(capsys):
    found = report("bilinear", "--n", "40", "--d", "5", "--width", "4", capsys=capsys)
    of = found["networks"]["bilinear"]
    assert of["lambda_min"]["sharp"] == of["lambda_min"]["exact"] == 0
    assert of["condition_number"]["exact"] == of["condition_number"]["sharp"] == "inf"


def test_a_billion_rows_need_no_matrix(capsys):
    found = report(
        "relu", "--n", str(10**9), "--d", "100", "--width", "50", "--data", "gaussian", capsys=capsys
    )
    of = found["networks"]["relu"]
    assert of["lambda_min"]["exact"] is None
    law = spectrum_law("relu", 10**9, 100, 50, "gaussian")
    assert [of[q]["sharp"] for q in QUANTITIES] == [getattr(law, q) for q in QUANTITIES]


def test_large_inputs_have_bounds_without_the_eigenproblem(tmp_path: Path, capsys, monkeypatch):
    X = drawn("gaussian", 300, 5, 4)
    monkeypatch.setattr(spectra, "LARGEST_DENSE", 299)
    for module in (entries, inner, interval, split):
        monkeypatch.setattr(module, "KEPT", 299)
    path = saved(tmp_path, X)
    found = report("relu", "--input", path, "--width", "30", capsys=capsys)
    of = found["networks"]["relu"]
    assert of["lambda_min"]["exact"] is None
    assert found["reliability"]["relu"]["bounds_mode"] == "none"
    values = eigenvalues("relu", X, 30)
    at_most = found["reliability"]["relu"]["lambda_min_at_most"]
    assert values[0] <= at_most == of["lambda_min"]["bounds"][1] < 2 * values[0]
    low, high = of["lambda_max"]["bounds"]
    assert 0.98 * values[-1] <= low <= values[-1] <= high <= 1.1 * values[-1]


def test_random_rows_that_are_not_drawn_have_a_bound_without_them(capsys):
    arguments = ("relu", "--n", "5000", "--d", "100", "--width", "64")
    found = report(*arguments, capsys=capsys)
    at_least = found["reliability"]["relu"]["data_free"]
    assert 0 < at_least < found["networks"]["relu"]["lambda_min"]["sharp"]
    _, out, _ = ask(*arguments, capsys=capsys)
    text = " ".join(out.split())
    assert f"lambda_min is at least {at_least:.5g} for all but 1% of such rows (proved)" in text
    gaussian = report(*arguments, "--data", "gaussian", capsys=capsys)
    assert gaussian["reliability"]["relu"]["data_free"] is None


def test_modes_of_bounds_give_intervals_around_the_same_values(capsys):
    arguments = ("relu", "swiglu", "--n", "80", "--d", "50", "--width", "30", "--data", "gaussian")
    widths = {}
    for mode in ("none", "shared", "family", "dense"):
        found = report(*arguments, "--bounds", mode, capsys=capsys)
        for name, of in found["networks"].items():
            assert found["reliability"][name]["bounds_mode"] == mode
            for quantity in QUANTITIES:
                low, high = of[quantity]["bounds"]
                assert low <= of[quantity]["exact"] <= high
            low, high = of["lambda_min"]["bounds"]
            widths[name, mode] = (high - low) / high
    for name in ("relu", "swiglu"):
        assert widths[name, "none"] > widths[name, "shared"] > widths[name, "family"] > widths[name, "dense"]


def test_repeated_rows_give_exactly_zero_and_say_why(tmp_path: Path, capsys):
    X = drawn("gaussian", 20, 5, 4)
    path = saved(tmp_path, [*X, X[3]])
    for mode in ("none", "shared", "family", "dense"):
        of = report("relu", "--input", path, "--width", "3", "--bounds", mode, capsys=capsys)
        assert of["reliability"]["relu"]["singular"] == "row 20 repeats row 3"
        assert of["networks"]["relu"]["lambda_min"]["bounds"] == [0, 0]
        assert of["networks"]["relu"]["condition_number"]["bounds"] == ["inf", "inf"]
    _, out, _ = ask("relu", "--input", path, "--width", "3", capsys=capsys)
    assert "lambda_min is exactly 0 and the condition number infinite: row 20 repeats row 3" in out


def test_large_inputs_of_zeros_or_extreme_lengths_have_defined_results(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setattr(spectra, "LARGEST_DENSE", 4)
    X = drawn("gaussian", 6, 5, 4)
    zero = report("relu", "--input", saved(tmp_path, [*X, np.zeros(5)]), "--width", "3", capsys=capsys)
    assert zero["networks"]["relu"]["lambda_min"]["sharp"] is None
    assert zero["reliability"]["relu"]["lambda_min_at_most"] == 0
    _, out, _ = ask("relu", "--input", str(tmp_path / "rows.npy"), "--width", "3", capsys=capsys)
    assert "the law does not cover this" in out
    assert "lambda_min is exactly 0" in out
    long = report("relu", "--input", saved(tmp_path, 1e100 * X), "--width", "3", capsys=capsys)
    assert "lengths from 1e-15 to 1e+15" in long["reliability"]["relu"]["refusal"]
    line = refused("reglu", "--input", saved(tmp_path, 1e150 * X), "--width", "3", capsys=capsys)
    assert "rows too long" in line


def test_exact_values_end_at_4000_rows(capsys, monkeypatch):
    monkeypatch.setattr(spectra, "eigenvalues", lambda K: np.linspace(1, 2, len(K)))
    monkeypatch.setattr(spectra, "kernel_bounds", lambda *_, **__: None)
    sizes = ("4000", "4001")
    found = [report("relu", "--n", n, "--d", "9", "--width", "2", capsys=capsys) for n in sizes]
    assert [of["networks"]["relu"]["lambda_max"]["exact"] for of in found] == [2, None]
    # Without a sample nothing is said of one.
    assert found[1]["reliability"]["relu"]["lambda_min_at_most"] is None


def test_two_dimensions_have_exact_values_where_the_law_has_none(capsys):
    found = report("relu", "--n", "200", "--d", "2", "--width", "4", capsys=capsys)
    assert found["networks"]["relu"]["lambda_max"]["sharp"] is None
    assert "n must be at most" in found["reliability"]["relu"]["refusal"]
    values = eigenvalues("relu", drawn("sphere", 200, 2, 0), 4)
    assert found["networks"]["relu"]["lambda_max"]["exact"] == pytest.approx(values[-1], rel=1e-12)


BAD = {
    "no network": ((*SMALL,), "network must be given by its name"),
    "unknown": (("relu", "regul", *SMALL), "did you mean reglu?"),
    "twice": (("relu", "relu", *SMALL), "networks must differ, got relu twice"),
    "n": (("relu", *SMALL, "--n", "0"), "n must be a positive integer, got 0"),
    "d": (("relu", *SMALL, "--d", "-1"), "d must be a positive integer, got -1"),
    "no n": (("relu", "--d", "3", "--width", "3"), "n is needed with --data"),
    "width": (("relu", *SMALL, "--width", "0"), "width must be a positive integer, got 0"),
    "unused width": (("silu", *SMALL, "--parametrization", "ntk", "--width", "0"), "width must be a positive integer"),
    "no width": (("relu", "--n", "3", "--d", "3"), "width is needed"),
    "many in few dimensions": (("relu", *SMALL, "--n", "5000", "--d", "2"), "n must be at most"),
    "line": (("relu", *SMALL, "--n", "5000", "--d", "1"), "d must be at least 2"),
    "both": (("relu", "--input", "digits", "--data", "sphere", "--width", "3"), "got both"),
    "n with input": (("relu", "--input", "digits", "--n", "3", "--width", "3"), "n and d belong to --data"),
    "prepare": (("relu", *SMALL, "--prepare", "standardize"), "prepare belongs to --input"),
    "step": (("step", *SMALL), "jumps at 0"),
    "plot": (("relu", *SMALL, "--plot", "a.gif"), "plot must be a file name that ends in .png or .svg or .pdf"),
    "folder": (("relu", *SMALL, "--plot", "absent/a.png"), "plot 'absent/a.png' must be in an existing folder"),
    "panels": (("relu", "reglu", "silu", "gelu", "erf", *SMALL, "--plot", "a.png"), "plot takes at most 4"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_exit_code_2(case: str, capsys, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[case]
    assert message in refused(*arguments, capsys=capsys)
    assert list(tmp_path.iterdir()) == []


def test_zeros_alone_and_entries_beyond_float64_are_refused(tmp_path: Path, capsys):
    for rows, message in ((np.zeros((3, 2)), "rows too short"), (np.full((2, 2), 1e150), "rows too long")):
        path = saved(tmp_path, rows)
        assert message in refused("reglu", "--input", path, "--width", "4", capsys=capsys)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_is_written_once(suffix: str, tmp_path: Path, capsys):
    target = tmp_path / f"figure{suffix}"
    command = ("relu", *SMALL, "--plot", str(target))
    code, out, _ = ask(*command, capsys=capsys)
    assert code == 0
    assert str(target) in out
    assert {".png": b"PNG", ".svg": b"<svg", ".pdf": b"%PDF"}[suffix] in target.read_bytes()
    assert "--force" in refused(*command, capsys=capsys)
    assert ask(*command, "--force", capsys=capsys)[0] == 0


def test_a_figure_has_a_panel_per_network_and_one_of_condition_numbers(tmp_path: Path, capsys, monkeypatch):
    figures = []
    monkeypatch.setattr(spectra, "write_figure", lambda path, figure, force: figures.append(figure))
    arguments = ("relu", "swiglu", *SMALL, "--data", "gaussian", "--plot", str(tmp_path / "a.png"))
    ask(*arguments, capsys=capsys)
    (figure,) = figures
    first, second, last = figure.axes
    assert (first.get_title(), second.get_title()) == ("relu", "swiglu")
    values = eigenvalues("relu", drawn("gaussian", 60, 20, 0), 30)
    # All eigenvalues are in the bars: heights are shares per decade.
    decades = [np.log10((bar.get_x() + bar.get_width()) / bar.get_x()) for bar in first.patches]
    assert np.sum([bar.get_height() for bar in first.patches] * np.array(decades)) == pytest.approx(1)
    assert first.patches[0].get_x() < values[0]
    assert first.patches[-1].get_x() + first.patches[-1].get_width() > values[-1]
    drawn_lines = {line.get_label(): line for line in last.lines}
    dots = drawn_lines["relu, exact"].get_xydata()
    law = drawn_lines["relu, sharp law"].get_xydata()
    assert (law[0, 0], law[-1, 0]) == (10, 600)
    assert (dots[0, 0], dots[-1, 0]) == (10, 600)
    here = eigenvalues("relu", drawn("gaussian", 600, 20, 0), 30)
    few = eigenvalues("relu", drawn("gaussian", 600, 20, 0)[:10], 30)
    assert dots[0, 1] == pytest.approx(few[-1] / few[0], rel=1e-9)
    assert dots[-1, 1] == pytest.approx(here[-1] / here[0], rel=1e-9)
    assert law[-1, 1] == pytest.approx(spectrum_law("relu", 600, 20, 30, "gaussian").condition_number)
    marks = {line.get_label(): line for line in first.lines}["sharp law, smallest and largest"]
    here_law = spectrum_law("relu", 60, 20, 30, "gaussian")
    assert np.asarray(marks.get_xdata()).tolist() == [here_law.lambda_min, here_law.lambda_max]
    stated = report("relu", *SMALL, capsys=capsys)["networks"]["relu"]
    dashes = [line.get_xdata()[0] for line in first.lines if line.get_linestyle() == "--"]
    assert dashes == [stated[q]["published"][0] for q in ("lambda_min", "lambda_max")]
    assert "relu, published" in drawn_lines
    assert "swiglu, published" not in drawn_lines
    assert "$n$" in last.get_xlabel()
    figure.canvas.draw()


def test_the_figure_of_an_input_ends_at_its_rows(tmp_path: Path, capsys, monkeypatch):
    figures = []
    monkeypatch.setattr(spectra, "write_figure", lambda path, figure, force: figures.append(figure))
    path = saved(tmp_path, drawn("gaussian", 40, 15, 2))
    ask("relu", "--input", path, "--width", "9", "--plot", str(tmp_path / "a.png"), capsys=capsys)
    law = next(line for line in figures[0].axes[-1].lines if line.get_label() == "relu, sharp law")
    assert law.get_xdata()[-1] == 40
    assert np.all(np.isfinite(law.get_ydata()))


def test_a_singular_kernel_is_drawn_without_its_zeros(tmp_path: Path, capsys, monkeypatch):
    figures = []
    monkeypatch.setattr(spectra, "write_figure", lambda path, figure, force: figures.append(figure))
    arguments = ("bilinear", "--n", "40", "--d", "5", "--width", "4", "--plot", str(tmp_path / "a.png"))
    assert ask(*arguments, capsys=capsys)[0] == 0
    ax = figures[0].axes[0]
    # 15 products of two of five coordinates.
    assert ax.get_title() == "bilinear (62% of the eigenvalues are 0)"
    low, high = ax.get_xlim()
    values = eigenvalues("bilinear", drawn("sphere", 40, 5, 0), 4)
    assert 0.1 < low / values[-15] < 1 < high / values[-1] < 10
    # The law is drawn, and marked at its largest eigenvalue alone.
    law = spectrum_law("bilinear", 40, 5, 4)
    marks = next(line for line in ax.lines if line.get_label() == "sharp law, largest")
    assert np.asarray(marks.get_xdata()).tolist() == [law.lambda_max]
    figures[0].canvas.draw()


def test_a_missing_matplotlib_is_told_before_anything_is_computed(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(spectra, "dense_eigenvalues", lambda *_: pytest.fail("computed"))
    line = refused("relu", *SMALL, "--plot", str(tmp_path / "a.png"), capsys=capsys)
    assert "pip install 'gluntk[plot]'" in line


def test_one_network_on_given_rows_is_judged_by_their_directions(tmp_path: Path, capsys):
    X = np.vstack([drawn("gaussian", 40, 15, 2), 1.001 * drawn("gaussian", 40, 15, 2)[:20]])
    arguments = ("silu", "--input", saved(tmp_path, X), "--width", "60")
    of = report(*arguments, capsys=capsys)["networks"]["silu"]["lambda_min"]
    # Twenty pairs all but equal: uniform directions would have a far larger eigenvalue.
    assert of["finite"] < 1.2 * of["exact"] < 0.1 * of["sharp"]
    assert (
        "finite: the law of one random network on these rows, of width 60"
        in ask(*arguments, capsys=capsys)[1]
    )


def test_text_says_why_one_network_is_singular(capsys):
    _, out, _ = ask("relu", "--n", "60", "--d", "5", "--width", "4", capsys=capsys)
    assert "the kernel of one network of this width is singular: its rank is at most 20" in out
    assert "finite: the law of one random network, of width 4" in out
    _, out, _ = ask("relu", "--n", "60", "--d", "80", "--width", "1", capsys=capsys)
    assert "some rows are equal, or dead in every neuron" in out


def test_condition_numbers_are_nan_where_the_law_says_nothing():
    found = condition_numbers(network("relu"), np.array([10, 10**6]), 2, 4)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_one_network_on_many_given_rows_is_judged_by_their_exact_eigenvalues(capsys, monkeypatch):
    from verify.one_network import network_kernel

    monkeypatch.setattr("verify.spectrum.MOST_GIVEN", 100)
    monkeypatch.setattr("verify.commands.spectrum_report.MOST_GIVEN", 100)
    arguments = ("relu", "--input", "diabetes", "--prepare", "standardize", "--width", "400")
    of = report(*arguments, capsys=capsys)["networks"]["relu"]["lambda_min"]
    X = read_input("diabetes", "standardize")
    smallest = [np.linalg.eigvalsh(network_kernel("relu", X, 400, seed))[0] for seed in range(6)]
    # Directions are far from uniform: the ratio was measured to be right within a factor of 1.8, the law of
    # uniform rows of these lengths is not within 2.
    assert 1 / 1.8 < of["finite"] / np.mean(smallest) < 1.8
    assert finite_spectrum_law("relu", *X.shape, 400, X).lambda_min > 2 * np.mean(smallest)
    assert of["finite"] < of["exact"]
    out = " ".join(ask(*arguments, capsys=capsys)[1].split())
    assert "the exact values times the law's ratio of one network to infinite width" in out


def test_infinite_condition_numbers_leave_a_gap():
    from verify.plots import new_figure

    figure, (ax,) = new_figure()
    n = np.array([10.0, 20.0, 30.0])
    plot_conditions(ax, [ConditionCurve("a", n, np.array([1, np.inf, 2]), n, np.array([1, 2, np.inf]), None)])
    law, dots = ax.lines
    assert np.isnan(np.asarray(law.get_ydata())[1])
    assert np.size(dots.get_xdata()) == 2
    figure.canvas.draw()


def test_real_data_pass_through(capsys):
    found = report(
        "reglu", "--input", "diabetes", "--prepare", "standardize", "--width", "100", capsys=capsys
    )
    X = read_input("diabetes", "standardize")
    assert found["networks"]["reglu"]["lambda_max"]["exact"] == pytest.approx(
        eigenvalues("reglu", X, 100)[-1], rel=1e-12
    )


def test_bounds_without_rows_are_refused(capsys):
    line = refused("relu", "--n", "6000", "--d", "5", "--width", "3", "--bounds", "dense", capsys=capsys)
    assert "bounds are of given rows" in line
