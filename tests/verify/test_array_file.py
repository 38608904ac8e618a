"""NumPy's files, valid, foreign, damaged and malicious."""

import io
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from derivations.errors import InputError
from verify.inputs import read_input

DAMAGED = "must be a file that numpy.save or numpy.savez wrote, got a damaged or another file"
X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def refusal(path: Path) -> str:
    """The error line, without the file's name with which it has to start."""
    with pytest.raises(InputError) as caught:
        read_input(path)
    line, start = str(caught.value), f"input {str(path)!r} "
    assert "\n" not in line
    assert line.startswith(start)
    return line.removeprefix(start)


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_claiming(shape: object, descr: object = "<f8", data: bytes = b"") -> bytes:
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + data


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint64, np.float16, ">f4", "<f8", ">f8", np.longdouble])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_saved_matrix_is_read_back_whatever_its_dtype_and_order(tmp_path, dtype, order):
    saved = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype, order=order)
    np.save(tmp_path / "a.npy", saved)
    np.savez(tmp_path / "b.npz", saved)
    np.savez_compressed(tmp_path / "c.npz", data=saved)
    for name in ("a.npy", "b.npz", "c.npz"):
        result = read_input(tmp_path / name)
        assert result.dtype == np.dtype("=f8")
        assert result.flags.c_contiguous
        assert result.flags.writeable
        assert np.array_equal(result, saved.astype(float))


def test_the_extension_may_be_in_capitals(tmp_path):
    (tmp_path / "A.NPY").write_bytes(npy_bytes(X))
    assert np.array_equal(read_input(tmp_path / "A.NPY"), X)


def test_a_header_of_format_version_2_is_read(tmp_path):
    with open(tmp_path / "a.npy", "wb") as stream:
        npy.write_array(stream, X, version=(2, 0))
    assert np.array_equal(read_input(tmp_path / "a.npy"), X)


def test_a_file_written_by_python_2_is_read_without_a_warning(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3L), }"
    header += b" " * (128 - 10 - 1 - len(header)) + b"\n"
    data = npy.magic(1, 0) + len(header).to_bytes(2, "little") + header + X.tobytes()
    (tmp_path / "a.npy").write_bytes(data)
    assert np.array_equal(read_input(tmp_path / "a.npy"), X)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("the file was unpickled",)


@pytest.mark.parametrize("extension", ["npy", "npz"])
def test_an_array_of_pickled_objects_is_refused_and_not_unpickled(tmp_path, extension):
    bombs = np.empty((2, 2), object)
    bombs.fill(Bomb())
    path = tmp_path / f"a.{extension}"
    if extension == "npy":
        np.save(path, bombs, allow_pickle=True)
    else:
        np.savez(path, bombs)
    assert refusal(path).startswith("must hold real numbers, got dtype object (Python objects")


def test_a_bare_pickle_is_refused_and_not_unpickled(tmp_path):
    (tmp_path / "a.npy").write_bytes(pickle.dumps(Bomb()))
    assert refusal(tmp_path / "a.npy") == DAMAGED


@pytest.mark.parametrize(
    ("array", "part"),
    [
        (np.zeros(3, [("a", float), ("b", int)]), "got dtype void (a structured"),
        (X + 1j, "got dtype complex128"),
        (X.astype(str), "got dtype <U32 (text)"),
        (X.astype("M8[s]"), "got dtype datetime64[s]"),
        (X[0], "got shape (3,): reshape(-1, 1)"),
        (X[None], "got shape (1, 2, 3)"),
        (X[:0], "got shape (0, 3)"),
        (X[:, :0], "got shape (2, 0)"),
        (
            np.where(X == 5, np.nan, X),
            "got nan at row 1, column 1 (counted from 0); not finite: 1 of 6 entries",
        ),
        (np.where(X == 5, -np.inf, X), "got -inf at row 1, column 1"),
    ],
)
@pytest.mark.parametrize("extension", ["npy", "npz"])
def test_an_array_that_is_no_data_matrix_is_refused_by_name(tmp_path, array, part, extension):
    path = tmp_path / f"a.{extension}"
    (np.save if extension == "npy" else np.savez)(path, array)
    line = refusal(path)
    assert line.startswith("must ")
    assert part in line


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUM",
        b"1,2\n3,4\n",
        npy_bytes(X)[:9],
        npy_bytes(X)[:60],
        npy_bytes(X).replace(b"'shape'", b"'sharp'"),
        npy_bytes(X).replace(b"<f8", b"<q7"),
        npy_bytes(X).replace(b"(2, 3)", b"((((("),
        npy_bytes(X).replace(b"(2, 3)", b"(-2,3)"),
        npy_bytes(X).replace(b"\x01\x00", b"\x09\x00", 1),
    ],
)
def test_a_damaged_header_is_refused(tmp_path, data):
    (tmp_path / "a.npy").write_bytes(data)
    assert refusal(tmp_path / "a.npy") == DAMAGED


