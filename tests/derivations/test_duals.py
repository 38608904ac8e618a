"""Duals without a closed form, against quadrature in Cartesian coordinates and closed forms of other activations.

The oracle integrates over the plane of (x, y) with u = sigma_i x, v = sigma_j (rho x + sqrt(1 - rho^2) y): neither
polar coordinates, nor harmonics, nor interpolation, and its activations are textbook formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import mpmath as mp
import numpy as np
import pytest

from derivations.duals import (
    NAMED,
    dual_matrices,
    duals_of_rows,
    features,
    matrices,
    ntk_from_duals,
    smooth_ntk,
)
from derivations.errors import InputError

# The promise for kernels, over sqrt(K_ii K_jj), and that for duals of q <= 100.
# The oracle rounds at the end, and some dozen times in between: in 64 bits where there are more than 53.
KERNEL, DUAL = 1e-12, 1e-14
ORACLE = 5e-16 + 50 * float(np.finfo(np.longdouble).eps)
WIDTH, DIMENSION = 16, 64
EDGES = [1.0, -1.0, 0.0] + [s * (1 - 10.0**-k) for k in (1, 2, 3, 5, 7, 9, 11, 13, 14) for s in (1, -1)]
Wide = np.longdouble


def logistic(z):
    return 1 / (1 + np.exp(-z))


def mish_slope(z):
    t = np.tanh(np.log1p(np.exp(z)))
    return t + z * logistic(z) * (1 - t * t)


# phi, phi', and the distance of the nearest singularity from the real line.
TEXTBOOK: dict[str, tuple[Callable, Callable, float]] = {
    "sigmoid": (logistic, lambda z: logistic(z) * logistic(-z), math.pi),
    "silu": (lambda z: z * logistic(z), lambda z: logistic(z) * (1 + z * logistic(-z)), math.pi),
    "tanh": (np.tanh, lambda z: np.cosh(z) ** -2, math.pi / 2),
    "softplus": (lambda z: np.log1p(np.exp(z)), logistic, math.pi),
    "mish": (lambda z: z * np.tanh(np.log1p(np.exp(z))), mish_slope, 3 * math.pi / 4),
}


def trapezoid(deviation: float, strip: float, reach: float, digits: float) -> tuple[int, float]:
    """Number of nodes on either side, and the step, of the rule for f(deviation x) against the Gaussian.

    With the path moved by a < strip / deviation off the real line, the error is exp(a^2 / 2 - 2 pi a / step).
    """
    accuracy = digits * math.log(10)
    a = math.sqrt(2 * accuracy)
    if deviation > strip / a:
        a = strip / deviation
    step = 2 * math.pi * a / (accuracy + a * a / 2)
    return math.ceil(reach / step), step


@cache
def oracle(name: str, q_i: float, q_j: float, rho: float) -> tuple[np.longdouble, np.longdouble]:
    """T and T' by the trapezoidal rule in two dimensions, in the widest float there is."""
    sine = np.sqrt((1 - Wide(rho)) * (1 + Wide(rho)))
    return plane(name, np.sqrt(Wide(q_i)), np.sqrt(Wide(q_j)), Wide(rho), sine)


def plane(name, s_i, s_j, rho, sine) -> tuple[np.longdouble, np.longdouble]:
    *functions, strip = TEXTBOOK[name]

    def rule(deviation: float) -> tuple[np.ndarray, np.ndarray]:
        count, step = trapezoid(deviation, strip, 9.5, 19)
        x = np.arange(-count, count + 1) * Wide(step)
        weights = np.exp(-x * x / 2)
        return x, weights / weights.sum()

    x, w_x = rule(float(s_i + s_j * abs(rho)))
    y, w_y = rule(float(s_j * sine)) if sine > 0 else (np.zeros(1, Wide), np.ones(1, Wide))
    v = s_j * (rho * x[:, None] + sine * y)
    value, slope = (w_x * f(s_i * x) @ (f(v) @ w_y) for f in functions)
    return value, slope


def exact_kernel(name: str, gates: int, q_i: float, q_j: float, rho: float) -> np.longdouble:
    c = np.sqrt(Wide(q_i)) * np.sqrt(Wide(q_j)) * Wide(rho)
    T, slope = oracle(name, q_i, q_j, rho)
    return c**gates * ((WIDTH + gates * DIMENSION) * T + DIMENSION * c * slope)


