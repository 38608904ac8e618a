"""Where data come from: names, paths, and random draws."""

import builtins
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from derivations.errors import InputError
from verify.inputs import DATA_SETS, generate, read_input, read_targets

ACCEPTED = "one of digits, diabetes, breast_cancer or a .npy, .npz, .csv, .tsv file"


def refusal(source: object) -> str:
    with pytest.raises(InputError) as caught:
        read_input(source)  # type: ignore[arg-type]
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("name", "shape"), [("digits", (1797, 64)), ("diabetes", (442, 10)), ("breast_cancer", (569, 30))]
)
def test_a_bundled_data_set_is_read_by_its_name(name, shape):
    pytest.importorskip("sklearn")
    X = read_input(name)
    assert X.shape == shape
    assert X.dtype == np.float64
    assert X.flags.c_contiguous


def test_the_name_of_a_bundled_set_goes_before_a_file_of_that_name(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    Path("diabetes").write_text("1,2\n")
    assert read_input("diabetes").shape == (442, 10)


@pytest.mark.parametrize("name", DATA_SETS)
def test_without_scikit_learn_a_bundled_set_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert refusal(name) == (
        f"input '{name}' needs scikit-learn, which is not installed: pip install 'gluntk[data]'"
    )


def test_heavy_imports_wait_until_they_are_needed():
    heavy = "{'sklearn', 'psutil', 'scipy', 'pandas'}"
    code = f"import sys, verify.inputs, verify.output; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_rows_are_prepared_as_asked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("3,4\n0,-2\n")
    assert read_input(path).tolist() == [[3.0, 4.0], [0.0, -2.0]]
    assert read_input(path, "standardize").tolist() == [[1.0, 1.0], [-1.0, -1.0]]
    assert np.allclose(np.sum(read_input(path, "normalize") ** 2, axis=1), 2.0, rtol=1e-15, atol=0)


def test_an_unknown_preparation_is_refused_before_the_file_is_opened():
    with pytest.raises(InputError) as caught:
        read_input("missing.npy", "standardise")
    assert str(caught.value) == (
        "prepare must be one of raw, standardize, normalize, got 'standardise': did you mean 'standardize'?"
    )


@pytest.mark.parametrize(
    ("source", "end"),
    [
        ("digit", "'digit': did you mean 'digits'?"),
        ("Diabetes", "'Diabetes': did you mean 'diabetes'?"),
        ("a.txt", "'a.txt'"),
        ("a.npy.gz", "'a.npy.gz'"),
        ("", "''"),
        (".npy", "'.npy'"),
        ("two\nlines", r"'two\nlines'"),
        (None, "None"),
        (3, "3"),
        (np.ones((1, 1)), "array([[1.]])"),
    ],
)
def test_an_unknown_source_is_refused_with_what_is_accepted(source, end):
    assert refusal(source) == f"input must be {ACCEPTED}, got {end}"


@pytest.mark.parametrize("extension", ["npy", "npz", "csv", "tsv"])
def test_a_missing_file_is_refused(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    assert refusal(path) == f"input {str(path)!r} must be a readable file, got: No such file or directory"


@pytest.mark.parametrize("name", ["data", "data.npy", "data.npz", "data.csv"])
def test_a_directory_is_refused(tmp_path, name):
    path = tmp_path / name
    path.mkdir()
    assert refusal(path) == f"input {str(path)!r} must be a file, got a directory"


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_would_block_is_refused_without_opening_it(tmp_path, monkeypatch, kind):
    # Relative, because the path of a socket may not be longer than 107 bytes.
    monkeypatch.chdir(tmp_path)
    path = "a.csv"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "pipe":
            os.mkfifo(path)
        else:
            listener.bind(path)
        assert refusal(path) == f"input {path!r} must be a regular file, got a device, pipe or socket"


@pytest.mark.parametrize("extension", ["npy", "npz", "csv"])
def test_a_file_without_permission_is_refused(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(b"")
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # root may read everything, whatever the permission bits
            os.seteuid(65534)
        line = refusal(path)
    finally:
        os.seteuid(user)
    assert line == f"input {str(path)!r} must be a readable file, got: Permission denied"


def test_a_null_character_in_the_path_is_refused():
    assert refusal("a\0b.npy") == r"input 'a\x00b.npy' must be the path of a file, got a null character in it"


def test_a_path_longer_than_the_system_allows_is_refused():
    assert refusal("x" * 5000 + ".csv").endswith("must be a readable file, got: File name too long")


def test_a_path_with_line_breaks_and_undecodable_bytes_is_shown_on_one_line(tmp_path):
    path = os.fsencode(tmp_path) + b"/a\n\xff.csv"
    line = refusal(os.fsdecode(path))
    assert r"a\n\udcff.csv' must be a readable file" in line
    line.encode()


def test_running_out_of_memory_while_reading_is_told(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("1\n")

    def exhausted(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(builtins, "open", exhausted)
    with pytest.raises(InputError) as caught:
        read_input(path)
    assert str(caught.value) == f"input {str(path)!r} must fit in memory, got a larger file; use fewer rows"


def test_gaussian_rows_are_the_generators_standard_normals():
    X = generate("gaussian", 5, 3, np.random.default_rng(7))
    assert np.array_equal(X, np.random.default_rng(7).standard_normal((5, 3)))


def test_sphere_rows_have_squared_length_d():
    X = generate("sphere", 50, 7, np.random.default_rng(0))
    # 7 squares, their sum, a root, a quotient and a product, each within eps of a total of 7.
    assert np.abs(np.sum(X**2, axis=1) - 7).max() <= 7 * 15 * np.finfo(float).eps


def test_sphere_rows_favour_no_direction():
    n, d = 20_000, 4
    X = generate("sphere", n, d, np.random.default_rng(11))
    # On |x|^2 = d: E x = 0, E x x^T = I, E x_i^4 = 3 d / (d + 2). So the entries of the two means have
    # standard deviations 1 / sqrt(n), sqrt(d / (d + 2) / n) off the diagonal and, on it,
    # sqrt((3 d / (d + 2) - 1) / n): at most 1 / sqrt(n). Five of these refuse a correct sampler with
    # probability 14 * 6e-7 < 1e-5 (once and for all: the seed is fixed) and see a mean or second moment
    # that is off by 10 / sqrt(n) = 0.07.
    assert np.abs(X.mean(axis=0)).max() <= 5 / np.sqrt(n)
    assert np.abs(X.T @ X / n - np.eye(d)).max() <= 5 / np.sqrt(n)


def test_the_sphere_in_one_dimension_is_both_signs():
    X = generate("sphere", 40, 1, np.random.default_rng(3))
    assert sorted(set(X[:, 0])) == [-1.0, 1.0]


@pytest.mark.parametrize("kind", ["gaussian", "sphere"])
def test_one_sample_is_one_row(kind):
    assert generate(kind, 1, 6, np.random.default_rng(0)).shape == (1, 6)


def test_a_draw_of_exact_zeros_still_lies_on_the_sphere():
    class Zeros(np.random.Generator):
        def standard_normal(self, size):  # type: ignore[no-untyped-def, override]
            return np.zeros(size)

    X = generate("sphere", 3, 4, Zeros(np.random.PCG64(0)))
    assert X.tolist() == [[1.0] * 4] * 3


@pytest.mark.parametrize(
    ("kind", "n", "d", "line"),
    [
        ("spere", 3, 2, "data must be one of gaussian, sphere, got 'spere': did you mean 'sphere'?"),
        ("sphere", 0, 2, "n must be a positive integer, got 0"),
        ("sphere", 3, -2, "d must be a positive integer, got -2"),
        ("gaussian", 3.0, 2, "n must be a positive integer, got 3.0"),
        ("gaussian", 3, True, "d must be a positive integer, got True"),
    ],
)
def test_a_bad_draw_is_refused(kind, n, d, line):
    with pytest.raises(InputError) as caught:
        generate(kind, n, d, np.random.default_rng(0))
    assert str(caught.value) == line


@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0)])
def test_what_is_no_generator_is_refused(rng):
    with pytest.raises(InputError, match=r"^rng must be a numpy\.random\.Generator such as .*, got "):
        generate("sphere", 3, 2, rng)


@pytest.mark.parametrize(("kind", "copies"), [("gaussian", 1), ("sphere", 4)])
def test_a_draw_that_does_not_fit_is_refused_before_it_starts(kind, copies, monkeypatch):
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 6 * copies - 1))
    with pytest.raises(InputError, match=r"^n = 3 rows need .*a data matrix"):
        generate(kind, 3, 2, rng)
    assert rng.bit_generator.state == state


