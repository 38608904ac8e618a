"""C2 on the exact rung: forms against derivations, derivations against quadrature."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sympy as sp

from derivations.sources import STATEMENTS
from derivations.sources.gate_expansions import MARKERS, SLOPE_SQUARE, SQUARE
from derivations.symbols import Hermite
from verify.activations import ACTIVATIONS
from verify.claims.gates.exact import contradiction, quadrature_moments
from verify.claims.gates.members import FORMS, exact_moments

C2 = STATEMENTS["C2"]


@pytest.fixture
def forgetful() -> Iterator[None]:
    """What was remembered of the activations is forgotten, before and after they are changed."""
    for function in (quadrature_moments, contradiction):
        function.cache_clear()
    yield
    for function in (quadrature_moments, contradiction):
        function.cache_clear()


def wrong_silu(monkeypatch: pytest.MonkeyPatch, value: float = 1.0, slope: float = 1.0) -> None:
    phi, dphi = ACTIVATIONS["silu"]
    assert dphi is not None
    monkeypatch.setitem(ACTIVATIONS, "silu", (lambda u: value * phi(u), lambda u: slope * dphi(u)))


@pytest.mark.parametrize(
    "activation", ["relu", "abs", "identity", "sin", "gaussian", "exp", "sigmoid", "tanh"]
)
def test_derived_moments_are_those_of_quadrature(activation: str):
    exact, numbers = exact_moments(activation, 1), quadrature_moments(activation)
    for name in (Hermite(0), Hermite(1), SQUARE, SLOPE_SQUARE):
        # Quadrature is right to 1e-13 of the second moment.
        scale = float(sp.N(exact[SQUARE], 17)) + 1
        assert float(sp.N(exact[name], 17)) == pytest.approx(numbers[name], abs=1e-12 * scale)


@pytest.mark.parametrize(("id", "p"), [("A5", 0), ("A6", 1)])
def test_the_forms_contain_the_published_coefficients_of_relu(id: str, p: int):
    for name in FORMS[1:]:
        formula = (
            C2.formula(f"{name}, p = {p}").subs(dict.fromkeys(MARKERS, 1)).subs(exact_moments("relu", p))
        )
        assert sp.expand(formula - STATEMENTS[id].formula(name)) == 0


@pytest.mark.parametrize(
    ("activation", "p"), [("relu", 2), ("abs", 1), ("exp", 2), ("softplus", 2), ("mish", 0)]
)
def test_the_forms_hold_for_other_members_of_the_family(activation: str, p: int):
    for name in FORMS:
        assert contradiction(name, C2.formula(f"{name}, p = {p}"), activation, p) == ""
    assert contradiction("shift law", C2.formula("shift law"), activation, p) == ""


def test_a_wrong_form_is_contradicted_with_both_sides():
    wrong = C2.formula("beta, p = 1") * sp.Rational(201, 200)
    text = contradiction("beta", wrong, "relu", 1)
    assert text.startswith("beta of relu with p = 1: stated ")
    assert "derived" in text


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [("kernel", 1.0, 1 + 1e-9), ("alpha", 1 + 1e-9, 1.0), ("gamma", 1.0, 1 + 1e-9)],
)
@pytest.mark.usefixtures("forgetful")
def test_quadrature_of_another_function_contradicts_the_derived_numbers(
    name: str, value: float, slope: float, monkeypatch: pytest.MonkeyPatch
):
    wrong_silu(monkeypatch, value, slope)
    assert "by quadrature" in contradiction(name, C2.formula(f"{name}, p = 1"), "silu", 1)
