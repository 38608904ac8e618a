"""Bounds of eigenvalues: they hold to the last digit on hostile data, are tight on random data, exact where they say so."""

from __future__ import annotations

from functools import cache

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bounds as measured
from derivations import InputError, kernel_function, network
from verify.activations import Array
from verify.bounds import (
    MODES,
    Cosines,
    SharedPower,
    SpectrumBounds,
    dense,
    ends,
    entries,
    family,
    inner,
    interval,
    kernel_bounds,
    powers,
    spectrum_bounds,
    split,
)
from verify.bounds.ends import largest_end, smallest_end
from verify.bounds.rounding import entry_error
from verify.bounds.singular import dimensions, why_singular
from verify.testing import data_matrices

SLACK = mpmath.mpf(10) ** -50
"""Of the largest eigenvalue: the oracle computes in 120 digits, and the angle of equal rows is right to half of them."""


def exactly_violated(case: measured.Case, modes: tuple[str, ...] = MODES) -> list[str]:
    """Modes whose intervals do not hold the eigenvalues in 120 digits."""
    low, high = measured.exact_values(case)
    found = measured.intervals(case, modes)
    return [mode for mode, one in found.items() if measured.violated(one, low, high, SLACK * high)]


@pytest.mark.parametrize("index", range(24))
def test_intervals_hold_the_eigenvalues_of_the_exact_kernel(index: int) -> None:
    # Three cases of every kind of data; the benchmark has hundreds.
    case = measured.draw(index, measured.SMALL)
    if case.X.any(axis=1).all():  # the formulas have the norms in denominators
        assert exactly_violated(case) == []


@settings(max_examples=25, deadline=None)
@given(
    X=data_matrices(n=(1, 4), d=(1, 3), norms=(1e-3, 30.0), zero_rows=False),
    width=st.sampled_from([1, 64]),
    name=st.sampled_from(["relu", "reglu", "erf", "bilinear", "abs"]),
)
def test_intervals_hold_on_arbitrary_rows(X: Array, width: int, name: str) -> None:
    assert exactly_violated(measured.Case("arbitrary", name, width, X)) == []


@settings(max_examples=30, deadline=None)
@given(
    X=data_matrices(n=(1, 12), d=(2, 4), norms=(1e-3, 30.0)),
    width=st.sampled_from([1, 100]),  # formulas are compiled for a width and a dimension
    name=st.sampled_from(["relu", "reglu", "gelu", "sin"]),
    mode=st.sampled_from(MODES),
)
def test_intervals_hold_dense_eigenvalues(X: Array, width: int, name: str, mode: str) -> None:
    case = measured.Case("arbitrary", name, width, X)
    low, high, slack = measured.dense_values(case)
    found = measured.intervals(case, (mode,))[mode]
    assert not measured.violated(found, low, high, slack)


def test_tightened_bounds_are_caught() -> None:
    caught = total = 0
    for index in range(0, 40, 5):
        case = measured.Case("random", "reglu", 64, np.random.default_rng(index).standard_normal((8, 50)))
        low, high = measured.exact_values(case)
        for found in measured.intervals(case).values():
            (least, below), (above, most) = found.lambda_min, found.lambda_max
            for wrong in (
                ((below * 1.001, below * 1.002), (above, most)),
                ((least, least * 0.99), (above, most)),
                ((least, below), (most * 1.001, most * 1.002)),
                ((least, below), (above * 0.98, above * 0.99)),
            ):
                total += 1
                planted = SpectrumBounds(*wrong, found.n, found.mode, None)
                caught += measured.violated(planted, low, high, SLACK * high)
    assert caught == total


