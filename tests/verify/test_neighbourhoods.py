"""The bound from neighbourhoods: it holds, it is exact where it has to be, and it sees the rows that decide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from derivations import kernel_function, network
from derivations.errors import InputError
from verify import neighbourhoods
from verify.neighbourhoods import neighbourhood_bound


def clustered(seed: int, groups: int = 40, members: int = 6, d: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = np.repeat(rng.standard_normal((groups, d)), members, axis=0)
    return rng.permutation(centers + 0.05 * rng.standard_normal(centers.shape))


def by_brute_force(kernel: Callable[..., np.ndarray], X: np.ndarray, size: int) -> np.ndarray:
    """The smallest eigenvalue of each row's neighbourhood."""
    K = kernel(X)
    lengths = np.sqrt(np.diagonal(K))
    order = np.argsort(-np.abs(K / lengths / lengths[:, None]), axis=1)[:, :size]
    return np.array([np.linalg.eigvalsh(K[np.ix_(rows, rows)])[0] for rows in order])


@pytest.mark.parametrize("name", ["relu", "reglu", "silu", "bilinear", "gqu"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_bound_is_never_below_the_smallest_eigenvalue(name: str, size: int):
    kernel = kernel_function(network(name), width=9)
    X = clustered(seed=size, groups=20)
    values = np.linalg.eigvalsh(kernel(X))
    # Both sides are right to n eps lambda_1.
    assert neighbourhood_bound(kernel, X, size) >= values[0] - len(X) * 2.3e-16 * values[-1]


def test_neighbourhoods_of_all_rows_give_the_eigenvalue_itself():
    kernel = kernel_function(network("reglu"), width=9)
    X = clustered(seed=0, groups=8)
    assert neighbourhood_bound(kernel, X, size=500) == pytest.approx(
        np.linalg.eigvalsh(kernel(X))[0], rel=1e-9
    )


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_all_neighbourhoods_are_looked_at(size: int, monkeypatch: pytest.MonkeyPatch):
    kernel = kernel_function(network("reglu"), width=9)
    X = clustered(seed=size, members=2) * np.random.default_rng(0).uniform(0.5, 2, (80, 1))
    # Blocks that do not divide the rows.
    monkeypatch.setattr(neighbourhoods, "ROWS", 33)
    found = neighbourhood_bound(kernel, X, size, centers=len(X))
    assert found == pytest.approx(np.min(by_brute_force(kernel, X, size)), rel=1e-9)


def test_the_first_center_belongs_to_the_worst_pair(monkeypatch: pytest.MonkeyPatch):
    kernel = kernel_function(network("relu"), width=9)
    rng = np.random.default_rng(4)
    X = rng.standard_normal((80, 12)) * rng.uniform(0.5, 2, (80, 1))
    X[70] = X[50] + 1e-3 * rng.standard_normal(12)
    monkeypatch.setattr(neighbourhoods, "ROWS", 33)
    found = neighbourhood_bound(kernel, X, size=2, centers=1)
    assert found == pytest.approx(np.min(by_brute_force(kernel, X, 2)), rel=1e-9)


def test_the_nearest_rows_of_clusters_decide():
    kernel = kernel_function(network("relu"), width=9)
    X = clustered(seed=1)
    exact = np.linalg.eigvalsh(kernel(X))[0]
    assert exact < neighbourhood_bound(kernel, X, size=12, centers=32) < 1.5 * exact
    single = float(np.min(np.diagonal(kernel(X))))
    assert neighbourhood_bound(kernel, X, size=1, centers=len(X)) == pytest.approx(single, rel=1e-13)


def test_equal_and_opposite_rows_and_zeros_make_it_zero():
    X = clustered(seed=2)
    relu, sine = (kernel_function(network(name), width=9) for name in ("relu", "sin"))
    assert neighbourhood_bound(relu, [*X, X[5]]) == 0
    assert neighbourhood_bound(relu, [*X, np.zeros(12)]) == 0
    assert neighbourhood_bound(relu, [*X, -X[5]]) > 0
    # Odd: the rows of the kernel are opposite.
    assert neighbourhood_bound(sine, [*X, -X[5]], size=4) == 0


def test_rows_whose_kernel_leaves_float64_are_refused():
    kernel = kernel_function(network("reglu"), width=9)
    for scale, word in ((1e150, "long"), (1e-150, "short")):
        with pytest.raises(InputError, match=f"float64 holds the kernel, got rows too {word}"):
            neighbourhood_bound(kernel, scale * np.eye(3))


def test_progress_is_told():
    told = []
    kernel = kernel_function(network("relu"), width=9)
    neighbourhood_bound(kernel, clustered(seed=3), progress=lambda *what: told.append(what))
    assert told == [("neighbours", 0, 240)]


def test_sizes_out_of_range_are_refused():
    kernel = kernel_function(network("relu"), width=9)
    for size, centers in ((0, 1), (1, -1)):
        with pytest.raises(InputError, match="must be a positive integer"):
            neighbourhood_bound(kernel, np.eye(3), size, centers)
