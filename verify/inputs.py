"""Where data come from: a user's file, a named real data set, or a random draw."""

import difflib
import os
import stat

import numpy as np
from numpy.typing import NDArray

from derivations.arguments import check_choice, check_memory, check_positive_integer, shown
from derivations.errors import InputError
from derivations.matrix import check_matrix
from verify.array_file import read_npy, read_npz
from verify.prepare import PREPARATIONS, prepare_rows
from verify.table_file import read_table

DATA_SETS = ("digits", "diabetes", "breast_cancer")
EXTENSIONS = (".npy", ".npz", ".csv", ".tsv")
DISTRIBUTIONS = ("gaussian", "sphere")


def read_input(source: str | os.PathLike[str], prepare: str = "raw") -> NDArray[np.float64]:
    """Return the data matrix that a user names.

    Parameters
    ----------
    source : str or path
        ``digits`` (1797, 64), ``diabetes`` (442, 10) or ``breast_cancer`` (569, 30), the features as
        scikit-learn bundles them; or the path of a .npy file, a .npz archive of one array, or a .csv
        or .tsv table with or without a header line.
    prepare : {"raw", "standardize", "normalize"}
        The scaling, as in `prepare_rows`.

    Returns
    -------
    (n, d) float64
        Finite and C-contiguous.

    Raises
    ------
    InputError
        When the source is unknown, unreadable, damaged or not a matrix of finite numbers, when it
        cannot be scaled as asked, or when scikit-learn is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.array([[3.0, 4.0]]))
    ...     read_input(f"{folder}/a.npy", prepare="normalize").round(6)
    array([[0.848528, 1.131371]])
    >>> read_input("digit")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: input must be one of digits, diabetes, breast_cancer or a .npy, .npz, .csv,
    .tsv file, got 'digit': did you mean 'digits'?
    """
    check_choice(prepare, "prepare", PREPARATIONS)
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"input must be {_accepted()}, got {shown(source)}")
    path = os.fsdecode(source)
    matrix = bundled(path)[0] if path in DATA_SETS else _from_file(path)
    return prepare_rows(matrix, prepare)


def read_targets(source: str | os.PathLike[str], n: int) -> NDArray[np.float64]:
    """Return one number for every row from a file.

    Parameters
    ----------
    source : str or path
        A .npy file, a .npz archive of one array, of shape (n,), (n, 1) or (1, n), or a .csv or .tsv table of one column or
        one row.
    n : int
        How many there have to be.

    Returns
    -------
    (n,) float64

    Raises
    ------
    InputError
        As `read_input`, and when there are not n of them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/y.npy", np.array([3.0, 4.0]))
    ...     read_targets(f"{folder}/y.npy", 2)
    array([3., 4.])
    """
    path = os.fsdecode(source)
    found = _from_file(path, "targets", vector=True)
    if found.shape not in ((n, 1), (1, n)):
        raise InputError(f"targets must be one number for each of the {n} rows, got shape {found.shape}")
    return found.ravel()


def generate(kind: str, n: int, d: int, rng: np.random.Generator) -> NDArray[np.float64]:
    r"""Draw n independent samples in d dimensions.

    ``gaussian``: :math:`x \sim N(0, I_d)`. ``sphere``: x uniform on :math:`|x|^2 = d`, a Gaussian draw
    scaled to that length; for d = 1 its rows are +1 and -1 with equal chance. n = 1 gives one row.

    Parameters
    ----------
    kind : {"gaussian", "sphere"}
        The distribution.
    n, d : int
        Samples and dimension, at least 1.
    rng : numpy.random.Generator
        Where the randomness comes from; its state advances.

    Returns
    -------
    (n, d) float64

    Raises
    ------
    InputError
        When an argument is none of these or the draw does not fit in memory.

    Examples
    --------
    >>> X = generate("sphere", 3, 5, np.random.default_rng(0))
    >>> X.shape, np.sum(X**2, axis=1).round(12)
    ((3, 5), array([5., 5., 5.]))
    """
    check_choice(kind, "data", DISTRIBUTIONS)
    n = check_positive_integer(n, "n")
    d = check_positive_integer(d, "d")
    if not isinstance(rng, np.random.Generator):
        raise InputError(
            f"rng must be a numpy.random.Generator such as numpy.random.default_rng(0), got {shown(rng)}"
        )
    # The draw, its scaled twin, the squares and the result are alive together.
    check_memory(n, d, 1 if kind == "gaussian" else 4, "a data matrix")
    matrix = rng.standard_normal((n, d))
    if kind == "gaussian":
        return matrix
    # An exact zero has probability 2^-52 per entry: at d = 1 a long run meets one, and it has no direction.
    matrix[~matrix.any(axis=1)] = 1.0
    return prepare_rows(matrix, "normalize")


def _accepted() -> str:
    return f"one of {', '.join(DATA_SETS)} or a {', '.join(EXTENSIONS)} file"


def bundled(dataset: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The features (n, d) and the target (n,) of a data set, as scikit-learn bundles them.

    Raises
    ------
    InputError
        When scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise InputError(
            f"input {dataset!r} needs scikit-learn, which is not installed: pip install 'gluntk[data]'"
        ) from error
    load = {
        "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes,
        "breast_cancer": datasets.load_breast_cancer,
    }[dataset]
    found = load()
    return check_matrix(found.data, f"input {dataset!r}"), np.asarray(found.target, np.float64)


def _from_file(path: str, word: str = "input", vector: bool = False) -> NDArray[np.float64]:
    name = f"{word} {path!r}"
    extension = os.path.splitext(path)[1].lower()
    if extension not in EXTENSIONS and not os.path.isdir(path):
        nearest = difflib.get_close_matches(path.lower(), DATA_SETS, n=1)
        hint = f": did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(f"{word} must be {_accepted()}, got {path!r}{hint}")
    try:
        _check_regular(path, name)
        if extension == ".npy":
            return check_matrix(read_npy(path, name, vector), name)
        if extension == ".npz":
            return check_matrix(read_npz(path, name, vector), name)
        return read_table(path, "\t" if extension == ".tsv" else ",", name)
    except OSError as error:
        raise InputError(f"{name} must be a readable file, got: {error.strerror or error}") from error
    except MemoryError as error:
        raise InputError(f"{name} must fit in memory, got a larger file; use fewer rows") from error


def _check_regular(path: str, name: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except ValueError as error:  # a null character
        raise InputError(f"{name} must be the path of a file, got a null character in it") from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{name} must be a file, got a directory")
    # Opening a pipe would wait forever for someone to write into it.
    if not stat.S_ISREG(mode):
        raise InputError(f"{name} must be a regular file, got a device, pipe or socket")
