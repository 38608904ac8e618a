"""Where the plain network is ahead early, in whole numbers: against every width, exact signs, quadrature and drawn rows."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import sympy as sp
from mpmath import polyval
from scipy.integrate import quad
from scipy.special import gammaln

from derivations import derive, kernel_function
from derivations.dynamics import EarlyRegion, early_stage, exact_region, truncated_stage
from derivations.dynamics.exact_region import exact_squares
from derivations.dynamics.initial import INITIAL, Initial
from derivations.errors import InputError
from derivations.networks import network
from derivations.symbols import d, m

KERNELS = ("simplified", "exact")
BOTH = [(kernels, initial) for kernels in KERNELS for initial in INITIAL]


@cache
def region(kernels: str, initial: Initial, size: int) -> EarlyRegion:
    return early_stage(initial).at(size) if kernels == "simplified" else exact_region(size, initial)


@pytest.mark.parametrize(("kernels", "initial"), BOTH)
@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 10, 24, 60])
def test_the_smallest_width_is_the_first_from_which_on_rows_are_enough(
    kernels: str, initial: Initial, size: int
):
    found = region(kernels, initial, size)
    for rows in (None, 20, 300):
        enough = [
            least is not None and (rows is None or least <= rows)
            for least in (found.smallest_rows(width) for width in range(1, 400))
        ]
        # After the last width of which it is not so; none if that is the last one tried.
        expected = len(enough) - enough[::-1].index(False) + 1 if False in enough else 1
        assert found.smallest_width(rows) == (expected if enough[-1] else None)
        assert enough[-1] or not any(enough)


@pytest.mark.parametrize("initial", INITIAL)
def test_whole_numbers_are_those_of_exact_signs(initial: Initial):
    stage = early_stage(initial)
    for size, width in (
        (4, 34),
        (5, 15),
        (7, 10),
        (10, 6),
        (24, 1),
        (25, 1),
        (100, 1),
        (500, 10**6),
        (10**6, 1),
    ):
        diagonal, pairs = (part.subs({d: size, m: width}) for part in (stage.diagonal, stage.pairs))
        least = stage.smallest_rows(size, width)
        assert (least is not None) is bool(pairs > 0)
        if least is not None and least > 1:
            assert bool(diagonal + (least - 1) * pairs >= 0)
            assert not bool(diagonal + (least - 2) * pairs >= 0)


def test_with_the_networks_exchanged_one_row_is_enough_or_no_number_is():
    # Then A > 0: B decides.
    swapped = early_stage("kernel", "reglu", "relu")
    assert swapped.smallest_rows(3, 1000) == 1
    assert swapped.smallest_rows(10, 1000) is None


@pytest.mark.parametrize("initial", INITIAL)
def test_exact_kernels_have_the_diagonal_of_the_simplified_ones(initial: Initial):
    for size in (2, 5, 50):
        one, other = (region(kernels, initial, size).diagonal for kernels in KERNELS)
        np.testing.assert_allclose([float(c) for c in one], [float(c) for c in other], rtol=1e-12)


def test_outputs_of_a_real_network_are_half_the_slope_in_the_width():
    # Tr K C_0 is half the derivative of Tr K^2: from squares at neighbouring widths.
    for size in (2, 5, 50):
        squares, outputs = (region("exact", initial, size).pairs for initial in INITIAL)
        for width in (1, 7):
            wider, narrower = (polyval(squares, width + shift) for shift in (1, -1))
            assert float(polyval(outputs, width)) == pytest.approx(float(wider - narrower) / 4, rel=1e-12)


@pytest.mark.parametrize("initial", INITIAL)
def test_kernels_cut_after_a_degree_have_the_limits_of_the_exact_ones(initial: Initial):
    # What is left out is of the order 1/d, of more degrees too.
    stage, size = truncated_stage(initial), 10**8
    exact = exact_region(size, initial)
    for width in (1, 7):
        least = exact.smallest_rows(width)
        assert least is not None
        assert least / size == pytest.approx(float(stage.narrow.subs(m, width)), rel=1e-5)
    enough = exact.smallest_width(300)
    assert enough is not None
    assert enough / size == pytest.approx(float(stage.smallest_ratio(300)), rel=1e-5)
    assert truncated_stage(initial, 4).narrow == stage.narrow


@pytest.mark.parametrize("initial", INITIAL)
def test_kernels_cut_after_more_degrees_come_near_the_exact_ones(initial: Initial):
    # Of the first products left out, c_0 c_8 and the like, E rho^8 = 9e-5 at d = 30; twenty times that of a difference.
    exact, cut = exact_region(30, initial), truncated_stage(initial, 6).at(30)
    for width in (3, 30, 1000):
        values, expected = (float(polyval(region.pairs, width)) for region in (cut, exact))
        assert values == pytest.approx(expected, rel=2e-3)
        simplified = float(polyval(early_stage(initial).at(30).pairs, width))
        assert abs(values - expected) < abs(simplified - expected) / 5


@pytest.mark.parametrize("size", [2, 4, 11])
@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_squares_of_exact_kernels_are_integrals_over_the_angle(name: str, size: int):
    # Independent directions have an angle of density sin^(d-2); |x|^2 of every row is a chi square.
    gates, width = network(name).gates, 9
    on, off = (part @ [width**2, width, 1] for part in exact_squares(name, size))
    kernel = kernel_function(name, width=width)

    def at(angle: float) -> float:
        rows = np.zeros((2, size))
        rows[0, 0], rows[1, :2] = 1.0, (np.cos(angle), np.sin(angle))
        return float(kernel(rows)[0, 1]) ** 2 * np.sin(angle) ** (size - 2)

    mass = np.sqrt(np.pi) * np.exp(gammaln((size - 1) / 2) - gammaln(size / 2))
    power = 2 * (gates + 1)
    lengths = [float(sp.Mul(*(size + 2 * i for i in range(p)))) for p in (power, power // 2)]
    # Degrees above 400 are left out: less than 1e-7 of the sum.
    assert off == pytest.approx(quad(at, 0, np.pi)[0] / mass * lengths[1] ** 2, rel=1e-6)
    assert on == pytest.approx(float(kernel(np.eye(size)[:1])[0, 0]) ** 2 * lengths[0], rel=1e-12)


@pytest.mark.parametrize(
    ("kernels", "initial", "size", "width"),
    [(kernels, "kernel", *at) for kernels in KERNELS for at in ((5, 1000), (8, 20))]
    + [("exact", "nngp", 10, 5)],
)
def test_drawn_rows_see_the_sign_change(kernels: str, initial: Initial, size: int, width: int):
    # n (A + (n - 1) B) at a third of the smallest n and at three times it, five standard errors from 0 each.
    least = region(kernels, initial, size).smallest_rows(width)
    assert least is not None
    rng = np.random.default_rng(5)
    for rows, sign in ((least // 3, -1), (3 * least, 1)):
        draws = []
        for _ in range(max(60, 20_000 // rows)):
            X = rng.standard_normal((rows, size))
            plain, gated = (
                np.vdot(K, K if initial == "kernel" else outputs(name)(X))
                for name in ("relu", "reglu")
                for K in [matrix(kernels, name, width, X)]
            )
            draws.append(plain - gated)
        values = sign * np.array(draws)
        assert values.mean() > 5 * values.std(ddof=1) / np.sqrt(len(values)), rows


def matrix(kernels: str, name: str, width: int, X: np.ndarray) -> np.ndarray:
    if kernels == "exact":
        return np.asarray(exact(name, width)(X))
    h, (a, b, c) = network(name).gates + 1, coefficients(name, X.shape[1], width)
    G = X @ X.T
    p = np.diag(G)
    return np.asarray(a * G**h + b * np.sqrt(np.outer(p, p)) * G ** (h - 1) + c * np.diag(p**h))


outputs = cache(lambda name: kernel_function(name, kind="nngp"))
exact = cache(lambda name, width: kernel_function(name, width=width))


@cache
def coefficients(name: str, size: int, width: int) -> tuple[float, ...]:
    found = derive(name).coefficients
    return tuple(float(value.subs({d: size, m: width})) for value in (found.alpha, found.beta, found.gamma))


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: early_stage().at(0), "d must be a positive integer, got 0"),
        (lambda: early_stage().at(5).smallest_rows(0), "width must be a positive integer, got 0"),
        (lambda: early_stage().at(5).smallest_width(0), "rows must be a positive integer, got 0"),
        (lambda: early_stage().smallest_ratio(1), "rows must be at least 2, got 1"),
        (lambda: exact_region(5, "zero"), "initial must be"),  # type: ignore[arg-type]
    ],
)
def test_other_arguments_are_refused(call, line: str):
    with pytest.raises(InputError, match=line):
        call()