def test_a_truncated_file_is_refused_with_both_sizes(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy_bytes(X)[:-3])
    assert refusal(tmp_path / "a.npy") == (
        "must hold the 48 bytes of data that its header declares, shape (2, 3) and dtype float64, got 45: "
        "truncated or damaged"
    )


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2**62, 2**62), (1, 1), (10**30, 1)])
@pytest.mark.parametrize("extension", ["npy", "npz"])
def test_a_header_that_lies_about_the_size_is_refused_before_anything_is_allocated(
    tmp_path, shape, extension
):
    data = npy_claiming(shape, data=X.tobytes())
    path = tmp_path / f"a.{extension}"
    if extension == "npy":
        path.write_bytes(data)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("X.npy", data)
    line = refusal(path)
    assert line.startswith(f"must hold the {8 * shape[0] * shape[1]} bytes of data that its header declares")
    assert line.endswith("got 48: truncated or damaged")


def test_a_file_larger_than_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", X)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=95))
    with pytest.raises(InputError, match=r"^n = 2 rows need .* for 2 copies of a data matrix"):
        read_input(tmp_path / "a.npy")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=96))
    assert np.array_equal(read_input(tmp_path / "a.npy"), X)


def test_an_archive_of_several_arrays_is_refused_with_their_names(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=X[0])
    assert (
        refusal(tmp_path / "a.npz")
        == "must hold exactly one array, got 2: 'X', 'y'; save the data matrix alone"
    )


def test_an_archive_of_many_arrays_is_refused_with_the_first_names(tmp_path):
    np.savez(tmp_path / "a.npz", *[X] * 20)
    line = refusal(tmp_path / "a.npz")
    assert "got 20: 'arr_0', " in line
    assert "'arr_7', ...; save" in line


def test_an_archive_without_an_array_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz")
    assert refusal(tmp_path / "a.npz") == "must hold exactly one array, got none; save the data matrix alone"


def test_names_in_an_archive_cannot_break_the_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a\nb.npy", npy_bytes(X))
        archive.writestr("c.npy", npy_bytes(X))
    assert r"'a\nb', 'c'" in refusal(tmp_path / "a.npz")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", npy_bytes(X), b"1,2\n"])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "a.npz").write_bytes(data)
    assert refusal(tmp_path / "a.npz") == DAMAGED


def test_an_archive_whose_data_fail_their_checksum_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X)
    damaged = path.read_bytes().replace(X.tobytes(), (X + 1).tobytes())
    path.write_bytes(damaged)
    assert refusal(path) == DAMAGED


def archive_bytes() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, X)
    return stream.getvalue()


def test_an_archive_that_lies_about_the_size_of_its_member_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", npy_claiming((100, 3), data=X.tobytes()))
    data = bytearray(path.read_bytes())
    # The size before compression: four bytes at offset 24 of the entry in the central directory.
    entry = data.index(b"PK\x01\x02") + 24
    size = int.from_bytes(data[entry : entry + 4], "little")
    data[entry : entry + 4] = (size - X.nbytes + 2400).to_bytes(4, "little")
    path.write_bytes(data)
    assert refusal(path) == DAMAGED


@pytest.mark.parametrize("extension", ["npy", "csv"])
def test_an_error_of_the_device_is_told_as_such(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    # The one file whose first byte nobody can read: address 0 of this process.
    path.symlink_to("/proc/self/mem")
    assert refusal(path).startswith("must be a readable file, got: ")


@pytest.mark.parametrize(("extension", "original"), [("npy", npy_bytes(X)), ("npz", archive_bytes())])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    length=st.integers(0, 400),
)
@example(changes=[], length=400)
def test_a_file_with_damaged_bytes_gives_a_matrix_or_one_line(tmp_path, extension, original, changes, length):
    data = bytearray(original)
    for position, byte in changes:
        data[position % len(data)] = byte
    path = tmp_path / f"a.{extension}"
    path.write_bytes(data[:length])
    line = ""
    try:
        result = read_input(path)
    except InputError as error:
        line = str(error)
    if line:
        assert line.startswith(f"input {str(path)!r} must ")
        assert "\n" not in line
    else:
        assert result.dtype == np.float64
        assert result.ndim == 2
        assert np.isfinite(result).all()