def worst_errors(name: str, q: np.ndarray, rho: np.ndarray, pairs: int) -> tuple[float, float]:
    """Over sqrt of the diagonals: of T and T', and of the kernels with 0 and 1 gates, on some of the pairs."""
    computed = dual_matrices(name, q, q, rho)
    c = np.sqrt(np.multiply.outer(q, q)) * rho
    kernels = [ntk_from_duals(*computed, c, g, WIDTH, DIMENSION) for g in (0, 1)]
    chosen = np.random.default_rng(5).permutation(rho.size)[:pairs]
    worst = [0.0, 0.0]
    for i, j in zip(*np.unravel_index(chosen, rho.shape), strict=True):
        duals = [oracle(name, q[a], q[b], r) for a, b, r in ((i, j, rho[i, j]), (i, i, 1.0), (j, j, 1.0))]
        for matrix, value, *diagonal in zip(computed, *duals, strict=True):
            worst[0] = max(worst[0], float(abs(matrix[i, j] - value) / np.sqrt(np.prod(diagonal))))
        for g, kernel in enumerate(kernels):
            exact, *diagonal = (
                exact_kernel(name, g, q[a], q[b], r)
                for a, b, r in ((i, j, rho[i, j]), (i, i, 1.0), (j, j, 1.0))
            )
            worst[1] = max(worst[1], float(abs(kernel[i, j] - exact) / np.sqrt(np.prod(diagonal))))
    return worst[0], worst[1]


