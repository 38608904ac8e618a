"""Result files: refused early, replaced whole or not at all."""

import os
import resource
import stat
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from derivations.errors import InputError
from verify.output import check_output, write_array, write_figure, write_text
from verify.plots import new_figure

K = np.arange(6.0).reshape(2, 3)
OLD = b"old"


def write_old_array(path: object, force: bool) -> None:
    write_array(path, K, force)  # type: ignore[arg-type]


def write_old_text(path: object, force: bool) -> None:
    write_text(path, "new", force)  # type: ignore[arg-type]


def check_array(path: object, force: bool) -> None:
    check_output(path, force, ".npy")  # type: ignore[arg-type]


entrances = pytest.mark.parametrize("enter", [check_array, write_old_array, write_old_text])
writers = pytest.mark.parametrize("write", [write_old_array, write_old_text])


def refusal(enter: Callable[[Any, bool], object], path: object, force: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        enter(path, force)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("array", [K, np.asfortranarray(K), K[:, ::2], K.astype(np.float32), np.float64(3.0)])
def test_an_array_keeps_its_values_shape_and_dtype(tmp_path, array):
    write_array(tmp_path / "K.npy", array, force=False)
    result = np.load(tmp_path / "K.npy")
    assert np.array_equal(result, array)
    assert result.dtype == array.dtype
    assert os.listdir(tmp_path) == ["K.npy"]


def test_a_text_is_written_in_utf8_with_its_line_endings(tmp_path):
    write_text(tmp_path / "a.html", "α\r\nβ\n", force=False)
    assert (tmp_path / "a.html").read_bytes() == "α\r\nβ\n".encode()
    assert os.listdir(tmp_path) == ["a.html"]


def test_a_text_that_utf8_cannot_encode_is_escaped_and_not_lost(tmp_path):
    write_text(tmp_path / "a.txt", "name \udcff", force=False)
    assert (tmp_path / "a.txt").read_bytes() == b"name \\udcff"


def test_the_check_returns_the_resolved_path_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert check_output(tmp_path / "link" / "K.npy", False) == str((tmp_path / "folder" / "K.npy").resolve())
    assert os.listdir(tmp_path / "folder") == []


def test_a_bare_file_name_means_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_array("K.npy", K, force=False)
    assert np.array_equal(np.load("K.npy"), K)


@entrances
def test_an_existing_file_is_kept_without_force(tmp_path, enter):
    path = tmp_path / "K.npy"
    path.write_bytes(OLD)
    assert refusal(enter, path) == (
        f"output {str(path)!r} must be a new file, got one that exists; give --force to replace it"
    )
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["K.npy"]


@writers
def test_an_existing_file_is_replaced_with_force_and_keeps_its_mode(tmp_path, write):
    path = tmp_path / "K.npy"
    path.write_bytes(OLD)
    path.chmod(0o640)
    write(path, True)
    assert path.read_bytes() != OLD
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["K.npy"]


def test_a_new_file_has_the_mode_that_the_user_asks_for(tmp_path):
    mask = os.umask(0o027)
    try:
        write_array(tmp_path / "K.npy", K, force=False)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "K.npy").stat().st_mode) == 0o640


@writers
def test_a_link_is_followed_and_stays(tmp_path, write):
    (tmp_path / "real.npy").write_bytes(OLD)
    (tmp_path / "link.npy").symlink_to("real.npy")
    write(tmp_path / "link.npy", True)
    assert (tmp_path / "link.npy").is_symlink()
    assert (tmp_path / "real.npy").read_bytes() != OLD


@pytest.mark.parametrize("enter", [check_array, write_old_array])
@pytest.mark.parametrize("path", ["K.csv", "K", "npy", "K.npy.gz", "K.npy/", ""])
def test_an_array_goes_only_into_an_npy_file(tmp_path, monkeypatch, enter, path):
    monkeypatch.chdir(tmp_path)
    assert refusal(enter, path) == f"output must be a file name that ends in .npy, got {path!r}"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", ["", "folder/", "a\0b", None, 3])
def test_what_is_no_file_name_is_refused(path):
    assert refusal(write_old_text, path) == f"output must be a file name, got {path!r}"


