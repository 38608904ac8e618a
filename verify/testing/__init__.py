r"""Assert a paper's own formulas in a paper's own test suite, in two lines.

.. code-block:: python

    from hypothesis import given
    from verify.testing import assert_bound_holds, assert_kernel_matches_networks, data_matrices, widths

    def test_my_kernel():
        assert_kernel_matches_networks(my_kernel, "reglu")

    @given(X=data_matrices(), m=widths())
    def test_my_lower_bound(X, m):
        K = my_kernel(X, m)
        values = np.linalg.eigvalsh(K)
        assert_bound_holds(my_bound(X, m), values[0], rounding=len(K), scale=values[-1])

**Strategies** draw the data that break formulas (`verify.testing.strategies`; Hypothesis is needed:
``pip install 'gluntk[testing]'``): `data_matrices`, `sphere_matrices`, `unit_rows`, `widths`, `dimensions`.

**Assertions** say when a claim is false, and how sure that is (`verify.testing.assertions`, and
`verify.testing.networks` for the statistical one). They need no Hypothesis:

================================== ======================== ===============================================
assertion                          a true claim fails       a false claim passes
================================== ======================== ===============================================
`assert_kernel_matches_networks`   with probability         with probability 1 % at most if the whole kernel
                                   `alpha`, 1e-6            is wrong by `detect`, 0.5 %; see its table
`assert_bound_holds`               never, if `rounding`     only within rounding eps scale
                                   is what its author says
`assert_positive_semidefinite`     never, if entries are    only if its unit-diagonal form has no eigenvalue
                                   right to `rounding`      below -2 (n + rounding) n eps
`assert_symmetric_in_rows`         never, likewise          only within rounding eps sqrt(K_ii K_jj), or on
                                                            other data
================================== ======================== ===============================================

The last three judge the data that they are given and no other: what they miss depends on how hostile those are.

An assertion about an empty set, or one that could not have failed, is an error and not a success: the first
raises `InputError`, the second `Inconclusive`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.testing.assertions import (
        assert_bound_holds,
        assert_positive_semidefinite,
        assert_symmetric_in_rows,
    )
    from verify.testing.networks import Agreement, Inconclusive, assert_kernel_matches_networks
    from verify.testing.strategies import data_matrices, dimensions, sphere_matrices, unit_rows, widths

# Loaded on first use: the assertions must work where Hypothesis is not installed.
_HOME = {
    "Agreement": "networks",
    "Inconclusive": "networks",
    "assert_bound_holds": "assertions",
    "assert_kernel_matches_networks": "networks",
    "assert_positive_semidefinite": "assertions",
    "assert_symmetric_in_rows": "assertions",
    "data_matrices": "strategies",
    "dimensions": "strategies",
    "sphere_matrices": "strategies",
    "unit_rows": "strategies",
    "widths": "strategies",
}

__all__ = [
    "Agreement",
    "Inconclusive",
    "assert_bound_holds",
    "assert_kernel_matches_networks",
    "assert_positive_semidefinite",
    "assert_symmetric_in_rows",
    "data_matrices",
    "dimensions",
    "sphere_matrices",
    "unit_rows",
    "widths",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