def test_lower_bounds_a_few_per_cent_too_high_are_caught() -> None:
    # Of random rows in two modes: the one that is nearly exact, and the one with two eigenproblems.
    for index in range(5):
        X = np.random.default_rng(index).standard_normal((8, 50))
        case = measured.Case("random", "relu", 64, X)
        low, high = measured.exact_values(case)
        for mode, found in measured.intervals(case, ("dense", "family")).items():
            planted = SpectrumBounds((found.lambda_min[0] * 1.03, np.inf), found.lambda_max, 8, mode, None)
            assert measured.violated(planted, low, high, SLACK * high)


@pytest.mark.parametrize("kind", ["near duplicate", "duplicate"])
def test_without_error_terms_near_duplicates_break_the_bounds(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (dense, ends, entries, family, inner, interval, powers, split):
        for name in ("gamma", "entry_error", "cosine_error"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lambda *_: 0.0)
        if hasattr(module, "UNIT"):
            monkeypatch.setattr(module, "UNIT", 0.0)
        if hasattr(module, "why_singular"):
            monkeypatch.setattr(module, "why_singular", lambda *_: None)
    broken = 0
    for index in range(list(measured.KINDS).index(kind), 48, len(measured.KINDS)):
        case = measured.draw(index, measured.SMALL)
        try:
            broken += bool(exactly_violated(case, ("none", "dense")))
        except AssertionError:  # the ends have crossed
            broken += 1
    assert broken >= 3


@cache
def random_cases() -> list[tuple[Array, str, int]]:
    rng = np.random.default_rng(3)
    cases = []
    for name in ("relu", "reglu", "gelu", "geglu", "gqu"):
        for n, d in ((40, 50), (120, 50), (100, 100), (150, 80)):
            X = rng.standard_normal((n, d))
            if rng.integers(2):
                X *= np.sqrt(d) / np.linalg.norm(X, axis=1)[:, None]
            cases.append((X, name, int(rng.choice([1, 64, 1024]))))
    return cases


@pytest.mark.parametrize(("mode", "least"), [("shared", 0.75), ("family", 0.97), ("dense", 0.9999)])
def test_lower_bounds_are_tight_on_random_rows(mode: str, least: float) -> None:
    ratios = []
    for X, name, width in random_cases():
        true = np.linalg.eigvalsh(measured.kernel(name, width)(X))
        found = measured.intervals(measured.Case("random", name, width, X), (mode,))[mode]
        ratios.append(found.lambda_min[0] / true[0])
        # Krylov vectors from the nearest rows, or those of two other widths, are next to the eigenvectors.
        assert found.lambda_min[1] <= 1.05 * true[0]
        assert 0.98 * true[-1] <= found.lambda_max[0]
    assert max(ratios) <= 1 + 1e-9
    assert np.median(ratios) >= least


def test_one_eigenproblem_serves_all_networks_and_widths(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).standard_normal((40, 50))
    shared = SharedPower(Cosines(X))
    solved = []
    power_ends = powers.power_ends

    def counted(cosines: Cosines, degree: int, t: Array) -> powers.PowerEnds:
        solved.append(degree)
        return power_ends(cosines, degree, t)

    monkeypatch.setattr(powers, "power_ends", counted)
    for name, width in (("relu", 1), ("relu", 1000), ("gelu", 30), ("abs", 7)):
        kernel_bounds(measured.kernel(name, width), X, "shared", shared=shared)
    assert solved == [2]


@pytest.mark.parametrize("mode", MODES)
def test_singular_kernels_have_exact_zeros(mode: str) -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((6, 4))
    for name, rows, why in (
        ("silu", [*X, X[2]], "row 6 repeats row 2"),
        ("relu", [*X, 3 * np.round(X[2], 2), np.round(X[2], 2)], None),
        ("relu", [*X, [1.0, 2.0, 0.0, 3.0], [3.0, 6.0, 0.0, 9.0]], "row 7 is a multiple of row 6"),
        ("abs", [*X, -X[1]], "row 6 is a multiple of row 1"),
        ("tanh", [*X, -X[1]], "row 6 is opposite to row 1, and the activation odd"),
        ("reglu", [*X, np.zeros(4)], "row 6 is zero, and so is its kernel"),
        ("bilinear", np.round(4 * rng.standard_normal((8, 2))) @ [[1, 2, 0, 1], [0, 1, -1, 3]],
         "its degrees span at most 3 dimensions, and there are 8 rows"),
        ("bilinear", rng.standard_normal((11, 4)), "its degrees span at most 10 dimensions, and there are 11 rows"),
    ):  # fmt: skip
        found = spectrum_bounds(name, np.array(rows), width=3, mode=mode)
        if why is None:
            assert found.lambda_min[1] < 1e-6 * found.lambda_max[0]
            continue
        assert found.singular == why
        assert found.lambda_min == (0.0, 0.0)
        assert found.condition_number == (np.inf, np.inf)
        assert 0 < found.lambda_max[0] <= found.lambda_max[1] < np.inf


@pytest.mark.parametrize("mode", MODES)
def test_rows_that_are_only_nearly_parallel_are_not_called_so(mode: str) -> None:
    x = np.array([1.0, 2.0, 5.0])
    y = np.array([3.0, 6.0, np.nextafter(15.0, 16.0)])
    found = spectrum_bounds("relu", [x, y], width=3, mode=mode)
    assert found.singular is None
    assert found.lambda_min[0] >= 0
    assert found.lambda_min[1] > 0
    opposite = spectrum_bounds("relu", [x, -x], width=3, mode=mode)
    assert opposite.singular is None
    assert opposite.lambda_min[0] > 0


@pytest.mark.parametrize("mode", MODES)
def test_one_row_has_its_kernel_as_both_eigenvalues(mode: str) -> None:
    found = spectrum_bounds("relu", [[3.0, 4.0]], width=4, mode=mode)
    # (m/2 + d/2) |x|^2 / d
    for low, high in (found.lambda_min, found.lambda_max):
        assert low <= 37.5 <= high <= low * (1 + 1e-11)
    assert found.condition_number[0] <= 1 <= found.condition_number[1] <= 1 + 1e-11
    zero = spectrum_bounds("relu", [[0.0, 0.0]], width=4, mode=mode)
    assert zero.lambda_min == zero.lambda_max == (0.0, 0.0)
    assert zero.condition_number == (np.inf, np.inf)


@pytest.mark.parametrize("scale", [1e-150, 1e-70, 1e70, 1e150])
@pytest.mark.parametrize("mode", MODES)
def test_extreme_lengths_scale_the_intervals(scale: float, mode: str) -> None:
    X = np.random.default_rng(2).standard_normal((12, 20))
    unit, scaled = (spectrum_bounds("relu", factor * X, width=4, mode=mode) for factor in (1.0, scale))
    for name in ("lambda_min", "lambda_max"):
        # Rows times a power of ten that is no power of two: their roundings move what the error terms allow.
        expected = np.array(getattr(unit, name)) * scale * scale
        assert getattr(scaled, name) == pytest.approx(expected, rel=1e-9)
    tiny = spectrum_bounds("reglu", 1e-150 * X, width=4, mode=mode)
    assert tiny.lambda_min[0] == 0
    assert tiny.lambda_max[1] < 1e-300
    with pytest.raises(InputError, match="rows too long"):
        spectrum_bounds("reglu", 1e150 * X, width=4, mode=mode)


def test_rows_of_very_different_lengths_keep_their_digits() -> None:
    X = np.random.default_rng(2).standard_normal((12, 20)) * 10.0 ** np.linspace(-6, 6, 12)[:, None]
    found = spectrum_bounds("relu", X, width=4)
    low, high = found.lambda_min
    # The eigenvalue is 1e-24 of the largest, where eigenvalues of the matrix itself are rounding.
    assert 0 < low <= high <= 10 * low
    assert high < 1e-20 * found.lambda_max[0]


def test_kept_and_streamed_entries_give_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(1).standard_normal((130, 30))
    kernel = measured.kernel("reglu", 64)
    kept = kernel_bounds(kernel, X, "none")
    for module in (entries, inner, interval, split):
        monkeypatch.setattr(module, "KEPT", 129)
    monkeypatch.setattr(entries, "COMPUTED", 64)
    streamed = kernel_bounds(kernel, X, "none")
    # Fewer degrees and power steps from below and above; the same rows.
    assert streamed.lambda_min[0] == pytest.approx(kept.lambda_min[0], rel=0.05)
    true = np.linalg.eigvalsh(kernel(X))
    assert streamed.lambda_min[0] <= true[0] <= streamed.lambda_min[1]
    assert streamed.lambda_max[0] <= true[-1] <= streamed.lambda_max[1]


def test_biases_have_bounds_from_the_entries() -> None:
    X = np.random.default_rng(1).standard_normal((20, 60))
    kernel = kernel_function(network("relu", bias_variance="1/10"), width=64)
    true = np.linalg.eigvalsh(kernel(X))
    for mode in ("none", "shared", "dense"):
        found = kernel_bounds(kernel, X, mode)
        assert found.lambda_min[0] <= true[0] <= found.lambda_min[1]
        assert found.lambda_max[0] <= true[-1] <= found.lambda_max[1]


@pytest.mark.parametrize("seed", range(5))
def test_cholesky_ends_bound_the_eigenvalues_of_the_matrix_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    U = rng.standard_normal((n, int(rng.integers(1, 12))))
    A = U @ U.T
    A = (A + A.T) / 2 / np.max(np.abs(A))
    with mpmath.workdps(50):
        exact = mpmath.eigsy(mpmath.matrix(A.tolist()), eigvals_only=True)
        low, high = smallest_end(A).low, largest_end(A).low
        # Two radii of (n + 1) eps times the trace, at most n.
        assert 0 <= exact[0] - low <= 8 * (n + 2) ** 2 * 2.3e-16
        assert 0 <= high - exact[n - 1] <= 8 * (n + 2) ** 2 * 2.3e-16
        # A wrong guess costs tightness, not truth.
        for guess in (-5.0, 0.5, 40.0):
            assert smallest_end(A, guess).low <= exact[0]


@pytest.mark.parametrize("index", range(24))
def test_the_entries_error_term_covers_the_entries(index: int) -> None:
    case = measured.draw(index, measured.SMALL)
    if not case.X.any(axis=1).all():
        return
    kernel = measured.kernel(case.network, case.width)
    K, kappa = kernel(case.X), entry_error(kernel, case.X)
    with mpmath.workdps(measured.DIGITS):
        exact = measured.exact_kernel(case)
        for i in range(len(K)):
            for j in range(len(K)):
                size = mpmath.sqrt(exact[i, i] * exact[j, j])
                assert abs(mpmath.mpf(float(K[i, j])) - exact[i, j]) <= kappa * size


def test_dimensions_are_ranks() -> None:
    X = np.random.default_rng(0).standard_normal((60, 3))
    for name in ("identity", "bilinear", "hermite2", "hermite3", "monomial2", "monomial3"):
        most = dimensions(network(name), 3)
        assert most is not None
        assert most == np.linalg.matrix_rank(kernel_function(network(name), width=2)(X))
        assert why_singular(network(name), X[:most], np.ones(most)) is None


def test_arguments_out_of_range_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="mode must be one of none, shared, family, dense"):
        spectrum_bounds("relu", np.eye(3), width=4, mode="some")
    with pytest.raises(InputError, match="width"):
        spectrum_bounds("relu", np.eye(3), mode="family")
    for module in (interval, family):
        monkeypatch.setattr(module, "KEPT", 2)
    for mode in ("shared", "family", "dense"):
        with pytest.raises(InputError, match="mode must be none for more than 2 rows"):
            spectrum_bounds("relu", np.eye(3), width=4, mode=mode)
