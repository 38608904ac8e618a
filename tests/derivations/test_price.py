"""Dual activations against quadratures that know nothing of Price's theorem."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations_with_replacement

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from derivations.activations import NAMED, activation, parse
from derivations.normal_form import NormalForm, NotInClass, from_expression
from derivations.price import dual, price_ladder
from derivations.symbols import c, s_1, s_2
from verify.activations import ACTIVATIONS
from verify.quadrature import expectation

DEVIATIONS = ((1.0, 1.0), (0.3, 2.7))
HOSTILE = (
    (1.0, 1.0, -1.0),
    (1.0, 1.0, 0.999),
    (0.3, 2.7, -0.999),
    (0.3, 2.7, 0.7),
    (0.3, 2.7, 1.0),
)
"""Deviations and correlation."""


@cache
def form(name: str) -> NormalForm:
    return activation(name).normal_form


@cache
def closed(first: str, second: str) -> Callable[..., mp.mpf]:
    return sp.lambdify((s_1, s_2, c), dual(form(first), form(second)), "mpmath")


@cache
def norm(name: str, deviation: float) -> float:
    """sqrt(E f(u)^2)."""
    f = ACTIVATIONS[name][0]
    return float(np.sqrt(expectation(f, f, deviation, deviation, 1.0)))


def value(first: str, second: str, p: mp.mpf, q: mp.mpf, correlation: mp.mpf) -> mp.mpf:
    """The closed form, in 30 digits more than are asked for."""
    with mp.workdps(60):
        return mp.re(closed(first, second)(p, q, correlation * p * q))


CLOSED = [name for name in NAMED if activation(name).has_normal_form]
WAVES, DIRECT = {"sin", "cos", "exp"}, {"sin", "cos", "exp", "identity", "gaussian"}
PAIRS = [
    pair for pair in combinations_with_replacement(CLOSED, 2) if not WAVES & set(pair) or set(pair) <= DIRECT
]


@pytest.mark.parametrize("pair", sorted(set(combinations_with_replacement(CLOSED, 2)) - set(PAIRS)))
def test_a_wave_and_a_step_or_distribution_function_close_rightly_or_not_at_all(
    pair: tuple[str, str],
) -> None:
    try:
        found = dual(form(pair[0]), form(pair[1]))
    except NotInClass:
        return
    # What does close does so because only odd or even parts meet.
    f, g = (ACTIVATIONS[name][0] for name in pair)
    exact = float(found.subs({s_1: 0.5, s_2: 0.7, c: 0.2 * 0.35}))
    assert exact == pytest.approx(expectation(f, g, 0.5, 0.7, 0.2), abs=1e-12)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_all_pairs_of_named_activations_agree_with_quadrature(first: str, second: str) -> None:
    f, g = ACTIVATIONS[first][0], ACTIVATIONS[second][0]
    for p, q, correlation in HOSTILE:
        numerical = expectation(f, g, p, q, correlation)
        exact = value(first, second, mp.mpf(p), mp.mpf(q), mp.mpf(correlation))
        size = norm(first, p) * norm(second, q)
        # The quadrature's own promise is about 1e-13 of sqrt(E f^2 E g^2); e^(2.7 z) is largest where it ends.
        allowed = 5e-12 if "exp" in (first, second) else 5e-13
        assert abs(float(exact) - numerical) < allowed * size, (p, q, correlation)
        # Swapping the functions with their deviations changes nothing.
        swapped = value(second, first, mp.mpf(q), mp.mpf(p), mp.mpf(correlation))
        assert abs(exact - swapped) < mp.mpf("1e-25") * size


@pytest.mark.parametrize(("n", "k"), [(0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (1, 3), (2, 3)])
@pytest.mark.parametrize("correlation", ["-0.999", "-0.4", "0.2", "0.999", "0.9999999999"])
def test_arc_cosine_kernels_agree_with_the_polar_integral_to_30_digits(
    n: int, k: int, correlation: str
) -> None:
    names = ("step", "relu", "relu2", "relu3")
    with mp.workdps(50):
        rho, p, q = mp.mpf(correlation), mp.mpf("0.4"), mp.mpf("2.5")
        angle = mp.acos(rho)
        # u_1 = p r cos t, u_2 = q r cos(t - angle): both are positive for t in (angle - pi/2, pi/2).
        polar = mp.quad(
            lambda t: mp.cos(t) ** n * mp.cos(t - angle) ** k, mp.linspace(angle - mp.pi / 2, mp.pi / 2, 5)
        )
        half = mp.mpf(n + k) / 2
        numerical = p**n * q**k * 2**half * mp.gamma(half + 1) * polar / (2 * mp.pi)
        largest = p**n * q**k * 2**half * mp.gamma(half + 1)
        assert abs(value(names[n], names[k], p, q, rho) - numerical) < mp.mpf("1e-30") * largest


@pytest.mark.parametrize(
    "text", ["max(0, z) + z**2", "(max(0, z) + 1)**2", "abs(z)*z - 3*z + 1", "max(pi*z, 3*z)"]
)
def test_inhomogeneous_activations_agree_with_quadrature(text: str) -> None:
    phi = from_expression(parse(text))

    def f(u: np.ndarray) -> np.ndarray:
        names = {"max": np.maximum, "abs": np.abs, "pi": np.pi, "z": u}
        return eval(text, {"__builtins__": {}}, names)

    exact = sp.lambdify((s_1, s_2, c), dual(phi, phi), "mpmath")
    for p, q in DEVIATIONS:
        size = np.sqrt(expectation(f, f, p, p, 1.0) * expectation(f, f, q, q, 1.0))
        for correlation in (-0.999, 0.0, 0.8):
            numerical = expectation(f, f, p, q, correlation)
            with mp.workdps(40):
                precise = mp.re(exact(mp.mpf(p), mp.mpf(q), mp.mpf(correlation) * p * q))
            assert abs(float(precise) - numerical) < 2e-13 * size


@pytest.mark.parametrize("name", [name for name in CLOSED if name != "step"])
def test_the_derivative_in_the_covariance_is_the_expectation_of_derivatives(name: str) -> None:
    slope = ACTIVATIONS[name][1]
    assert slope is not None
    for p, q in DEVIATIONS[1:]:
        size = np.sqrt(expectation(slope, slope, p, p, 1.0) * expectation(slope, slope, q, q, 1.0))
        for correlation in (-0.999, -0.5, 0.0, 0.7, 0.999):
            with mp.workdps(60):
                at = mp.mpf(correlation) * p * q
                # Central differences with step h = 1e-20: error h^2 f''' and 1e-60 / h, both below 1e-35.
                h = mp.mpf("1e-20")
                difference = closed(name, name)(p, q, at + h) - closed(name, name)(p, q, at - h)
                numerical = float(mp.re(difference / (2 * h)))
            # The quadrature of slopes that jump is right to a few 1e-13.
            allowed = 5e-12 if name == "exp" else 1e-12
            assert abs(numerical - expectation(slope, slope, p, q, correlation)) < allowed * size


def test_the_second_derivative_of_the_relu_pair_is_the_density_at_the_origin() -> None:
    relu = form("relu")
    p, q = mp.mpf(2), mp.mpf("0.5")
    with mp.workdps(40):
        for correlation in ("-0.9", "0", "0.99"):
            at = mp.mpf(correlation) * p * q
            second = mp.diff(lambda t: closed("relu", "relu")(p, q, t), at, 2)
            density = 1 / (2 * mp.pi * mp.sqrt(p**2 * q**2 - at**2))
            assert abs(second - density) < mp.mpf("1e-15") * density
    assert [level.closed == 0 for level in price_ladder(relu, relu)] == [False] * 3


def test_orthogonal_parts_have_no_dual() -> None:
    assert dual(form("identity"), form("abs")) == 0
    empty = NormalForm({})
    assert dual(empty, form("relu")) == 0
    assert dual(form("relu"), empty) == 0