def hostile(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Variances over four decades, and correlations half of which are at or near 1 and -1."""
    rng = np.random.default_rng(seed)
    q = np.concatenate([10 ** rng.uniform(-2, 2, n - 4), [0.01, 100.0, 92.0, 92.0]])
    rho = np.where(rng.random((n, n)) < 0.5, rng.uniform(-1, 1, (n, n)), rng.choice(EDGES, (n, n)))
    return q, rho


@pytest.mark.parametrize("name", NAMED)
def test_duals_and_kernels_agree_with_quadrature_in_the_plane(name: str):
    dual, kernel = worst_errors(name, *hostile(1, 160), pairs=150)
    assert dual < DUAL
    assert kernel < KERNEL


def mp_functions(name: str) -> tuple[Callable, Callable]:
    def s(z):
        return 1 / (1 + mp.exp(-z))

    return {
        "sigmoid": (s, lambda z: s(z) * s(-z)),
        "silu": (lambda z: z * s(z), lambda z: s(z) + z * s(z) * s(-z)),
        "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    }[name]


def mp_dual(name: str, which: int, q_i: float, q_j: float, rho: float) -> mp.mpf:
    """The same integral with 25 digits; in one dimension at rho = 1 and -1, by adaptive quadrature."""
    f, strip = mp_functions(name)[which], TEXTBOOK[name][2]
    with mp.workdps(25):
        s_i, s_j, rho = mp.sqrt(mp.mpf(q_i)), mp.sqrt(mp.mpf(q_j)), mp.mpf(rho)
        if abs(rho) == 1:
            cuts = [0, 0.1, 0.4, 1.5, 4, 11]
            return mp.quad(
                lambda x: mp.npdf(x) * f(s_i * x) * f(rho * s_j * x), sorted({-c for c in cuts} | {*cuts})
            )
        sine = mp.sqrt((1 - rho) * (1 + rho))
        count, step = trapezoid(float(s_i + s_j * abs(rho)), strip, 9, 18)
        inner, inner_step = trapezoid(float(s_j * sine), strip, 9, 18)
        y = [(sine * s_j * b * inner_step, mp.npdf(b * inner_step)) for b in range(-inner, inner + 1)]
        total = mp.fsum(
            mp.npdf(a * step)
            * f(s_i * a * step)
            * mp.fsum(w * f(s_j * rho * a * step + shift) for shift, w in y)
            for a in range(-count, count + 1)
        )
        return total * step * inner_step


@pytest.mark.parametrize(
    ("name", "q_i", "q_j", "rho"),
    [
        ("sigmoid", 0.3, 0.7, -0.6),
        ("silu", 0.05, 2.0, 0.9),
        ("tanh", 0.2, 0.02, 0.4),
        ("silu", 92.0, 60.0, 1 - 1e-5),
        ("silu", 92.0, 92.0, 1.0),
        ("sigmoid", 92.0, 0.01, -1.0),
        ("tanh", 100.0, 92.0, 1.0),
        ("silu", 1e4, 3000.0, -1.0),
    ],
)
def test_oracle_and_duals_agree_with_25_digits(name: str, q_i: float, q_j: float, rho: float):
    computed = dual_matrices(name, [q_i], [q_j], [[rho]])
    for which in range(2):
        scale = math.sqrt(oracle(name, q_i, q_i, 1.0)[which] * oracle(name, q_j, q_j, 1.0)[which])
        expected = float(mp_dual(name, which, q_i, q_j, rho))
        assert abs(float(oracle(name, q_i, q_j, rho)[which]) - expected) < ORACLE * scale
        assert abs(computed[which][0, 0] - expected) < DUAL * scale


def test_duals_agree_with_samples():
    q_i, q_j, rho = 3.0, 0.5, -0.7
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 400_000))
    u, v = math.sqrt(q_i) * x, math.sqrt(q_j) * (rho * x + math.sqrt(1 - rho * rho) * y)
    for name, (phi, slope, _) in TEXTBOOK.items():
        for function, matrix in zip((phi, slope), dual_matrices(name, [q_i], [q_j], [[rho]]), strict=True):
            products = function(u) * function(v)
            # Five standard errors: ten comparisons with one seed raise no false alarm in 1e5 tries.
            assert abs(products.mean() - matrix[0, 0]) < 5 * products.std() / math.sqrt(len(products))


def hostile_rows(d: int = 8) -> np.ndarray:
    rng = np.random.default_rng(3)
    x, z = rng.standard_normal((2, d))
    x *= math.sqrt(30 * d) / np.linalg.norm(x)
    near = [s * x + 10.0**-k * z for k in (1, 3, 6, 8) for s in (1, -1)]
    return np.stack([x, x, -x, 0.1 * x, -0.05 * x, np.zeros(d), *near, *rng.standard_normal((3, d))])


@pytest.mark.parametrize(("name", "gates"), [("silu", 1), ("sigmoid", 1), ("tanh", 0), ("softplus", 2)])
def test_kernels_of_duplicates_opposites_neighbours_and_zeros_are_right(name: str, gates: int):
    X = hostile_rows()
    n, d = X.shape
    K = smooth_ntk(name, X, gates=gates, width=WIDTH)

    @cache
    def exact(i: int, j: int) -> np.longdouble:
        with mp.workdps(40):  # the angle of the very rows, not of a rounded cosine
            x, y = ([mp.mpf(v) for v in X[k]] for k in (i, j))
            p, q, c = (mp.fdot(a, b) / d for a, b in ((x, x), (y, y), (x, y)))
            rho = c / mp.sqrt(p * q) if p * q else mp.mpf(0)
            sine = mp.sqrt(max(0, (1 - rho) * (1 + rho)))
            s_i, s_j, c, rho, sine = (Wide(mp.nstr(v, 25)) for v in (mp.sqrt(p), mp.sqrt(q), c, rho, sine))
        T, slope = plane(name, s_i, s_j, rho, sine)
        return c**gates * ((WIDTH + gates * d) * T + d * c * slope)

    for i in range(n):
        for j in range(i + 1):
            scale = np.sqrt(exact(i, i) * exact(j, j))
            assert abs(K[i, j] - exact(i, j)) <= KERNEL * scale, (i, j)
    np.testing.assert_array_equal(K, K.T)
    assert K[0, 1] == K[0, 0] == K[1, 1]  # equal rows


def test_results_are_symmetric_and_do_not_depend_on_threads_or_order():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 8)) * 10 ** rng.uniform(-1, 1, (300, 1))
    duals = duals_of_rows("silu", X)
    for matrix in (duals.T, duals.slope, duals.covariance):
        np.testing.assert_array_equal(matrix, matrix.T)
    for threads in (2, 3):
        again = duals_of_rows("silu", X, threads=threads)
        np.testing.assert_array_equal(again.T, duals.T)
        np.testing.assert_array_equal(again.slope, duals.slope)
    scale = np.sqrt(np.diag(duals.T))
    block = duals_of_rows("silu", X[::-1][:50], X[:7]).T
    difference = np.abs(block - duals.T[::-1][:50, :7])
    assert np.max(difference / np.multiply.outer(scale[::-1][:50], scale[:7])) < DUAL


def test_only_one_triangle_of_the_correlations_is_read():
    q = np.array([1.0, 2.0, 3.0])
    rho = np.array([[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]])
    for triangle in (np.tril(rho), np.triu(rho)):
        T, slope = dual_matrices("mish", q, q, triangle, symmetric=True)
        np.testing.assert_array_equal(T, T.T)
        np.testing.assert_array_equal(slope, slope.T)


@pytest.mark.parametrize("name", NAMED)
def test_tiny_and_huge_variances_are_right(name: str):
    # Over sqrt(T_ii T_jj); at 1e4 a rounding of rho is worth 1e-16 q E[phi''^2] / E[phi'^2] in T'.
    q = np.array([0.0, 1e-200, 1e-30, 1e-8, 1.0, 1e4])
    for rho in (1.0, -1.0, 0.3, 1 - 1e-12):
        computed = dual_matrices(name, q, q, np.full((6, 6), rho))
        for i, j in ((0, 0), (0, 4), (0, 5), (1, 1), (1, 4), (2, 3), (3, 3), (3, 5), (4, 5), (5, 5)):
            if j == 5 and rho == 0.3:
                continue  # the oracle would need 1e8 points
            for which in range(2):
                scale = np.sqrt(oracle(name, q[i], q[i], 1.0)[which] * oracle(name, q[j], q[j], 1.0)[which])
                error = abs(computed[which][i, j] - oracle(name, q[i], q[j], rho)[which])
                assert error <= 1e-13 * scale, (rho, i, j)


def gaussian(q_i, q_j, c):
    return ((1 + q_i) * (1 + q_j) - c * c) ** -0.5


def sine_dual(q_i, q_j, c):
    return (np.exp(c - (q_i + q_j) / 2) - np.exp(-c - (q_i + q_j) / 2)) / 2


def cosine_dual(q_i, q_j, c):
    return (np.exp(c - (q_i + q_j) / 2) + np.exp(-c - (q_i + q_j) / 2)) / 2


OWN: dict[str, tuple] = {
    "sin": ((np.sin, np.cos), sine_dual, cosine_dual),
    "sin(3 z)": (
        (lambda z: np.sin(3 * z), lambda z: 3 * np.cos(3 * z)),
        lambda p, q, c: sine_dual(9 * p, 9 * q, 9 * c),
        lambda p, q, c: 9 * cosine_dual(9 * p, 9 * q, 9 * c),
    ),
    "exp(-z^2 / 2)": (
        (lambda z: np.exp(-z * z / 2), lambda z: -z * np.exp(-z * z / 2)),
        gaussian,
        lambda p, q, c: c * gaussian(p, q, c) ** 3,
    ),
    "z^3": (
        (lambda z: z**3, lambda z: 3 * z * z),
        lambda p, q, c: 9 * p * q * c + 6 * c**3,
        lambda p, q, c: 9 * (p * q + 2 * c * c),
    ),
    "0": ((np.zeros_like, np.zeros_like), lambda p, q, c: 0 * c, lambda p, q, c: 0 * c),
}


@pytest.mark.parametrize("name", OWN)
def test_given_functions_agree_with_closed_forms(name: str):
    functions, *closed = OWN[name]
    q, rho = hostile(2, 60)
    q = np.minimum(q, 30.0)
    c = np.sqrt(np.multiply.outer(q, q)) * rho
    for matrix, form in zip(dual_matrices(functions, q, q, rho), closed, strict=True):
        scale = np.sqrt(form(q, q, q))
        error = np.abs(matrix - form(q[:, None], q, c))
        # 1e-10 is promised; a polynomial of high degree feels where the radius is cut.
        assert np.all(error <= 1e-13 * np.multiply.outer(scale, scale))


def step(z):
    return np.heaviside(z, 0.5)


@pytest.mark.parametrize(
    ("functions", "reason"),
    [
        ((lambda z: np.maximum(z, 0), step), "too rough"),
        ((np.tanh, np.cos), "derivative"),
        ((np.exp, np.exp), "cannot be expanded"),
        ((lambda z: np.sin(400 * z), lambda z: 400 * np.cos(400 * z)), "cannot be expanded|too rough"),
        (
            (lambda z: np.tanh(1e4 * z), lambda z: 1e4 / np.cosh(np.minimum(abs(1e4 * z), 99)) ** 2),
            "too rough",
        ),
        ((lambda z: 1 / z, lambda z: -1 / z**2), "too rough"),
        ((lambda z: np.log(z), lambda z: 1 / z), "finite"),
        ((lambda z: 1.0, lambda z: 0.0), "same shape"),
        ((lambda z: z + 0j, lambda z: 1 + 0j * z), "real"),
        ((np.tanh,), "pair"),
        ("relu", "must be one of"),
    ],
)
def test_activations_beyond_the_method_are_refused_in_one_line(functions, reason: str):
    with pytest.raises(InputError, match=reason) as error:
        dual_matrices(functions, [0.5, 30.0], [0.5, 30.0], np.eye(2))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("q", [-1.0, math.nan, math.inf, 1.1e4, 1e-201])
def test_variances_out_of_range_are_refused_with_the_range(q: float):
    with pytest.raises(InputError, match=r"0 or between 1e-200 and 10000"):
        dual_matrices("silu", [1.0, q], [1.0], np.zeros((2, 1)))


@pytest.mark.parametrize("size", [1e-110, 1e-200, 1e-320, 1e3, 1e200, 1e308])
def test_rows_out_of_range_are_refused_with_the_range(size: float):
    with pytest.raises(InputError, match=r"rows of Y must be 0 or between 1e-200 and 10000"):
        duals_of_rows("silu", np.ones((1, 3)), size * np.ones((2, 3)))


def test_other_arguments_are_checked():
    with pytest.raises(InputError, match=r"shape \(1, 2\)"):
        dual_matrices("silu", [1.0], [1.0, 2.0], [[1.0]])
    for rho in (1.1, math.nan):
        with pytest.raises(InputError, match="within"):
            dual_matrices("silu", [1.0], [1.0], [[rho]])
    with pytest.raises(InputError, match="one dimension"):
        dual_matrices("silu", 1.0, [1.0], [[1.0]])
    with pytest.raises(InputError, match="threads"):
        dual_matrices("silu", [1.0], [1.0], [[1.0]], threads=0)
    with pytest.raises(InputError, match="3 columns"):
        duals_of_rows("silu", np.ones((1, 3)), np.ones((1, 2)))
    with pytest.raises(InputError, match="scale"):
        duals_of_rows("silu", np.ones((1, 3)), scale=0.0)
    with pytest.raises(InputError, match="gates"):
        smooth_ntk("silu", np.ones((1, 3)), gates=-1, width=4)


def test_the_scale_is_the_variance_of_a_weight():
    x = np.array([[3.0, 4.0]])
    assert (
        duals_of_rows("silu", x, scale=0.04).T[0, 0] == dual_matrices("silu", [1.0], [1.0], [[1.0]])[0][0, 0]
    )


def planted_weight(monkeypatch):
    r, w = features.radial_rule(64)
    wrong = w.copy()
    wrong[np.argmax(w)] *= 1 + 1e-10
    monkeypatch.setattr(features, "ORDERS", (64,))
    monkeypatch.setattr(features, "radial_rule", lambda order: (r, wrong))


def planted_cut(monkeypatch):
    terms = matrices._terms
    monkeypatch.setattr(matrices, "_terms", lambda first, second: terms(first, second) * 3 // 4)


def planted_interpolation(monkeypatch):
    monkeypatch.setattr(features, "NODES", 11)


@pytest.mark.parametrize("plant", [planted_weight, planted_cut, planted_interpolation])
def test_quadrature_sees_a_planted_error(plant, monkeypatch):
    monkeypatch.setattr(features, "CERTIFIED", math.inf)
    plant(monkeypatch)
    dual, _ = worst_errors("silu", *hostile(1, 160), pairs=150)
    assert dual > DUAL


@pytest.mark.parametrize("plant", [planted_weight, planted_interpolation])
def test_the_certificate_sees_a_planted_error_of_the_expansion(plant, monkeypatch):
    plant(monkeypatch)
    monkeypatch.setattr(features, "CERTIFIED", 1e-12)
    with pytest.raises(InputError, match="cannot be expanded"):
        dual_matrices("silu", *[hostile(1, 160)[k] for k in (0, 0, 1)])
