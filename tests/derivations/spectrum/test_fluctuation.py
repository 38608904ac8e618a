"""How much the smallest eigenvalue varies, against draws of kernels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaincinv, polygamma

from derivations import kernel_function, network
from derivations.spectrum import fluctuation, spectrum_law
from derivations.spectrum.extremes import homogeneous_extremes
from derivations.spectrum.fluctuation import cosine_deviation, length_deviation
from derivations.spectrum.problem import problem
from derivations.spectrum.rows import gaussian_slopes, gaussian_weights

DRAWS = 30
# A deviation of 30 draws is known to 13 %, and the estimate, a heuristic, to a factor of 1.4 (see the benchmark).
FACTOR = 1.4 * (1 + 2 * 0.13)

CASES = [("reglu", 300, 100, 500), ("gqu", 200, 150, 500), ("swiglu", 250, 40, 100)]
SEVERAL_SHORT = [case for case in CASES if case[0] != "gqu"]
"""Where one row decides alone, its level hardly varies: the estimate is several times too high there."""


def smallest(name: str, width: int, samples: list[np.ndarray]) -> np.ndarray:
    kernel = kernel_function(network(name), width=width)
    return np.array([np.linalg.eigvalsh(kernel(X))[0] for X in samples])


@pytest.mark.parametrize(("name", "n", "d", "width"), CASES)
def test_it_is_that_of_draws_of_gaussian_rows(name: str, n: int, d: int, width: int):
    rng = np.random.default_rng(0)
    said = spectrum_law(name, n, d, width, "gaussian").fluctuation
    found = smallest(name, width, [rng.standard_normal((n, d)) for _ in range(DRAWS)])
    assert 1 / FACTOR < said / np.std(np.log(found)) < FACTOR


@pytest.mark.parametrize(("name", "n", "d", "width"), SEVERAL_SHORT)
def test_given_lengths_leave_the_fluctuation_of_directions(name: str, n: int, d: int, width: int):
    rng = np.random.default_rng(1)
    lengths = np.linalg.norm(rng.standard_normal((n, d)), axis=1)
    directions = [rng.standard_normal((n, d)) for _ in range(DRAWS)]
    found = smallest(name, width, [X * (lengths / np.linalg.norm(X, axis=1))[:, None] for X in directions])
    given = spectrum_law(name, n, d, width, lengths).fluctuation
    assert 1 / FACTOR < given / np.std(np.log(found)) < FACTOR
    assert given < 0.6 * spectrum_law(name, n, d, width, "gaussian").fluctuation


@pytest.mark.parametrize("part", ["cosine_deviation", "length_deviation"])
def test_both_parts_are_needed(part: str, monkeypatch):
    monkeypatch.setattr(f"derivations.spectrum.law.{part}", lambda *arguments: 0.0)
    test = {
        "cosine_deviation": test_given_lengths_leave_the_fluctuation_of_directions,
        "length_deviation": test_it_is_that_of_draws_of_gaussian_rows,
    }[part]
    with pytest.raises(AssertionError):
        test(*CASES[-1])


def test_slopes_are_those_of_the_quantiles():
    n, d = 400, 30
    rows = gaussian_weights(n, d, 1)
    # Between neighbouring single rows, from the fifth on.
    numeric = np.diff(np.log(rows.values[:20])) / np.diff(np.log(np.arange(20) + 0.69))
    middle = (gaussian_slopes(n, d)[:19] + gaussian_slopes(n, d)[1:20]) / 2
    # The slope bends with log u: its mean over a step misses by the step squared over 8 or so.
    np.testing.assert_allclose(middle[4:], numeric[4:], rtol=2e-3)


def test_one_row_that_decides_varies_by_its_own_length():
    # One gate more and fewer rows: the shortest is alone, and log lambda_n varies like h log p of the shortest.
    n, d = 200, 150
    asked = problem("gqu", n, d, 500, "gaussian")
    edge = homogeneous_extremes(asked.expansion, n, asked.rows).lower
    assert edge is not None
    slopes = asked.power * gaussian_slopes(n, d)
    said = length_deviation(edge, asked.rows.shares, n, slopes)
    # The share of all others in the eigenvector: the sum of them varies less than in proportion.
    others = 1 - edge.eigenvector[0] / (n * asked.rows.shares @ edge.eigenvector)
    alone = slopes[0] * np.sqrt(polygamma(1, 1) - polygamma(1, n + 1))
    assert others < 0.005
    assert said == pytest.approx(alone * edge.levels[0] / edge.z, rel=2 * others)
    # With the smallest of n uniform numbers 1 - exp(-e/n), e exponential: exactly, by quadrature in log e.
    log_e = np.linspace(-40, 6, 10**5)
    weight = np.exp(log_e - np.exp(log_e))
    log_p = np.log(gammaincinv(d / 2, -np.expm1(-np.exp(log_e) / n)))
    mean = np.average(log_p, weights=weight)
    exact = asked.power * np.sqrt(np.average((log_p - mean) ** 2, weights=weight))
    # The delta method neglects how the slope changes over the spread, which makes it too high: measured 5.4 %.
    assert exact < said < 1.06 * exact


def test_moments_are_those_of_cosines_below_the_largest():
    n, d = 300, 40
    asked = problem("relu", n, d, 100)
    rng = np.random.default_rng(0)
    z = rng.standard_normal((10**6, d))
    cosine = z[:, 0] / np.linalg.norm(z, axis=1)
    second, fourth = fluctuation._moments(asked.expansion, 0.01, n)
    masses = asked.expansion.masses / (1 + asked.expansion.eigenvalues(n) * 0.01)
    masses[0] = 0.0
    kept = np.abs(cosine) < fluctuation.median_largest_cosine(n, d)
    h = fluctuation.zonal(d, len(masses) - 1, cosine[kept])
    h = masses @ h
    # Relative standard errors of means of a million h^2 and h^4, five of them.
    for power, said in ((2, second), (4, fourth)):
        values = h**power
        assert abs(said - values.mean()) < 5 * values.std() / np.sqrt(len(values))


def test_equal_rows_hardly_feel_heavy_tails():
    asked = problem("relu", 800, 50, 1)
    found = homogeneous_extremes(asked.expansion, 800, asked.rows)
    assert found.lower is not None
    assert cosine_deviation(asked.expansion, found.lower, found.rows, 800) < found.fluctuation
