"""Expansions in Gegenbauer polynomials against 40-digit integrals of the kernels, closed forms and power series."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from math import comb

import mpmath as mp
import numpy as np
import pytest
from scipy.special import gammaln

from derivations import certified_hermite, network
from derivations.certified import certified_moments
from derivations.errors import InputError
from derivations.spectrum import gegenbauer, gegenbauer_expansion, harmonics

WIDTH = 48
DIMENSIONS = (2, 3, 10, 100, 1000)
# Amplitudes are right to a few 1e-16 sqrt(f(1)), so their squares to this times sqrt(mass * f(1)); rules of some
# hundred nodes, and at d = 1000 the exponents of their weights, cost a factor of 50.
TOLERANCE = 1e-14


def j1(rho):
    return (mp.sqrt(1 - rho**2) + rho * (mp.pi - mp.acos(rho))) / (2 * mp.pi)


def j0(rho):
    return (mp.pi - mp.acos(rho)) / (2 * mp.pi)


def gelu_dual(c):
    # E[phi phi] at unit variances: A = 4, D = 4 - c^2.
    D = 4 - c * c
    return c / 4 + (c * mp.asin(c / 2) + (c * c + D) / (4 * mp.sqrt(D))) / (2 * mp.pi)


def relu_kernel(gates: int) -> Callable:
    return lambda d, rho: rho**gates * ((WIDTH + gates * d) * j1(rho) + d * rho * j0(rho))


TEXTBOOK: dict[str, Callable] = {
    "relu": relu_kernel(0),
    "reglu": relu_kernel(1),
    "gqu": relu_kernel(2),
    "abs": lambda d, rho: WIDTH * (2 * j1(rho) + 2 * j1(-rho)) + d * rho * (4 * j0(rho) - 1),
    "gelu": lambda d, rho: WIDTH * gelu_dual(rho) + d * rho * mp.diff(gelu_dual, rho),
    "erf": lambda d, rho: WIDTH * 2 / mp.pi * mp.asin(2 * rho / 3) + d * rho * 4 / mp.pi / mp.sqrt(9 - 4 * rho**2),
    "bilinear": lambda d, rho: (WIDTH + 2 * d) * rho**2,
}  # fmt: skip


def multiplicity(d: int, k: int) -> int:
    """Harmonic polynomials of degree k: polynomials of degree k less those of degree k - 2."""
    return comb(d + k - 1, k) - (comb(d + k - 3, k - 2) if k > 1 else 0)


@cache
def nodes_and_zonals(d: int, degrees: int) -> tuple[list, list, list]:
    """Cosines, weights of the sphere, and Q_k there by the textbook's recurrence, with 40 digits."""
    with mp.workdps(40):
        # 12 panels of 24 Gauss-Legendre nodes in the angle, where sin^(d-2) is not 1e-42 of its maximum.
        reach = min(mp.pi / 2, 14 / mp.sqrt(d))
        rule = mp.calculus.quadrature.GaussLegendre(mp.mp).calc_nodes(4, mp.mp.prec)
        angles = [(mp.pi / 2 + reach * (2 * i - 11 + x) / 12, w) for i, (x, w) in product(range(12), rule)]
        t = [mp.cos(theta) for theta, _ in angles]
        weights = [w * mp.sin(theta) ** (d - 2) for theta, w in angles]
        total = mp.fsum(weights)
        zonals = [[mp.mpf(1)] * len(t), t]
        for k in range(1, degrees):
            zonals.append(
                [
                    ((2 * k + d - 2) * u * q - k * p) / (k + d - 2)
                    for u, q, p in zip(t, zonals[k], zonals[k - 1], strict=True)
                ]
            )
        return t, [w / total for w in weights], zonals


def exact_masses(kernel: Callable, d: int, degrees: int) -> list[mp.mpf]:
    """N_k times the mean of f Q_k over the sphere, with 40 digits."""
    t, weights, zonals = nodes_and_zonals(d, degrees)
    with mp.workdps(40):
        f = [w * kernel(d, u) for w, u in zip(weights, t, strict=True)]
        return [multiplicity(d, k) * mp.fdot(f, zonals[k]) for k in range(degrees + 1)]


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("name", TEXTBOOK)
def test_masses_are_those_of_40_digit_integrals(name: str, d: int):
    degrees = 9
    found = gegenbauer_expansion(network(name), d, WIDTH, degrees)
    for mass, exact in zip(found.masses, exact_masses(TEXTBOOK[name], d, degrees), strict=True):
        assert abs(mass - exact) <= TOLERANCE * np.sqrt(float(abs(exact)) * found.total) + 1e-27 * found.total
    assert found.total == pytest.approx(float(TEXTBOOK[name](d, mp.mpf("0.99999999999999999999"))), rel=1e-9)


