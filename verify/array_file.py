"""A data matrix from NumPy's own files, .npy and .npz, of which nothing is believed and nothing unpickled."""

import math
import os
import warnings
import zipfile
from typing import IO

import numpy as np
from numpy.lib import format as npy

from derivations.arguments import check_memory, shown
from derivations.errors import InputError
from derivations.matrix import check_form


def read_npy(path: str, name: str, vector: bool = False) -> np.ndarray:
    """Return the matrix in a .npy file, in the file's dtype.

    Parameters
    ----------
    path : str
        A regular file.
    name : str
        What error lines call the file.
    vector : bool
        Whether an array of shape (n,) is taken, too, as (n, 1).

    Returns
    -------
    (n, d) bool, integer or real floating point

    Raises
    ------
    InputError
        When the file is damaged, its size is not the one that its header declares, or its array is
        not an (n, d) array of real numbers.
    OSError
        When the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.array([[1, 2]]))
    ...     read_npy(f"{folder}/a.npy", "input 'a.npy'")
    array([[1, 2]])
    """
    with open(path, "rb") as stream:
        return _read_stream(stream, os.path.getsize(path), name, vector)


def read_npz(path: str, name: str, vector: bool = False) -> np.ndarray:
    """Return the matrix in a .npz archive that holds exactly one array, in that array's dtype.

    Parameters
    ----------
    path : str
        A regular file.
    name : str
        What error lines call the file.
    vector : bool
        As for `read_npy`.

    Returns
    -------
    (n, d) bool, integer or real floating point

    Raises
    ------
    InputError
        As for `read_npy`, and when the archive holds no array or several.
    OSError
        When the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/a.npz", X=np.array([[1, 2]]))
    ...     read_npz(f"{folder}/a.npz", "input 'a.npz'")
    array([[1, 2]])
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            if len(members) != 1:
                names = ", ".join(shown(member.filename.removesuffix(".npy")) for member in members[:8])
                more = ", ..." if len(members) > 8 else ""
                found = f"{len(members)}: {names}{more}" if members else "none"
                raise InputError(
                    f"{name} must hold exactly one array, got {found}; save the data matrix alone"
                )
            with archive.open(members[0]) as stream:
                return _read_stream(stream, members[0].file_size, name, vector)
    except (InputError, OSError, MemoryError):
        raise
    # zipfile has no base class for what it raises: BadZipFile, zlib.error, NotImplementedError for an
    # unknown compression, RuntimeError for an encrypted member, ...
    except Exception as error:
        raise _damaged(name) from error


def _damaged(name: str) -> InputError:
    return InputError(
        f"{name} must be a file that numpy.save or numpy.savez wrote, got a damaged or another file"
    )


def _read_stream(stream: IO[bytes], size: int, name: str, vector: bool) -> np.ndarray:
    shape, fortran_order, dtype = _read_header(stream, name)
    if vector and len(shape) == 1:
        shape = (*shape, 1)
    check_form(shape, dtype, name)
    # Compared before anything is allocated: a header may declare more than the machine has.
    declared = math.prod(shape) * dtype.itemsize
    present = size - stream.tell()
    if declared != present:
        raise InputError(
            f"{name} must hold the {declared} bytes of data that its header declares, shape {shape} and "
            f"dtype {dtype}, got {present}: truncated or damaged"
        )
    # Twice: the file's array and the float64 matrix made from it.
    check_memory(shape[0], shape[1], 2, "a data matrix")
    flat = np.empty(math.prod(shape), dtype)
    if stream.readinto(flat.view(np.uint8)) != declared:  # type: ignore[attr-defined]
        raise _damaged(name)
    return flat.reshape(shape, order="F" if fortran_order else "C")


def _read_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        # Files written under Python 2 and deprecated spellings of a dtype are valid: no warning.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = npy.read_magic(stream)
            # Version 3.0 differs from 2.0 in the encoding of field names, which no matrix has.
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran_order, dtype = read(stream)
        if min(shape, default=0) < 0:
            raise ValueError("negative shape")
    except OSError:
        raise
    # The header is evaluated as a Python literal and then as a dtype, and a damaged one fails with
    # anything from SyntaxError to RecursionError.
    except Exception as error:
        raise _damaged(name) from error
    return shape, fortran_order, dtype