@pytest.mark.parametrize("save", ["vector", "column", "row", "archive", "table"])
def test_targets_are_one_number_for_every_row_in_any_form(save: str, tmp_path: Path):
    Y = np.array([1.0, -2.5, 3.0])
    path = str(tmp_path / {"archive": "y.npz", "table": "y.csv"}.get(save, "y.npy"))
    if save == "archive":
        np.savez(path, Y=Y)
    elif save == "table":
        np.savetxt(path, Y)
    else:
        np.save(path, {"vector": Y, "column": Y[:, None], "row": Y[None]}[save])
    np.testing.assert_array_equal(read_targets(path, 3), Y)
    with pytest.raises(InputError, match="targets must be one number for each of the 4 rows, got shape"):
        read_targets(path, 4)


def test_bad_targets_are_told_as_targets(tmp_path: Path):
    np.save(tmp_path / "nan.npy", np.array([1.0, np.nan]))
    with pytest.raises(InputError, match=r"targets '.*nan.npy' must"):
        read_targets(tmp_path / "nan.npy", 2)
    with pytest.raises(InputError, match="targets must be"):
        read_targets("digit", 2)
    # Data matrices are as strict as before.
    with pytest.raises(InputError, match=r"must be a matrix of shape \(n, d\)"):
        read_input(tmp_path / "nan.npy")
