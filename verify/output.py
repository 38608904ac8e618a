"""Files that results are written to: refused early, replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from derivations.arguments import shown
from derivations.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = (".png", ".svg", ".pdf")
"""What the file of a figure may end in."""


def check_output(
    path: str | os.PathLike[str], force: bool, suffix: str | tuple[str, ...] = "", name: str = "output"
) -> str:
    """Check, before a long computation starts, that its result can be written.

    Parameters
    ----------
    path : str or path
        Where the result is to go. A symbolic link is followed.
    force : bool
        Whether an existing file may be replaced.
    suffix : str or tuple of str
        What the file name must end in, such as ``.npy``, or one of several; empty for anything.
    name : str
        The argument's name, for the error line.

    Returns
    -------
    str
        The absolute path, links resolved.

    Raises
    ------
    InputError
        When the name has another suffix, the file exists and `force` is false, its folder is missing
        or not writable, or it is a directory or a device.

    Examples
    --------
    >>> check_output("results/K.csv", force=False, suffix=".npy")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: output must be a file name that ends in .npy, got 'results/K.csv'
    """
    text = os.fsdecode(path) if isinstance(path, str | os.PathLike) else ""
    if not os.path.basename(text) or "\0" in text or not text.lower().endswith(suffix):
        endings = suffix if isinstance(suffix, str) else " or ".join(suffix)
        right = f"a file name that ends in {endings}" if suffix else "a file name"
        raise InputError(f"{name} must be {right}, got {shown(path)}")
    # Resolved, because os.replace would replace the link and leave the file it points to as it was.
    target = os.path.realpath(text)
    label = f"{name} {text!r}"
    folder = os.path.dirname(target)
    with _told(label):
        if not _is_folder(folder):
            raise InputError(
                f"{label} must be in an existing folder, got {folder!r}, which is not one; create it first"
            )
        _check_replaceable(target, force, label)
        # Permission bits do not tell for root or on a read-only or virtual file system: only writing does.
        with _scratch(folder):
            pass
    return target


def write_array(path: str | os.PathLike[str], K: np.ndarray, force: bool, name: str = "output") -> None:
    """Write an array to a .npy file, whole or not at all.

    Parameters
    ----------
    path : str or path
        Must end in .npy.
    K : ndarray of numbers
        Keeps its shape and dtype.
    force : bool
        Whether an existing file may be replaced.
    name : str
        The argument's name, for the error line.

    Raises
    ------
    InputError
        As `check_output`, and when writing fails: a full disk, say.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_array(f"{folder}/K.npy", np.eye(2), force=False)
    ...     np.load(f"{folder}/K.npy")
    array([[1., 0.],
           [0., 1.]])
    """
    with _replacement(path, force, ".npy", name) as stream:
        np.save(stream, K, allow_pickle=False)


def write_text(path: str | os.PathLike[str], text: str, force: bool, name: str = "output") -> None:
    """Write a text file in UTF-8, whole or not at all.

    Parameters
    ----------
    path : str or path
        Any file name.
    text : str
        Written as it is; what UTF-8 cannot encode (half a surrogate pair) as a backslash escape.
    force : bool
        Whether an existing file may be replaced.
    name : str
        The argument's name, for the error line.

    Raises
    ------
    InputError
        As `check_output`, and when writing fails: a full disk, say.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(f"{folder}/a.txt", "1/2 α", force=False)
    ...     pathlib.Path(folder, "a.txt").read_bytes()
    b'1/2 \\xce\\xb1'
    """
    with _replacement(path, force, "", name) as stream:
        stream.write(text.encode("utf-8", errors="backslashreplace"))


def write_figure(path: str | os.PathLike[str], figure: Figure, force: bool, name: str = "plot") -> None:
    """Write a figure to a .png, .svg or .pdf file, whole or not at all.

    Raises
    ------
    InputError
        As `check_output`, and when writing fails: a full disk, say.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from verify.plots import new_figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_figure(f"{folder}/a.png", new_figure()[0], force=False)
    ...     pathlib.Path(folder, "a.png").read_bytes()[1:4]
    b'PNG'
    """
    with _replacement(path, force, FIGURES, name) as stream:
        figure.savefig(stream, format=os.fsdecode(path).rpartition(".")[2].lower())


def _is_folder(path: str) -> bool:
    # Not os.path.isdir, which calls a folder that the user may not enter missing.
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _check_replaceable(target: str, force: bool, label: str) -> None:
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise InputError(f"{label} must be a file, got a directory")
    # As root, os.replace would put a regular file in the place of /dev/null.
    if not stat.S_ISREG(mode):
        raise InputError(f"{label} must be a regular file, got a device, pipe or socket")
    if not force:
        raise InputError(f"{label} must be a new file, got one that exists; give --force to replace it")


@contextlib.contextmanager
def _told(label: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{label} must be writable, got: {error.strerror or error}") from error


@contextlib.contextmanager
def _scratch(folder: str) -> Iterator[tuple[BinaryIO, str]]:
    # In the folder of the result: os.replace is atomic only within one file system. Not tempfile, whose
    # files only their owner may read.
    path = os.path.join(folder, f".gluntk-{secrets.token_hex(8)}.tmp")
    try:
        with open(path, "xb") as stream:
            yield stream, path
    finally:
        # Gone already after os.replace; here for every failure, KeyboardInterrupt included.
        with contextlib.suppress(OSError):
            os.unlink(path)


@contextlib.contextmanager
def _replacement(
    path: str | os.PathLike[str], force: bool, suffix: str | tuple[str, ...], name: str
) -> Iterator[BinaryIO]:
    target = check_output(path, force, suffix, name)
    with _told(f"{name} {os.fsdecode(path)!r}"), _scratch(os.path.dirname(target)) as (stream, scratch):
        yield stream
        # On disk before it gets the name: a power cut may otherwise leave the name on an empty file.
        stream.flush()
        os.fsync(stream.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, scratch)
        os.replace(scratch, target)
