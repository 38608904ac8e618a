"""The shift law and certified coefficients, against quadrature and against the closed forms."""

from __future__ import annotations

import json
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from derivations import InputError, KernelDerivation, derive, kernel_function, network
from derivations.derivation import Derivation, DerivationError, Step
from derivations.expansion import hermite_coefficient
from derivations.hidden_unit import parametrization_steps
from derivations.networks import TwoLayer
from derivations.ntk import general_steps
from derivations.printing import render
from derivations.shift_law import certified_steps, shift_law_steps
from derivations.symbols import Coefficient, Enclosure, Hermite, Phi, d, j, m, rho, z

SERIES = ("sigmoid", "silu", "tanh", "softplus", "mish")
CLOSED = ("relu", "gelu", "erf", "gaussian", "sin", "identity", "relu2")


@cache
def derived(name: str, gates: int = 0, digits: int = 30) -> KernelDerivation:
    return derive(network(name, gates=gates), digits=digits)


@pytest.mark.parametrize(("name", "gates"), [("silu", 0), ("silu", 2), *((name, 1) for name in SERIES)])
def test_every_step_is_proved_or_certified_and_follows(name: str, gates: int) -> None:
    result = derived(name, gates)
    result.check()
    assert {step.status for step in result.steps} == {"proved", "certified"}
    law = next(step.rhs for step in result.steps if step.lhs == Coefficient(j))
    assert sp.expand(law - (m + j * d) * Hermite(j - gates) ** 2) == 0


@pytest.mark.parametrize(("name", "gates"), [("relu", 0), ("relu", 2), *((name, 1) for name in CLOSED)])
def test_the_shift_law_gives_the_taylor_coefficients_of_closed_forms(name: str, gates: int) -> None:
    result = derived(name, gates)
    phi = result.network.activation.normal_form
    for degree, value in enumerate(result.expansion.coefficients):
        square = hermite_coefficient(phi, degree - gates) ** 2 if degree >= gates else 0
        assert sp.expand(value - (m + degree * d) * square) == 0, degree


def test_in_the_ntk_parametrization_degree_j_weighs_j_plus_1() -> None:
    steps = derive(network("silu", gates=2, parametrization="ntk")).steps
    law = next(step.rhs for step in steps if step.lhs == Coefficient(j))
    assert sp.expand(law - (j + 1) * Hermite(j - 2) ** 2) == 0


@pytest.mark.parametrize("name", SERIES)
def test_coefficients_are_those_of_quadrature(name: str) -> None:
    result = derived(name, 1, 25)
    phi = sp.lambdify(z, result.network.activation.phi, "mpmath")
    slope = sp.lambdify(z, result.network.activation.phi.diff(z), "mpmath")
    with mp.workdps(40):
        pieces = mp.linspace(-16, 16, 33)

        def mean(f) -> mp.mpf:
            return mp.quad(lambda t: f(t) * mp.npdf(t), pieces)

        a_0, a_1 = mean(phi), mean(lambda t: t * phi(t))
        squares, slopes = mean(lambda t: phi(t) ** 2), mean(lambda t: slope(t) ** 2)
        width, dimension = 7, 3
        exact = {
            "beta": (width + dimension) * a_0**2 / dimension**2,
            "alpha": (width + 2 * dimension) * a_1**2 / dimension**2,
        }
        at_one = (width + dimension) * squares + dimension * slopes
        exact["gamma"] = at_one / dimension**2 - exact["alpha"] - exact["beta"]
        content = json.loads(render(result, "json", digits=25))
        for key, value in exact.items():
            middle, radius = (
                mp.mpf(str(sp.sympify(text).subs({sp.Symbol("m"): width, sp.Symbol("d"): dimension})))
                for text in (content["coefficients"][key], content["coefficients"]["radius"][key])
            )
            assert abs(middle - value) <= radius + mp.mpf("1e-30"), key
            assert 0 < radius < mp.mpf("1e-22")


@pytest.mark.parametrize(("name", "gates"), [("silu", 0), ("silu", 1), ("mish", 2)])
def test_the_expansion_is_the_kernel_on_the_sphere_up_to_its_remainder(name: str, gates: int) -> None:
    result = derived(name, gates)
    width, dimension = 20, 4
    values = {m: width, d: dimension}
    angles = np.array([0.0, 0.4, 1.2, np.pi / 2, 2.5])
    X = 2 * np.stack([np.cos(angles), np.sin(angles), 0 * angles, 0 * angles], axis=1)
    row = kernel_function(result, width=width)(X)[0]
    remainder = float(result.expansion.remainder.subs(values))
    for angle, found in zip(angles, row, strict=True):
        cosine = np.cos(angle)
        series = sum(
            float(value.subs(values)) * cosine**degree
            for degree, value in enumerate(result.expansion.coefficients)
        )
        allowed = remainder * abs(cosine) ** (result.expansion.order + 1) + 1e-11 * row[0]
        assert abs(found - series) <= allowed
    # The bound is attained at rho = 1.
    total = sum(float(value.subs(values)) for value in result.expansion.coefficients)
    assert row[0] - total == pytest.approx(remainder, rel=1e-9, abs=1e-11 * row[0])


def broken(network: TwoLayer, title: str, change) -> Derivation:
    general = general_steps(network)
    steps = [*general, Step("Activation", Phi(0, z), network.activation.phi, "definition")]
    steps += parametrization_steps(network)
    steps += shift_law_steps(network, general[-1].rhs)
    steps += certified_steps(network, general[-1].rhs, 4, 20)
    number = next(i for i, step in enumerate(steps) if step.title.startswith(title))
    steps[number] = Step(title, steps[number].lhs, change(steps[number].rhs), steps[number].rule)
    return Derivation("broken", tuple(steps))


@pytest.mark.parametrize(
    ("title", "change"),
    {
        "Shift law": lambda rhs: rhs + d * Hermite(j - 1) ** 2,
        "Hermite expansion of the slope": lambda rhs: 2 * rhs,
        "Coefficient of rho^2": lambda rhs: rhs * sp.Rational(201, 200),
        "On the sphere at rho = 1": lambda rhs: rhs + m,
        "Hermite coefficient a_1": lambda ball: Enclosure(
            ball.args[0] + sp.Rational(3, 10**20), ball.args[1]
        ),
        "Second moment of the activation": lambda ball: Enclosure(
            ball.args[0] * sp.Rational(201, 200), ball.args[1]
        ),
        "alpha": lambda rhs: rhs * sp.Rational(201, 200),
        "gamma": lambda rhs: rhs + rho * 0 + m / d**2,
    }.items(),
)
def test_a_false_step_is_found(title: str, change) -> None:
    described = network("silu", gates=1)
    broken(described, title, lambda rhs: rhs).check()
    with pytest.raises(DerivationError, match=title.replace("^", r"\^")):
        broken(described, title, change).check()


def test_what_has_neither_closed_form_nor_strip_is_refused() -> None:
    for text, message in {
        "exp(z**2)": "exp(z**2)",
        "1/z": "1/z may have a pole",
        "max(1, z)": "either side of 0",
        "max(0, z)*exp(z)": "either side of 0",
    }.items():
        with pytest.raises(InputError) as caught:
            derive(network(expression=text))
        assert message in str(caught.value)
    with pytest.raises(InputError, match="variances must be numeric"):
        derive(network("silu", variances="symbolic"))
    with pytest.raises(InputError, match="has no closed-form kernel"):
        _ = derived("silu").kernel
