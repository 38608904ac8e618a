"""The law of the spectrum against dense eigenvalues of kernels of random data."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from derivations import kernel_function, network
from derivations.errors import InputError
from derivations.spectrum import extremes, gegenbauer, law, spectrum_density, spectrum_law
from derivations.spectrum.reliability import expected_largest_cosine, extreme_cosines, nearest_pair
from derivations.spectrum.rows import blocks, gaussian_weights, weights_of

CASES = [
    ("relu", 300, 60, 64),
    ("reglu", 500, 60, 20),
    ("silu", 300, 100, 64),
    ("swiglu", 500, 100, 400),
    ("bilinear", 400, 60, 64),
    ("gqu", 400, 80, 100),
]
DRAWS = 3


def sample(kind: str, n: int, d: int, seed: int) -> np.ndarray:
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X if kind == "gaussian" else X * (np.sqrt(d) / np.linalg.norm(X, axis=1))[:, None]


@cache
def kernel(name: str, width: int):
    return kernel_function(network(name), width=width)


@cache
def eigenvalues(name: str, n: int, d: int, width: int, kind: str, seed: int) -> np.ndarray:
    return np.linalg.eigvalsh(kernel(name, width)(sample(kind, n, d, seed)))


def errors(case: tuple[str, int, int, int], kind: str) -> np.ndarray:
    """Mean over draws of the relative errors of lambda_min, lambda_max and the condition number."""
    name, n, d, width = case
    found = []
    for seed in range(DRAWS):
        data = kind if kind == "sphere" else np.linalg.norm(sample(kind, n, d, seed), axis=1)
        said = spectrum_law(name, n, d, width, data)
        values = eigenvalues(name, n, d, width, kind, seed)
        exact = np.array([values[0], values[-1], values[-1] / values[0]])
        found.append(np.array([said.lambda_min, said.lambda_max, said.condition_number]) / exact - 1)
        assert said.nearest_pair <= law.LARGEST_PAIR
    return np.mean(found, axis=0)


# Draws deviate by 1 % on the sphere and, where the shortest rows decide, by 4 % on Gaussian data (see the benchmark):
# three standard errors of a mean of three draws, and biases of 1 %, of bilinear networks 2 %.
LIMITS = {"sphere": 0.04, "gaussian": 0.08}


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_extreme_eigenvalues_are_those_of_random_data(case: tuple, kind: str):
    assert np.max(np.abs(errors(case, kind))) < LIMITS[kind]


def test_all_cases_together_are_right_to_two_per_cent():
    sizes = np.abs([errors(case, kind) for case in CASES for kind in LIMITS])
    assert np.all(np.median(sizes, axis=0) < 0.02)


@pytest.mark.parametrize(
    ("plain", "gated"), [("relu", "reglu"), ("silu", "swiglu"), ("identity", "bilinear")]
)
def test_a_gate_improves_the_spectrum_as_it_is_proved_to(plain: str, gated: str):
    # Schur and Oppenheim, for any data on the sphere: the gated kernel is the Gram matrix times that of width m + d.
    for n, d, width in ((50, 100, 1), (300, 60, 1000), (5000, 80, 20), (10**6, 200, 4000)):
        wider, ours = spectrum_law(plain, n, d, width + d), spectrum_law(gated, n, d, width)
        assert ours.lambda_min >= wider.lambda_min
        assert ours.lambda_max <= wider.lambda_max


def planted_mass(monkeypatch):
    true = gegenbauer.both_masses

    def wrong(*arguments):
        value, slope = true(*arguments)
        return value * np.where(np.arange(len(value)) == 1, 1.2, 1), slope

    monkeypatch.setattr(gegenbauer, "both_masses", wrong)


def planted_width(monkeypatch):
    monkeypatch.setattr(gegenbauer, "block_weights", lambda network, d, width: (float(width), 1.1 * d))


@pytest.mark.parametrize("plant", [planted_mass, planted_width])
def test_eigenvalues_see_a_planted_error(plant, monkeypatch):
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        test_extreme_eigenvalues_are_those_of_random_data(CASES[0], "sphere")


def test_lengths_that_enter_every_degree_alike_are_seen_to_be_wrong(monkeypatch):
    case = ("swiglu", 500, 100, 400)

    def uncoupled(network, expansion, n, width, rows):
        return extremes.homogeneous_extremes(expansion, n, rows)

    monkeypatch.setattr(law, "coupled_extremes", uncoupled)
    with pytest.raises(AssertionError):
        test_extreme_eigenvalues_are_those_of_random_data(case, "gaussian")


@pytest.mark.parametrize("kind", ["sphere", "gaussian"])
@pytest.mark.parametrize("n", [1275, 1400, 10**6])
def test_more_rows_than_dimensions_make_a_kernel_singular(kind: str, n: int):
    said = spectrum_law("bilinear", n, 50, 10, kind)  # 50 * 51 / 2 products of two coordinates
    assert said.lambda_min == 0
    assert said.condition_number == np.inf


@pytest.mark.parametrize("kind", ["sphere", "gaussian"])
@pytest.mark.parametrize("d", [2, 3, 7, 50])
def test_the_last_dimension_counts(d: int, kind: str):
    dimensions = d * (d + 1) // 2
    found = [spectrum_law("bilinear", n, d, 10, kind).lambda_min > 0 for n in (dimensions - 1, dimensions)]
    assert found == [True, False]


def test_one_row_far_shorter_and_one_far_longer_than_all_others_are_the_extremes():
    X = sample("gaussian", 300, 60, 0)
    X[0] *= 1e-3
    X[1] *= 1e3
    for name in ("relu", "reglu"):
        values = np.linalg.eigvalsh(kernel(name, 7)(X))
        said = spectrum_law(name, 300, 60, 7, X)
        # A single row's eigenvalue is t b with a deviation of a few per cent.
        assert said.lambda_min == pytest.approx(values[0], rel=0.08)
        assert said.lambda_max == pytest.approx(values[-1], rel=0.08)


def test_a_singular_kernel_is_so_in_fact():
    values = eigenvalues("bilinear", 250, 20, 10, "gaussian", 0)  # 210 dimensions
    assert abs(values[39]) < 1e-12 * values[-1] < values[40]


@pytest.mark.parametrize("kind", ["sphere", "gaussian"])
@pytest.mark.parametrize("name", ["relu", "swiglu"])
def test_lengths_without_data_stand_for_those_of_data(name: str, kind: str):
    n, d, width = 2000, 100, 100
    without = spectrum_law(name, n, d, width, kind)
    with_data = [spectrum_law(name, n, d, width, sample(kind, n, d, seed)) for seed in range(4)]
    assert {said.data for said in with_data} == {"given"}
    # The shortest of 2000 rows varies by 3 % in |x|^2, the smallest eigenvalue by up to 15 %.
    assert np.mean([said.lambda_min for said in with_data]) == pytest.approx(without.lambda_min, rel=0.15)
    assert np.mean([said.lambda_max for said in with_data]) == pytest.approx(without.lambda_max, rel=0.02)


def test_a_single_row_has_its_diagonal():
    X = np.array([[1.0, 2.0, 2.0]])
    for name in ("relu", "reglu", "bilinear"):
        exact = kernel_function(network(name), width=5)(X)[0, 0]
        said = spectrum_law(name, 1, 3, 5, X)
        assert said.lambda_min == said.lambda_max == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("name", ["swiglu", "silu"])
def test_a_single_row_of_any_length_has_its_diagonal(name: str):
    X = np.array([[1.0, 2.0, 2.5]])
    exact = kernel_function(network(name), width=5)(X)[0, 0]
    assert spectrum_law(name, 1, 3, 5, X).lambda_max == pytest.approx(exact, rel=1e-9)


def test_sizes_up_to_a_billion_rows_have_a_law():
    for n, d in ((10**9, 10**4), (10**9, 50), (2, 10**4), (40, 2), (10**4, 3)):
        for name in ("relu", "swiglu", "gqu"):
            for kind in ("sphere", "gaussian"):
                if d < 50 and name == "swiglu":
                    continue  # an analytic kernel of a crowded sphere is singular to rounding
                said = spectrum_law(name, n, d, 100, kind)
                assert 0 < said.lambda_min < said.lambda_max < np.inf


def test_near_pairs_are_flagged():
    X = sample("sphere", 300, 50, 0)
    assert spectrum_law("relu", 300, 50, 64, X).reliable
    said = spectrum_law("relu", 301, 50, 64, np.vstack([X, X[:1]]))
    assert said.nearest_pair == pytest.approx(1)
    assert not said.reliable
    assert not spectrum_law("relu", 1000, 5, 64).reliable
    # Opposite rows are equal to an even kernel.
    assert spectrum_law("bilinear", 101, 50, 64, np.vstack([X[:100], -X[:1]])).nearest_pair == pytest.approx(
        1
    )


def test_chance_is_flagged():
    # 1275 dimensions for 1250 rows: Marchenko and Pastur's edge is all but 0.
    said = spectrum_law("bilinear", 1250, 50, 64)
    assert said.fluctuation > 0.15
    assert not said.reliable


def test_the_flag_tells_where_the_law_is_wrong():
    # At d = 5 a pair decides: the truth lies far below.
    said = spectrum_law("relu", 400, 5, 64)
    values = eigenvalues("relu", 400, 5, 64, "sphere", 0)
    assert said.lambda_min > 2 * values[0]
    assert not said.reliable


def test_the_nearest_pair_of_a_polynomial_is_a_ratio_of_its_values():
    found = gegenbauer.gegenbauer_expansion(network("bilinear"), 50, 64, 6)  # c rho^2
    rho = np.array([0.6])
    above = (rho**2 - 1 / 50) / (1 - 1 / 50)  # without degree 0
    assert nearest_pair(found, 40, rho) == pytest.approx(above[0])


def test_the_expected_largest_cosine_is_a_median():
    n, d, draws = 60, 8, 400
    largest = [extreme_cosines(sample("sphere", n, d, seed))[0] for seed in range(draws)]
    below = np.mean(np.array(largest) < expected_largest_cosine(n, d))
    assert abs(below - 0.5) < 5 * 0.5 / np.sqrt(draws)  # five standard errors


def test_extreme_cosines_are_those_of_all_pairs(monkeypatch):
    X = sample("gaussian", 23, 4, 1)
    cosines = [x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in combinations(X, 2)]
    monkeypatch.setattr("derivations.spectrum.reliability.ROWS", 7)
    np.testing.assert_allclose(extreme_cosines(X), [max(cosines), min(cosines)], rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 39, 40, 41, 1000, 123_457])
def test_blocks_cover_all_rows_once_and_leave_the_extreme_ones_single(n: int):
    edges = blocks(n)
    assert edges[0] == 0
    assert edges[-1] == n
    assert np.all(np.diff(edges) >= 1)
    single = min(n // 2, 10)
    np.testing.assert_array_equal(np.diff(edges)[:single], np.ones(single))
    np.testing.assert_array_equal(np.diff(edges)[-single:][:single], np.ones(single))


def test_weights_keep_the_mean_and_the_extremes():
    p = np.random.default_rng(0).uniform(0.5, 2, 5000)
    rows = weights_of(p, 2)
    assert rows.mean == pytest.approx(np.mean(p**2))
    assert rows.values[0] == pytest.approx(np.min(p) ** 2)
    assert rows.values[-1] == pytest.approx(np.max(p) ** 2)


def test_quantiles_stand_for_gaussian_rows():
    n, d, draws = 300, 40, 400
    p = np.sort(np.random.default_rng(0).chisquare(d, (draws, n)) / d, axis=1)
    rows = gaussian_weights(n, d, 1)
    # Medians of the extremes, whose deviations are 0.05: five standard errors of a median, 1.25 / sqrt(draws) each.
    tolerance = 5 * 1.25 * 0.06 / np.sqrt(draws)
    assert rows.values[0] == pytest.approx(np.median(p[:, 0]), abs=tolerance)
    assert rows.values[-1] == pytest.approx(np.median(p[:, -1]), abs=tolerance)
    assert rows.mean == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("name", ["relu", "reglu", "bilinear", "gqu", "silu", "swiglu", "tanh"])
@pytest.mark.parametrize("kind", ["sphere", "gaussian"])
def test_the_density_is_that_of_random_data(name: str, kind: str):
    n, d, width = 700, 40, 64
    X = sample(kind, n, d, 0)
    found = spectrum_density(name, n, d, width, kind if kind == "sphere" else X)
    assert found.mass == pytest.approx(1, abs=4e-3)
    assert found.mean == pytest.approx(found.trace, rel=4e-3)
    values = eigenvalues(name, n, d, width, kind, 0)[:-1]
    # Kolmogorov and Smirnov's distance; for independent draws it would be 0.05.
    assert np.max(np.abs(found.cumulative(values) - (np.arange(n - 1) + 0.5) / n)) < 0.015


def test_the_density_sees_a_wrong_width():
    found = spectrum_density("relu", 700, 40, 80)
    values = eigenvalues("relu", 700, 40, 64, "sphere", 0)[:-1]
    assert np.max(np.abs(found.cumulative(values) - (np.arange(699) + 0.5) / 700)) > 0.03


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("relu", 10, 1, 5), "d must be at least 2"),
        (("relu", 0, 5, 5), "n must be a positive integer"),
        (("relu", 10, 5), "width must be a positive integer"),
        (("relu", 10, 5, 5, "cube"), "data must be one of sphere, gaussian"),
        (("relu", 10, 5, 5, np.ones(9)), "10 lengths or have shape"),
        (("relu", 10, 5, 5, np.ones((10, 4))), "10 lengths or have shape"),
        (("relu", 2, 2, 5, np.array([[0.0, 0.0], [1.0, 0.0]])), "positive length"),
        (("relu", 10, 5, 5, np.full(10, np.nan)), "finite"),
        (("relu", 10**9, 3, 5), "n must be at most"),
        (("step", 10, 5, 5), "continuous"),
        ((network(expression="1 + z/10**20"), 10, 5, 5), "constant"),
        ((network(expression="10**30*10**30*z"), 10, 5, 5), "within 1e-100"),
        (("silu", 2, 2, 5, np.array([1e-9, 1.0])), "within a factor"),
        ((network("relu", variances="symbolic"), 10, 5, 5), "variances"),
        (("regul", 10, 5, 5), "did you mean"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple, reason: str):
    with pytest.raises(InputError, match=reason) as error:
        spectrum_law(*arguments)
    assert "\n" not in str(error.value)


def test_features_that_are_no_degrees_of_their_own_are_seen(monkeypatch):
    # At d = 10 the second features of low degrees have a tenth of what most eigenvalues have.
    n, d, width = 600, 10, 10
    X = sample("gaussian", n, d, 0)
    values = eigenvalues("sigmoid", n, d, width, "gaussian", 0)[:-1]

    def distance() -> float:
        found = spectrum_density("sigmoid", n, d, width, X)
        return float(np.max(np.abs(found.cumulative(values) - (np.arange(n - 1) + 0.5) / n)))

    assert distance() < 0.05
    monkeypatch.setattr("derivations.spectrum.coupled_density.NEGLIGIBLE", 0.05)
    assert distance() > 0.2


def test_a_density_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="n must be at least 2"):
        spectrum_density("relu", 1, 50, 5)


def test_the_ntk_parametrization_needs_no_width():
    n, d = 300, 60
    X = sample("sphere", n, d, 0)
    values = np.linalg.eigvalsh(kernel_function(network("reglu", parametrization="ntk"))(X))
    said = spectrum_law(network("reglu", parametrization="ntk"), n, d)
    assert said.lambda_min == pytest.approx(values[0], rel=0.03)
    assert said.lambda_max == pytest.approx(values[-1], rel=0.03)


def test_millions_of_dimensions_leave_the_diagonal_alone():
    # No degree is felt: all eigenvalues are near the diagonal, which lengths change by 1e-4 each way.
    for name in ("relu", "swiglu", "tanh"):
        law = spectrum_law(name, 10, 10**8, 10, "gaussian")
        assert law.condition_number == pytest.approx(1, abs=2e-3)
        assert law.lambda_max == pytest.approx(spectrum_law(name, 10, 10**8, 10).lambda_max, rel=2e-3)


def test_biases_are_refused():
    with pytest.raises(InputError, match="bias_variance must be 0 for a law of the spectrum"):
        spectrum_law(network("relu", bias_variance=0.1), 100, 20, 10)


@pytest.mark.parametrize("length", [1e-16, 1e16, 1e200])
def test_lengths_whose_powers_leave_float64_are_refused(length: float):
    X = length * sample("sphere", 5, 3, 0) / np.sqrt(3)
    with pytest.raises(InputError, match="data must have lengths from 1e-15 to 1e"):
        spectrum_law("relu", 5, 3, 4, X)


@pytest.mark.parametrize("scale", [1e-14, 1e14])
def test_extreme_lengths_within_the_range_scale_the_law(scale: float):
    # Homogeneous of degree 3 in each row.
    X = sample("gaussian", 50, 30, 0)
    plain, scaled = (spectrum_law("gqu", 50, 30, 4, factor * X) for factor in (1.0, scale))
    assert scaled.lambda_min == pytest.approx(scale**6 * plain.lambda_min, rel=1e-9)
    assert scaled.lambda_max == pytest.approx(scale**6 * plain.lambda_max, rel=1e-9)
