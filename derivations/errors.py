"""The one exception that means "the caller's input is at fault"."""


class InputError(ValueError):
    """Bad input, told in one line: which argument, what was given, what would be right.

    The command line prints the line and exits with code 2; in Python it is an ordinary `ValueError`.

    Examples
    --------
    >>> raise InputError("width must be a positive integer, got -3")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: width must be a positive integer, got -3
    """
