r"""What a network is trained to say: random labels, teachers, and the targets of the bundled data sets.

============== ==========================================================================================
kind           label of the row x
============== ==========================================================================================
``normal``     N(0, 1), independent of x
``signs``      1 or -1 with equal chance, independent of x
``linear``     w.x with one w ~ N(0, I/d) for all rows: of mean square |x|^2/d
``network``    z(x) of one network of `verify.finite`, drawn as its parametrization draws it
============== ==========================================================================================

Labels of real data (`real_labels`) have mean 0 and mean square 1 over the whole data set, whether they are numbers or two
classes, so that losses can be compared.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.finite import FiniteNetwork, finite_network
from verify.inputs import bundled, check_choice, check_matrix, check_positive_integer, shown
from verify.streams import Seed, seed_sequence

KINDS = ("normal", "signs", "linear", "network")
TARGETS = ("digits:parity", *(f"digits:{digit}" for digit in range(10)), "diabetes", "breast_cancer")
TEACHER_WIDTH = 100


def draw_labels(
    kind: str,
    X: ArrayLike,
    rng: Seed = 0,
    *,
    teacher: str | FiniteNetwork = "relu",
    width: int = TEACHER_WIDTH,
) -> Array:
    """Labels of the rows, random or from a random teacher.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    X : (n, d) float
    rng : int or numpy.random.SeedSequence
        Every kind has a stream of its own, which no network draws from, even below the same seed.
    teacher : str or FiniteNetwork
        The network of kind ``network``.
    width : int
        Its neurons.

    Returns
    -------
    (n,) float

    Raises
    ------
    InputError
        If an argument is none of these, or a label leaves float64.

    Examples
    --------
    >>> draw_labels("signs", np.ones((4, 1)), rng=1)
    array([-1., -1., -1.,  1.])
    >>> float(draw_labels("linear", np.array([[1.0, 2.0], [2.0, 4.0]])) @ [2.0, -1.0])
    0.0
    """
    check_choice(kind, "labels", KINDS)
    points = check_matrix(X, "X")
    n, d = points.shape
    # Two numbers in the key: networks are drawn from streams with one.
    stream = np.random.default_rng(seed_sequence(rng, zlib.crc32(kind.encode()), 0))
    if kind == "normal":
        return np.asarray(stream.standard_normal(n))
    if kind == "signs":
        return np.asarray(stream.choice([-1.0, 1.0], n))
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        if kind == "linear":
            labels = points @ (stream.standard_normal(d) / np.sqrt(d))
        else:
            chosen, m = finite_network(teacher), check_positive_integer(width, "width")
            weights = chosen.draw(stream, d, m, m)
            labels = chosen.outputs(weights, points, m) @ weights.readout
    if not np.isfinite(labels).all():
        raise InputError(f"X must have shorter rows: labels of kind {kind!r} overflow on them")
    return np.asarray(labels)


def real_labels(target: str) -> Array:
    """The labels of all rows of a bundled data set, in the order of `verify.inputs.read_input`.

    Parameters
    ----------
    target : str
        ``digits:parity`` (odd against even), ``digits:0`` to ``digits:9`` (that digit against all others), ``diabetes``
        (progression of the disease after a year) or ``breast_cancer`` (benign against malignant).

    Returns
    -------
    (n,) float
        Of mean 0 and mean square 1; two classes have two values, the class named first the positive one.

    Raises
    ------
    InputError
        If the target is unknown, or scikit-learn is needed and not installed.

    Examples
    --------
    >>> real_labels("digits:10")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: target must be one of digits:parity, ..., got 'digits:10':
    did you mean 'digits:1'?
    """
    check_choice(target, "target", TARGETS)
    dataset, _, question = target.partition(":")
    values = bundled(dataset)[1]
    if question == "parity":
        values = values % 2
    elif question:
        values = np.asarray(values == int(question), np.float64)
    centred = values - values.mean()
    return np.asarray(centred / np.sqrt(np.mean(centred**2)))


def check_labels(Y: ArrayLike, n: int, name: str = "Y") -> Array:
    """Return `Y`, which errors call by `name`, as a finite float64 vector with one label per row.

    Raises
    ------
    InputError
        When its shape is another than (n,), or it does not hold finite real numbers.

    Examples
    --------
    >>> check_labels([1, -1], 2)
    array([ 1., -1.])
    >>> check_labels([1, -1], 3)
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: Y must have shape (3,), a label for every row of X, got shape (2,)
    """
    expected = f"{name} must have shape {(n,)}, a label for every row of {name.replace('Y', 'X')}"
    try:
        shape = np.shape(Y)
    except ValueError as error:  # rows of different lengths
        raise InputError(f"{expected}, got {shown(Y)}") from error
    if shape != (n,):
        raise InputError(f"{expected}, got shape {shape}")
    return check_matrix(np.reshape(Y, (n, 1)), name)[:, 0]
