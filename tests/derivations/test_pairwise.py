"""Kernels of norms and angle, against 50-digit arithmetic on rows chosen to break float64."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import cache

import mpmath as mp
import numpy as np
import pytest

from derivations.pairwise import Array, fill

RATIO = 0.25  # m / d; small, so that the term linear in the angle dominates
# A few 1e-15 in the angle, times dK/dtheta <= K(x, x) / pi per unit of norm, plus some ten roundings of
# 1.1e-16 in the norms and the profile: below 5e-15. The promise is 1e-14 sqrt(K_ii K_jj).
TOLERANCE = 1e-14


def plain(theta: Array, cosine: Array, sine: Array, r_i: Array, r_j: Array) -> Array:
    """The NTK of a ReLU network."""
    s = r_i * r_j
    rest = np.pi - theta
    return s * ((RATIO * (sine + rest * cosine) + cosine * rest) / (2 * np.pi))


def gated(theta: Array, cosine: Array, sine: Array, r_i: Array, r_j: Array) -> Array:
    """The NTK of a ReGLU network, times d."""
    s = r_i * r_j
    rest = np.pi - theta
    f = cosine * ((RATIO + 1) * (sine + rest * cosine) + rest * cosine) / (2 * np.pi)
    return (f * s) * s


def exact_plain(s: mp.mpf, c: mp.mpf) -> mp.mpf:
    t = mp.acos(c)
    feature, slope = s * (mp.sin(t) + (mp.pi - t) * c) / (2 * mp.pi), (mp.pi - t) / (2 * mp.pi)
    return RATIO * feature + s * c * slope


def exact_gated(s: mp.mpf, c: mp.mpf) -> mp.mpf:
    t = mp.acos(c)
    feature, slope = s * (mp.sin(t) + (mp.pi - t) * c) / (2 * mp.pi), (mp.pi - t) / (2 * mp.pi)
    return RATIO * feature * s * c + s * c * (slope * s * c + feature)


KERNELS = {"plain": (plain, exact_plain), "gated": (gated, exact_gated)}


def around(d: int, angles: Array, kind: str = "random") -> tuple[Array, Array]:
    """One row, and rows of assorted norms at the given angles from it."""
    rng = np.random.default_rng(d)
    x, z = rng.standard_normal((2, d))
    if kind == "equal entries":
        x, z = np.full(d, 0.7), np.where(np.arange(d) % 2, 0.7, -0.7)
    z -= x * (z @ x) / (x @ x)
    z *= np.sqrt((x @ x) / (z @ z))
    return x[None], rng.uniform(0.2, 5, (len(angles), 1)) * (
        np.cos(angles)[:, None] * x + np.sin(angles)[:, None] * z
    )


def cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    tiny: Array = 10.0 ** -np.arange(3.0, 16.0)
    table: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for d, n in (1, 8), (2, 12), (3, 12), (64, 8), (1000, 3), (10000, 2):
        x = rng.standard_normal((n, d))
        table[f"random, d={d}"] = x, rng.standard_normal((n, d))
        table[f"duplicates, d={d}"] = x, x.copy()
        table[f"opposite, d={d}"] = x, -x
        table[f"scaled, d={d}"] = x, x * rng.uniform(-3, 3, (n, 1))
    for d in 2, 3, 64, 1000, 10000:
        fewer = slice(None, None, 1 if d <= 64 else 5)
        table[f"near-duplicates, d={d}"] = around(d, tiny[fewer])
        table[f"near-opposite, d={d}"] = around(d, np.pi - tiny[fewer])
        table[f"near-orthogonal, d={d}"] = around(d, np.pi / 2 + tiny[fewer])
        # Both sides of the change from the product to the differences, where each is at its worst.
        bend = np.concatenate([np.linspace(0.16, 0.19, 30), np.pi - np.linspace(0.16, 0.19, 30)])
        bend = bend[:: 1 if d <= 64 else 9]
        table[f"where the method changes, d={d}"] = around(d, bend)
        table[f"equal entries, d={d}"] = around(d, np.append(bend, [0.3, 1.0, 2.8]), "equal entries")
    x, y = rng.standard_normal((2, 7, 5))
    powers = 10.0 ** np.array([-150, -100, -50, 0, 50, 100, 150])[:, None]
    table["norms"] = x * powers, np.concatenate([x * powers[::-1], y * powers, -x * powers])
    table["one huge entry"] = (
        np.array([[1e150, 1e-150, 1.0]]),
        np.array([[1.0, 1e150, 1e-200], [1e-300, 0, 1]]),
    )
    table["below the smallest normal"] = x * 1e-310, np.concatenate([y, x * 1e-312])
    table["float32"] = x.astype(np.float32), np.concatenate([y, x, -x]).astype(np.float32)
    table["large float32"] = x.astype(np.float32) * np.float32(1e38), y.astype(np.float32)
    table["integers"] = rng.integers(-9, 9, (6, 3)), rng.integers(-9, 9, (6, 3))
    return table


CASES = cases()


@cache
def oracle(case: str) -> tuple[list[mp.mpf], list[mp.mpf], list[list[mp.mpf]]]:
    """Norms and cosines of a case in 50 digits."""
    with mp.workdps(50):
        X, Y = ([[mp.mpf(float(v)) for v in row] for row in rows] for rows in CASES[case])
        r, q = ([mp.sqrt(mp.fdot(row, row)) for row in rows] for rows in (X, Y))
        cosines = [
            [
                max(-1, min(1, mp.fdot(x, y) / (a * b))) if a * b else mp.mpf(0)
                for y, b in zip(Y, q, strict=True)
            ]
            for x, a in zip(X, r, strict=True)
        ]
        return r, q, cosines


def worst_error(case: str, kernel: str, K: Array) -> float:
    """The largest |K - exact| / sqrt(K_ii K_jj); entries that float64 cannot hold must be inf."""
    exact: Callable[[mp.mpf, mp.mpf], mp.mpf] = KERNELS[kernel][1]
    r, q, cosines = oracle(case)
    worst = 0.0
    with mp.workdps(50):
        for i, a in enumerate(r):
            for j, b in enumerate(q):
                truth = exact(a * b, cosines[i][j])
                scale = mp.sqrt(exact(a * a, mp.mpf(1)) * exact(b * b, mp.mpf(1)))
                if scale > np.finfo(float).max:  # nothing is promised but inf for inf, and never NaN
                    assert not np.isnan(K[i, j])
                    clear = abs(truth) > max(1e-20 * scale, mp.mpf(np.finfo(float).max))
                    assert not clear or K[i, j] == mp.sign(truth) * mp.inf
                elif scale:
                    # An entry that underflows is right to the spacing of subnormal numbers.
                    error = max(mp.mpf(0), abs(mp.mpf(float(K[i, j])) - truth) - mp.mpf(2) ** -1073)
                    worst = max(worst, float(error / scale))
                else:
                    assert K[i, j] == 0.0
    return worst


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", CASES)
def test_entries_are_right_to_1e_14_of_the_diagonal(case: str, kernel: str) -> None:
    X, Y = CASES[case]
    assert worst_error(case, kernel, fill(KERNELS[kernel][0], X, Y)) < TOLERANCE


def test_the_oracle_rejects_arccos_of_a_rounded_product() -> None:
    X, Y = CASES["near-duplicates, d=64"]
    r, q = np.linalg.norm(X, axis=1)[:, None], np.linalg.norm(Y, axis=1)[None]
    cosine = np.clip(X @ Y.T / (r * q), -1, 1)
    K = plain(np.arccos(cosine), cosine, np.sqrt(1 - cosine**2), r, q)
    assert worst_error("near-duplicates, d=64", "plain", K) > 1e-10


def parts(X: np.ndarray, Y: np.ndarray | None = None) -> tuple[Array, Array, Array]:
    """The angles, cosines and sines that a profile is given."""
    return (
        fill(lambda theta, cosine, sine, r_i, r_j: theta, X, Y),
        fill(lambda theta, cosine, sine, r_i, r_j: cosine, X, Y),
        fill(lambda theta, cosine, sine, r_i, r_j: sine, X, Y),
    )


@pytest.mark.parametrize("d", [1, 2, 3, 64, 1000])
def test_equal_and_opposite_rows_have_exact_angles(d: int) -> None:
    X = np.random.default_rng(d).standard_normal((20, d))
    for Y, expected in (X.copy(), (0.0, 1.0, 0.0)), (-4 * X, (np.pi, -1.0, 0.0)):
        for part, value in zip(parts(X, Y), expected, strict=True):
            assert np.all(np.diag(part) == value)
    for part, value in zip(parts(np.repeat(X, 2, axis=0)), (0.0, 1.0, 0.0), strict=True):
        assert np.all(np.diag(part) == value)
        assert np.all(np.diag(part, 1)[::2] == value)


def clustered(n: int, d: int) -> Array:
    """Rows of which some are far apart, some nearly equal, some nearly opposite and some equal."""
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d))
    X[n // 4 : n // 2] = X[0] * rng.choice([-2.0, 1.0], (n // 2 - n // 4, 1)) + 1e-7 * X[n // 4 : n // 2]
    X[-5:] = X[:5]
    return X


@pytest.mark.parametrize("n", [1, 2, 119, 120, 121, 241, 600])
@pytest.mark.parametrize("d", [3, 150])
def test_without_y_the_matrix_is_symmetric_and_agrees_with_an_explicit_copy(n: int, d: int) -> None:
    X = clustered(n, d)
    for kernel, _ in KERNELS.values():
        K = fill(kernel, X)
        scale = np.sqrt(np.diag(K))
        assert np.array_equal(K, K.T)
        assert np.max(np.abs(K - fill(kernel, X, X.copy())) / scale / scale[:, None]) < 2 * TOLERANCE


def test_rectangular_blocks_are_the_blocks_of_the_square_matrix() -> None:
    X = clustered(700, 5)
    K = fill(plain, X)
    scale = np.sqrt(np.diag(K))
    block = fill(plain, X[:3], X[100:])
    assert np.max(np.abs(block - K[:3, 100:]) / scale[:3, None] / scale[100:]) < 2 * TOLERANCE


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("square", [True, False])
def test_the_bits_do_not_depend_on_the_number_of_threads(threads: int, square: bool) -> None:
    X = clustered(1000, 20)
    Y = None if square else X[::-1]
    assert np.array_equal(fill(gated, X, Y, threads=threads), fill(gated, X, Y))


def test_zero_rows_have_norm_zero_and_are_orthogonal_to_every_row() -> None:
    X = clustered(300, 4)
    X[[0, 150, 299]] = 0.0
    zero = np.all(X == 0.0, axis=1)
    r = np.linalg.norm(X, axis=1)
    for Y in None, X[:200]:
        # 5 + r_i + r_j tells the norms, 100 theta the angle: pi/2 to the last bit.
        K = fill(lambda theta, cosine, sine, r_i, r_j: 5 + r_i + r_j + 100 * theta * sine + cosine, X, Y)
        q = r[: K.shape[1]]
        touched = zero[:, None] | zero[None, : K.shape[1]]
        expected = 5 + r[:, None] + q[None, :] + 50 * np.pi
        np.testing.assert_allclose(K[touched], expected[touched], rtol=1e-15)
        assert not np.any(np.isclose(K[~touched], expected[~touched], rtol=1e-9))


def test_rows_without_columns_are_zero_rows_and_no_rows_give_an_empty_matrix() -> None:
    assert np.array_equal(fill(plain, np.ones((3, 0))), np.zeros((3, 3)))
    assert fill(plain, np.ones((0, 4)), np.ones((2, 4))).shape == (0, 2)
    assert fill(plain, np.ones((2, 4)), np.ones((0, 4))).shape == (2, 0)
    assert fill(plain, np.ones((0, 4))).shape == (0, 0)


def test_memory_layout_and_type_do_not_change_the_values() -> None:
    X = np.random.default_rng(3).integers(-50, 50, (150, 7)).astype(np.float32)
    K = fill(gated, X.astype(float))
    wide = np.zeros((300, 14), dtype=np.float32)
    wide[::2, ::2] = X
    for same in X, X.astype(int), np.asfortranarray(X), wide[::2, ::2], X[::-1][::-1], X.tolist():
        assert np.array_equal(fill(gated, same), K)


def test_the_input_is_left_alone_when_the_profile_overwrites_its_arguments() -> None:
    def overwriting(theta: Array, cosine: Array, sine: Array, r_i: Array, r_j: Array) -> Array:
        np.multiply(theta, r_i * r_j, out=theta)
        cosine[...] = sine[...] = np.nan
        return theta

    X = clustered(300, 4)
    before = X.copy()
    expected = fill(lambda theta, cosine, sine, r_i, r_j: theta * (r_i * r_j), X)
    assert np.array_equal(fill(overwriting, X), expected)
    assert np.array_equal(X, before)


def test_products_of_norms_that_overflow_give_inf_and_never_nan() -> None:
    X = np.array([[1e150, 0.0], [-1e150, 0.0], [1e150, 1e150], [1e-150, 0.0]])
    for threads in 1, 2:
        K = fill(gated, X, threads=threads)
        assert K[0, 0] == K[2, 0] == np.inf
        assert K[1, 0] == 0.0
        assert K[3, 0] == pytest.approx((RATIO + 2) / 2, rel=1e-14)
        assert K[3, 3] == 0.0


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("spread", [1.0, 1e-3], ids=["far apart", "all pairs near"])
@pytest.mark.parametrize("threads", [1, 2])
def test_peak_memory_is_at_most_1_3_times_the_matrix(square: bool, spread: float, threads: int) -> None:
    n, d = 3072, 16
    X = 1 + spread * np.random.default_rng(0).standard_normal((n, d))
    tracemalloc.start()
    try:
        fill(plain, X, None if square else X[::-1], threads=threads)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * 8 * n * n


def test_an_exception_in_the_profile_is_raised_from_a_thread_too() -> None:
    def failing(*_: Array) -> Array:
        raise ArithmeticError("no such kernel")

    for threads in 1, 2:
        with pytest.raises(ArithmeticError, match="no such kernel"):
            fill(failing, np.eye(3), threads=threads)


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match="threads must be a positive integer, got 0"):
        fill(plain, np.eye(3), threads=0)
    with pytest.raises(ValueError, match="Y must have as many columns as X, 3, got 2"):
        fill(plain, np.eye(3), np.eye(2))
