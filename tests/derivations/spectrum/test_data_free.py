"""The bound without data: its moments are those of drawn rows, and it holds as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from derivations import InputError, kernel_function, network
from derivations.spectrum.data_free import data_free_bound, fourth_moments
from derivations.spectrum.gegenbauer import gegenbauer_expansion
from derivations.spectrum.harmonics import zonal


def sphere(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    X = rng.standard_normal(shape)
    return X * np.sqrt(shape[-1]) / np.linalg.norm(X, axis=-1)[..., None]


@pytest.mark.parametrize(("left_out", "loose"), [(0, 1.01), (1, 1.01), (2, 1.01), (4, 1.2)])
def test_fourth_moments_are_those_of_drawn_rows(left_out: int, loose: float) -> None:
    d, n, degrees = 3, 5, 60
    expansion = gegenbauer_expansion(network("reglu"), d, 4, degrees)
    tails, traces = fourth_moments(expansion, n)
    X = sphere(np.random.default_rng(0), (20_000, n, d))
    # The degrees beyond 60 count in the bound as if they were one: nothing to most means, a tenth to the last.
    Q = zonal(d, degrees, np.einsum("aik,ajk->aij", X, X) / d)
    H = np.einsum("k,kaij->aij", expansion.masses[left_out:], Q[left_out:]) * (1 - np.eye(n))
    squares = H @ H
    drawn = np.einsum("aij,aij->a", squares, squares)
    # Five standard errors from below, with the rest from above.
    error = 5 * np.std(drawn) / np.sqrt(len(drawn))
    assert np.mean(drawn) - error <= traces[left_out] <= loose * (np.mean(drawn) + error)
    assert tails[left_out] == pytest.approx(expansion.total - np.sum(expansion.masses[:left_out]), rel=1e-12)


@pytest.mark.parametrize(("name", "n", "d"), [("relu", 30, 20), ("reglu", 60, 30), ("gelu", 10, 40)])
def test_the_bound_holds_and_is_not_idle(name: str, n: int, d: int) -> None:
    kernel = kernel_function(network(name), width=16)
    rng = np.random.default_rng(1)
    true = [np.linalg.eigvalsh(kernel(sphere(rng, (n, d))))[0] for _ in range(40)]
    sure, half = (data_free_bound(name, n, d, 16, p) for p in (0.99, 0.5))
    assert 0 < sure < half
    # A fair coin falls on the same side at least 30 times of 40 with probability 1e-3, for a fixed seed once.
    assert np.sum(np.array(true) < half) <= 30
    assert np.sum(np.array(true) < sure) <= 4
    assert half > 0.05 * np.median(true)


@pytest.mark.parametrize("probability", [0, 1, -0.5, True])
def test_probabilities_out_of_range_are_refused(probability: float) -> None:
    with pytest.raises(InputError, match="probability must be above 0 and below 1"):
        data_free_bound("relu", 10, 10, 4, probability)