def closed_relu(d: int, degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """lambda_k of J1 and J0 from Gamma functions: half-range moments of Gegenbauer polynomials, by Rodrigues."""
    first = np.zeros(degrees + 1)
    second = np.zeros(degrees + 1)
    omega = np.sqrt(np.pi) * np.exp(gammaln((d - 1) / 2) - gammaln(d / 2))
    second[0], first[0], first[1] = 0.5, 1 / (omega * (d - 1)), 1 / (2 * d)

    def term(k: int, half: int) -> float:
        logs = -k * np.log(2) + gammaln((d - 1) / 2) - gammaln(k + (d - 1) / 2) + gammaln(2 * half + 1)
        a = k + (d - 3) / 2
        return np.exp(logs + gammaln(a + 1) - gammaln(half + 1) - gammaln(a - half + 1)) / omega

    for k in range(1, degrees + 1, 2):
        second[k] = term(k, k // 2)
    for k in range(2, degrees + 1, 2):
        first[k] = term(k, k // 2 - 1)
    return d * first**2, second**2


@pytest.mark.parametrize("d", [2, 3, 10, 100, 10_000])
def test_relu_to_high_degrees_is_its_closed_form(d: int):
    degrees = 200 if d < 100 else 60
    first, second = closed_relu(d, degrees)
    N = np.exp(np.minimum(harmonics.log_multiplicities(d, degrees), 700))
    value, slope = gegenbauer.both_masses(network("relu").activation, d, degrees)
    for found, eigenvalues in ((value, first), (slope, second)):
        exact = eigenvalues * N
        # A few 1e-15 in each amplitude; logarithms of Gamma functions of 1e4 have 1e-11.
        np.testing.assert_allclose(np.sqrt(found), np.sqrt(exact), atol=2e-14, rtol=5e-11)


@pytest.mark.parametrize(("name", "gates"), [("silu", 0), ("swiglu", 1), ("tanh", 0), ("mish", 0)])
@pytest.mark.parametrize("d", [10, 100, 10_000])
def test_smooth_masses_are_those_of_the_power_series(name: str, gates: int, d: int):
    degrees, most = 12, 160
    chosen = network(name)
    a = np.array([float(ball) for ball in certified_hermite(chosen.activation.phi, most)])
    c = np.zeros(most + gates)
    c[gates:] = (WIDTH + d * np.arange(gates, most + gates)) * a**2
    k = np.arange(degrees + 1)
    exact = np.zeros(degrees + 1)
    for i in range((most + gates - degrees) // 2):
        j = k + 2 * i  # rho^j = sum_k N_k j! / (2^j i! (d/2)_{k+i}) Q_k
        logs = gammaln(j + 1) - j * np.log(2) - gammaln(i + 1) + gammaln(d / 2) - gammaln(d / 2 + k + i)
        exact += c[j] * np.exp(logs + harmonics.log_multiplicities(d, degrees))
    found = gegenbauer_expansion(chosen, d, WIDTH, degrees)
    # The series of tanh, whose a_k^2 fall like exp(-pi sqrt(k)), is cut at 1e-14.
    np.testing.assert_allclose(found.masses, exact, rtol=1e-9, atol=1e-13 * found.total)
    moments = certified_moments(chosen.activation.phi)
    total = (WIDTH + gates * d) * float(moments.square) + d * float(moments.slope_square)
    assert found.total == pytest.approx(total, rel=1e-13)


def test_multiplicities_count_harmonic_polynomials():
    for d in (2, 3, 7, 50):
        exact = [multiplicity(d, k) for k in range(12)]
        np.testing.assert_allclose(np.exp(harmonics.log_multiplicities(d, 11)), exact, rtol=1e-12)


def test_zonal_polynomials_add_up_to_the_kernel():
    d, rho = 5, np.linspace(-1, 1, 9)
    found = gegenbauer_expansion(network("swiglu"), d, WIDTH, 60)
    series = found.masses @ harmonics.zonal(d, 60, rho)
    again = gegenbauer_expansion(
        network("silu"), d, WIDTH + d, 60
    )  # the gating law: rho times a wider network's
    np.testing.assert_allclose(
        series, rho * (again.masses @ harmonics.zonal(d, 60, rho)), atol=1e-12 * found.total
    )


def test_a_polynomial_has_no_rest_and_few_dimensions():
    found = gegenbauer_expansion(network(expression="z**3 - 3*z", gates=0), 20, WIDTH, 36)
    assert found.rest == 0.0
    # rho^3 has the degrees 3 and 1.
    assert found.dimensions == pytest.approx(multiplicity(20, 3) + 20)


def test_the_ntk_parametrization_weighs_both_blocks_alike():
    found = gegenbauer_expansion(network("bilinear", parametrization="ntk"), 4, None, 3)
    np.testing.assert_allclose(found.masses, [3 / 4, 0, 9 / 4, 0], atol=1e-15)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("step(z)", "continuous"),
        ("max(1, z)", "either side of 0"),
        ("1/z", "finite|too rough|analytic"),
        ("sin(3000*z)", "too rough"),
    ],
)
def test_activations_beyond_the_method_are_refused_in_one_line(expression: str, reason: str):
    with pytest.raises(InputError, match=reason) as error:
        gegenbauer_expansion(network(expression=expression), 20, WIDTH, 8)
    assert "\n" not in str(error.value)


def planted_recurrence(monkeypatch):
    true = harmonics.recurrence
    monkeypatch.setattr(gegenbauer, "recurrence", lambda d, k: (true(d, k)[0], true(d + 1, k)[1]))


def planted_gate(monkeypatch):
    monkeypatch.setattr(gegenbauer, "times_cosine", lambda masses, d: harmonics.times_cosine(masses, d + 1))


def planted_radius(monkeypatch):
    true = gegenbauer.radial_rule
    monkeypatch.setattr(gegenbauer, "radial_rule", lambda d: (true(d)[0] * (1 + 1e-13), true(d)[1]))


@pytest.mark.parametrize("plant", [planted_recurrence, planted_gate, planted_radius])
def test_integrals_see_a_planted_error(plant, monkeypatch):
    gegenbauer.both_masses.cache_clear()
    gegenbauer._moments.cache_clear()
    plant(monkeypatch)
    try:
        with pytest.raises(AssertionError):
            test_masses_are_those_of_40_digit_integrals("reglu", 10)
    finally:
        gegenbauer.both_masses.cache_clear()
        gegenbauer._moments.cache_clear()
