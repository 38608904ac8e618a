"""How many threads a BLAS takes for products that are small, or that run in threads of ours."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager[object]:
    """A context in which no BLAS uses threads of its own: they would mostly wait for one another, spinning.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     (np.eye(2) @ np.ones(2)).tolist()
    [1.0, 1.0]
    """
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()
