"""Kernels as functions of data against the derived expression in 50 digits, on rows that break naive code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from derivations import InputError, KernelDerivation, activation, derive, kernel_function, network
from derivations.activations import NAMED
from derivations.elementwise import activation_functions
from derivations.symbols import d, m, r_i, r_j, rho
from verify.activations import ACTIVATIONS

POLYNOMIAL = ("relu", "reglu", "gqu", "relu2", "max(0, z) + z*z", "1 + max(0, z)")
NETWORKS = (*POLYNOMIAL, "gelu", "geglu", "erf", "probit", "gaussian", "sin", "cos")
WIDTH = 29
# Of 1e100 they have no digit, or no value.
WAVES = ("sin", "cos", "exp")
# The promise: 1e-14 sqrt(K_ii K_jj).
TOLERANCE = mp.mpf("1e-14")


@cache
def derived(name: str, parametrization: str = "standard", variances: str = "numeric") -> KernelDerivation:
    named = {"expression": name} if "z" in name else {"name": name}
    return derive(network(**named, parametrization=parametrization, variances=variances), order=4)


@cache
def exact_kernel(name: str, kind: str, dimension: int) -> Callable[..., mp.mpf]:
    kernel = derived(name).kernel if kind == "ntk" else derived(name).nngp
    return sp.lambdify((r_i, r_j, rho), kernel.off_diagonal.subs({m: WIDTH, d: dimension}), "mpmath")


def exact(name: str, kind: str, x: np.ndarray, y: np.ndarray) -> mp.mpf:
    """The kernel of two rows of floats, exactly these numbers."""
    with mp.workdps(90):  # near opposite rows half the digits of the angle are lost
        p, q = [mp.mpf(float(v)) for v in x], [mp.mpf(float(v)) for v in y]
        first, second = mp.sqrt(mp.fdot(p, p)), mp.sqrt(mp.fdot(q, q))
        # Every term with an angle has both norms as factors, so that any cosine does at a row of zeros.
        cosine = mp.fdot(p, q) / (first * second) if first and second else mp.mpf(0)
        cosine = max(mp.mpf(-1), min(mp.mpf(1), cosine))
        return mp.re(exact_kernel(name, kind, len(x))(first, second, cosine))


def hostile_rows() -> np.ndarray:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 6))
    y -= x * (x @ y) / (x @ x)
    near = [x + size * y for size in (1e-3, 1e-6, 1e-8, 1e-12, 1e-15)]
    opposite = [-x + size * y for size in (1e-3, 1e-7, 1e-8, 1e-14)]
    others = [
        x,
        x,
        -x,
        3 * x,
        y,
        1e-3 * y - x / 7,
        np.zeros(6),
        np.eye(6)[0],
        np.full(6, 0.1),
        rng.standard_normal(6),
    ]
    return np.array([*near, *opposite, *others])


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("name", NETWORKS)
def test_hostile_pairs_agree_with_50_digits(name: str, kind: str) -> None:
    X = hostile_rows()
    K = kernel_function(derived(name), kind, WIDTH)(X)  # type: ignore[arg-type]
    diagonal = [exact(name, kind, x, x) for x in X]
    for i in range(len(X)):
        for j in range(i + 1):
            error = abs(mp.mpf(float(K[i, j])) - exact(name, kind, X[i], X[j]))
            assert error <= TOLERANCE * mp.sqrt(diagonal[i] * diagonal[j]), (i, j)
    np.testing.assert_array_equal(K, K.T)


@pytest.mark.parametrize("name", POLYNOMIAL)
def test_norms_from_1e_minus_150_to_1e150_give_what_float64_can_hold(name: str) -> None:
    rng = np.random.default_rng(1)
    directions = rng.standard_normal((4, 3))
    directions[1], directions[2] = directions[0], -directions[0]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    X = np.concatenate([size * directions for size in (1e-150, 1e-75, 1.0, 1e75, 1e150)] + [np.zeros((1, 3))])
    K = kernel_function(derived(name), width=WIDTH)(X)
    assert not np.isnan(K).any()
    diagonal, largest = [exact(name, "ntk", x, x) for x in X], mp.mpf(np.finfo(float).max)
    for i in range(len(X)):
        for j in range(len(X)):
            value, found = exact(name, "ntk", X[i], X[j]), float(K[i, j])
            # Below 1e-300 only absolute accuracy is left: some of the smallest number, 5e-324.
            error = TOLERANCE * mp.sqrt(diagonal[i] * diagonal[j]) + mp.mpf("1e-322")
            if np.isinf(found):
                assert np.sign(found) * value + error > largest, (i, j)
            else:
                assert abs(found - value) <= error, (i, j)


def test_terms_of_opposite_sign_do_not_make_nan_where_they_overflow() -> None:
    theta = kernel_function(network(expression="max(0, z) - z*z"), width=WIDTH)
    K = theta([[1e150, 0.0], [6e149, 8e149], [-1e150, 1.0], [1.0, 2.0]])
    assert np.all(K[:3, :3] == np.inf)
    assert np.isfinite(K[3]).all()


@pytest.mark.parametrize("name", POLYNOMIAL)
def test_zero_rows_duplicates_and_opposite_rows_are_exact(name: str) -> None:
    theta = kernel_function(derived(name), width=WIDTH)
    x = np.array([0.3, -1.7, 2.2])
    K = theta([x, x, -x, np.zeros(3), -0.0 * x])
    assert K[0, 0] == K[0, 1] == K[1, 1] == K[2, 2]
    assert K[0, 2] == K[1, 2]
    if "z" not in name:  # max(0, u) max(0, -u) = 0, and its gradients' product
        assert K[0, 2] == 0.0
    np.testing.assert_array_equal(K[3:, 3:], float(name == "1 + max(0, z)") * WIDTH)
    if name != "1 + max(0, z)":
        np.testing.assert_array_equal(K[3:], 0.0)
        np.testing.assert_array_equal(K[:, 3:], 0.0)


@pytest.mark.parametrize("name", ["relu", "gqu"])
def test_the_kernel_does_not_depend_on_how_the_data_are_stored(name: str) -> None:
    theta = kernel_function(derived(name), width=WIDTH)
    X = np.random.default_rng(2).integers(-9, 9, (7, 5)).astype(np.float64)
    expected = theta(X)
    backing = np.zeros((14, 15))
    backing[::2, ::3] = X
    stored = {
        "float32": X.astype(np.float32),
        "float16": X.astype(np.float16),
        "long double": X.astype(np.longdouble),
        "int8": X.astype(np.int8),
        "int64": X.astype(np.int64),
        "lists of ints": X.astype(int).tolist(),
        "Fortran order": np.asfortranarray(X),
        "every other row, every third column": backing[::2, ::3],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "other byte order": X.astype(X.dtype.newbyteorder()),
    }
    for title, form in stored.items():
        np.testing.assert_array_equal(theta(form), expected, err_msg=title)
    read_only = X.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(theta(read_only), expected)
    np.testing.assert_array_equal(theta(X > 0), theta((X > 0).astype(float)))


def test_one_row_and_one_column_are_matrices() -> None:
    theta = kernel_function(derived("relu"), width=WIDTH)
    assert theta([[2.0, 1.0]]).shape == (1, 1)
    # d = 1: same signs have angle 0, K = r_i r_j (m + d) / (2 d); opposite signs 0.
    np.testing.assert_allclose(
        theta([[2.0], [-3.0], [0.5]]), [[60.0, 0.0, 15.0], [0.0, 135.0, 0.0], [15.0, 0.0, 3.75]], rtol=1e-14
    )


def test_two_sets_of_rows_give_the_block_of_their_union() -> None:
    X = hostile_rows()
    for name in NETWORKS:
        theta = kernel_function(derived(name), width=WIDTH)
        whole = theta(X)
        block = theta(X[:7], X[7:])
        scale = np.sqrt(np.outer(np.diag(whole)[:7], np.diag(whole)[7:]))
        assert block.shape == (7, len(X) - 7)
        assert np.all(np.abs(block - whole[:7, 7:]) <= 2e-14 * scale)
        np.testing.assert_array_equal(theta(X, threads=2), whole)


@pytest.mark.parametrize("width", [0, -3, 2.0, "8", True, 1.5])
def test_a_width_that_is_no_positive_integer_is_refused(width: object) -> None:
    with pytest.raises(InputError) as caught:
        kernel_function(derived("relu"), width=width)  # type: ignore[arg-type]
    assert str(caught.value) == f"width must be a positive integer, got {width!r}"


def test_a_missing_width_is_asked_for_only_where_it_matters() -> None:
    with pytest.raises(InputError) as caught:
        kernel_function(derived("reglu"))
    assert (
        str(caught.value) == "width is needed: the ntk of reglu in the standard parametrization depends on it"
    )
    X = [[1.0, 2.0], [0.0, 1.0]]
    for kind, parametrization in (("ntk", "ntk"), ("nngp", "ntk"), ("nngp", "standard")):
        theta = kernel_function(derived("reglu", parametrization), kind)  # type: ignore[arg-type]
        wide = kernel_function(derived("reglu", parametrization), kind, 10**6)  # type: ignore[arg-type]
        np.testing.assert_array_equal(theta(X), wide(X))


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda theta: theta([[1.0, 2.0]], [[1.0]]), "Y must have 2 columns as X has, got 1"),
        (
            lambda theta: theta([1.0, 2.0]),
            "X must be a matrix of shape (n, d), one row per sample, got shape (2,)",
        ),
        (lambda theta: theta([[1.0, np.nan]]), "X must hold finite numbers, got nan at row 0, column 1"),
        (lambda theta: theta([[1.0]], [[np.inf]]), "Y must hold finite numbers, got inf at row 0, column 0"),
        (lambda theta: theta([[1j]]), "X must hold real numbers, got dtype complex128"),
        (
            lambda theta: theta(np.empty((0, 3))),
            "X must have at least one row and one column, got shape (0, 3)",
        ),
        (lambda theta: theta([["1"]]), "X must hold real numbers, got dtype <U1"),
        (lambda theta: theta([[1.0]], threads=0), "threads must be a positive integer, got 0"),
    ],
)
def test_bad_data_give_one_clear_line(call: Callable[[object], object], line: str) -> None:
    with pytest.raises(InputError) as caught:
        call(kernel_function(derived("relu"), width=2))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_other_kinds_and_variances_without_values_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"^kind must be one of ntk, nngp, got 'ntks': did you mean 'ntk'\?$"
    ):
        kernel_function(derived("relu"), "ntks")  # type: ignore[arg-type]
    with pytest.raises(
        InputError,
        match=r"^variances must be numeric for a kernel to be evaluated, sigma_a, .* have no value$",
    ):
        kernel_function(derived("reglu", variances="symbolic"), width=3)


def test_arguments_are_not_changed() -> None:
    X = hostile_rows()
    before = X.copy()
    kernel_function(derived("relu"), width=WIDTH)(X, X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("name", NAMED)
def test_activations_and_slopes_are_those_written_by_hand(name: str) -> None:
    phi, slope = activation_functions(activation(name))
    by_hand, slope_by_hand = ACTIVATIONS[name]
    ends = [-1e75, -1e-300, 1e-300, 1e75]  # whose fourth powers are finite
    points = np.concatenate([np.linspace(-3, 3, 31)[np.r_[:15, 16:31]], [] if name in WAVES else ends])
    # The same formulas but for the order of a few operations, each of which rounds; some pass through 0.
    relative, absolute = (2e-14, 3e-16) if name in list(NAMED)[7:] else (1e-15, 0.0)
    np.testing.assert_allclose(phi(points), by_hand(points), rtol=relative, atol=absolute)
    assert (slope is None) == (slope_by_hand is None) == (name == "step")
    if slope is not None and slope_by_hand is not None:
        np.testing.assert_allclose(slope(points), slope_by_hand(points), rtol=relative, atol=absolute)
    assert phi(points[:30].reshape(2, 15)).shape == (2, 15)
