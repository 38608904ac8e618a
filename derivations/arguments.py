"""Checks of single arguments: each accepts a value or raises `InputError` in one line."""

import difflib
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from derivations.errors import InputError


def shown(value: object) -> str:
    """How an error line shows a value: its `repr`, on one line and of bounded length.

    Examples
    --------
    >>> print(shown(2.5), shown("a\\nb"), shown(list(range(100))))
    2.5 'a\\nb' [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16...
    """
    try:
        text = repr(value.item() if isinstance(value, np.generic) else value)
    except ValueError:  # CPython refuses to write out an integer of more than 4300 digits
        return "an integer of thousands of digits"
    text = " ".join(text.split())
    return text if len(text) <= 63 else text[:60] + "..."


def check_positive_integer(value: object, name: str) -> int:
    """Return `value` as an int if it is one of 1, 2, 3, ...

    Parameters
    ----------
    value : object
        A Python or NumPy integer. Booleans and floats are refused, integral ones too: `True` or
        `2.0` in the place of a width is more often a slip than a choice.
    name : str
        The argument's name, for the error line.

    Raises
    ------
    InputError
        When `value` is anything else.

    Examples
    --------
    >>> check_positive_integer(np.int32(64), "width")
    64
    >>> check_positive_integer(-3, "width")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: width must be a positive integer, got -3
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value > 0:
        return int(value)
    raise InputError(f"{name} must be a positive integer, got {shown(value)}")


def check_choice(value: object, name: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`; otherwise say which choice is spelled nearest.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        The argument's name, for the error line.
    choices : sequence of str
        What is accepted, in the order in which it is to be listed.

    Raises
    ------
    InputError
        When `value` is none of them.

    Examples
    --------
    >>> check_choice("sphere", "data", ("gaussian", "sphere"))
    'sphere'
    >>> check_choice("Gausian", "data", ("gaussian", "sphere"))
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: data must be one of gaussian, sphere, got 'Gausian':
    did you mean 'gaussian'?
    """
    if isinstance(value, str):
        if value in choices:
            return value
        spelled = {choice.lower(): choice for choice in choices}
        nearest = [
            spelled[match] for match in difflib.get_close_matches(value.lower(), spelled, n=1, cutoff=0.5)
        ]
    else:
        nearest = []
    hint = f": did you mean {nearest[0]!r}?" if nearest else ""
    raise InputError(f"{name} must be one of {', '.join(choices)}, got {shown(value)}{hint}")


def check_memory(n: int, columns: int, copies: int, what: str) -> None:
    """Refuse a float64 computation that the machine's available memory cannot hold.

    It needs 8 · n · columns · copies bytes. What counts as available is what the operating system
    reports, so a container's own limit is not seen.

    Parameters
    ----------
    n, columns : int
        Shape of one matrix.
    copies : int
        How many such matrices are alive at the same time.
    what : str
        What the matrix is, with its article: ``"a kernel"``.

    Raises
    ------
    InputError
        When more is needed than is available.

    Examples
    --------
    >>> check_memory(1000, 1000, 2, "a kernel")
    >>> check_memory(10**9, 10**9, 1, "a kernel")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: n = 1000000000 rows need a kernel of 7450580596.9 GiB, ... GiB are
    available; use fewer rows
    """
    import psutil

    needed = 8 * n * columns * copies
    available = psutil.virtual_memory().available
    if needed <= available:
        return
    # Decimal, because the quotient of two ints overflows a float from n = 1e154 on.
    size = f"{Decimal(needed) / 2**30:.1f} GiB"
    need = f"{what} of {size}" if copies == 1 else f"{size} for {copies} copies of {what}"
    raise InputError(
        f"n = {n} rows need {need}, {Decimal(available) / 2**30:.1f} GiB are available; use fewer rows"
    )