@entrances
def test_a_missing_folder_is_refused(tmp_path, enter):
    path = tmp_path / "missing" / "K.npy"
    assert refusal(enter, path) == (
        f"output {str(path)!r} must be in an existing folder, got {str(path.parent)!r}, which is not one; "
        "create it first"
    )
    assert os.listdir(tmp_path) == []


@entrances
def test_a_folder_that_is_a_file_is_refused(tmp_path, enter):
    (tmp_path / "file").write_bytes(OLD)
    assert "must be in an existing folder" in refusal(enter, tmp_path / "file" / "K.npy")


@entrances
def test_a_directory_is_refused_even_with_force(tmp_path, enter):
    path = tmp_path / "K.npy"
    path.mkdir()
    assert refusal(enter, path, force=True) == f"output {str(path)!r} must be a file, got a directory"


@entrances
def test_a_pipe_or_device_is_refused_even_with_force(tmp_path, enter):
    path = tmp_path / "K.npy"
    os.mkfifo(path)
    assert refusal(enter, path, force=True) == (
        f"output {str(path)!r} must be a regular file, got a device, pipe or socket"
    )
    assert stat.S_ISFIFO(path.stat().st_mode)


@entrances
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, enter):
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o555)
    path = folder / "K.npy"
    user = os.geteuid()
    try:
        if user == 0:  # root writes everywhere, and nobody may not even enter the folders of root's tests
            os.seteuid(65534)
        line = refusal(enter, path)
    finally:
        os.seteuid(user)
    assert line == f"output {str(path)!r} must be writable, got: Permission denied"


@entrances
def test_a_folder_of_a_virtual_file_system_is_refused_although_it_looks_writable(enter):
    assert "must be writable, got: " in refusal(enter, "/proc/K.npy")


@entrances
def test_a_name_longer_than_the_system_allows_is_refused(tmp_path, enter):
    path = tmp_path / ("x" * 300 + ".npy")
    assert refusal(enter, path) == f"output {str(path)!r} must be writable, got: File name too long"
    assert os.listdir(tmp_path) == []


@pytest.fixture
def files_of_at_most_4096_bytes() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("files_of_at_most_4096_bytes")
@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("size", [600, 100_000])
def test_a_file_that_does_not_fit_is_told_and_leaves_everything_as_it_was(tmp_path, exists, size):
    path = tmp_path / "K.npy"
    if exists:
        path.write_bytes(OLD)
    for line in (
        refusal(lambda path, force: write_array(path, np.zeros(size), force), path, force=True),
        refusal(lambda path, force: write_text(path, "x" * 8 * size, force), path, force=True),
    ):
        assert line.startswith(f"output {str(path)!r} must be writable, got: ")
        assert os.listdir(tmp_path) == (["K.npy"] if exists else [])
        assert not exists or path.read_bytes() == OLD


@writers
@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_an_interrupt_leaves_everything_as_it_was(tmp_path, monkeypatch, write, failure, moment):
    path = tmp_path / "K.npy"
    path.write_bytes(OLD)

    def interrupted(*arguments: object) -> None:
        assert len(os.listdir(tmp_path)) == 2
        raise failure

    monkeypatch.setattr(os, moment, interrupted)
    with pytest.raises(failure):
        write(path, True)
    assert os.listdir(tmp_path) == ["K.npy"]
    assert path.read_bytes() == OLD


def test_an_array_of_objects_is_not_pickled_and_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_array(tmp_path / "K.npy", np.array([[None]]), force=False)
    assert os.listdir(tmp_path) == []


def test_the_argument_keeps_the_name_it_is_given(tmp_path):
    (tmp_path / "a.html").write_bytes(OLD)
    with pytest.raises(InputError, match=r"^report '.*a\.html' must be a new file"):
        write_text(tmp_path / "a.html", "new", force=False, name="report")
    with pytest.raises(InputError, match=r"^plot must be a file name"):
        check_output("", force=False, name="plot")


def test_a_figure_has_one_of_three_endings(tmp_path):
    figure, _ = new_figure()
    with pytest.raises(
        InputError, match=r"^plot must be a file name that ends in \.png or \.svg or \.pdf, got"
    ):
        write_figure(tmp_path / "a.jpg", figure, force=False)
    write_figure(tmp_path / "A.PNG", figure, force=False)
    assert os.listdir(tmp_path) == ["A.PNG"]
