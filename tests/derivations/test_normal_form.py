"""Piecewise polynomials: algebra and distributional derivatives, against integration with test functions."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.activations import parse
from derivations.errors import InputError
from derivations.normal_form import Atom, NormalForm, from_expression
from derivations.symbols import z

FORMS = st.dictionaries(
    st.tuples(st.sampled_from(["power", "step"]), st.integers(0, 4)),
    st.fractions(-5, 5, max_denominator=9)
    .filter(bool)
    .map(lambda q: sp.Rational(q.numerator, q.denominator)),
    max_size=5,
).map(lambda terms: NormalForm({Atom(*key): value for key, value in terms.items()}))  # type: ignore[arg-type]


def triples(form: NormalForm) -> list[tuple[str, int, sp.Expr]]:
    return [(atom.kind, atom.n, coefficient) for atom, coefficient in form]


def value(form: NormalForm, t: sp.Rational) -> sp.Expr:
    """At a point other than 0, by the definition."""
    return sum(
        (
            coefficient * t**n * (1 if kind == "power" else int(bool(t > 0)))
            for kind, n, coefficient in triples(form)
        ),
        sp.S.Zero,
    )


def paired(form: NormalForm, test: sp.Expr) -> sp.Expr:
    """The integral of the form times a polynomial over [-1, 1]; Dirac terms by their definition."""
    total = sp.S.Zero
    for kind, n, coefficient in triples(form):
        if kind == "dirac":
            total += coefficient * (-1) ** n * test.diff(z, n).subs(z, 0)
        else:
            low = 0 if kind == "step" else -1
            for (power,), factor in sp.Poly(test, z).terms():
                total += coefficient * factor * sp.Rational(1 - low ** (n + power + 1), n + power + 1)
    return total


@settings(max_examples=60, deadline=None, derandomize=True)
@given(first=FORMS, second=FORMS, t=st.sampled_from([-3, -1, sp.Rational(-1, 7), sp.Rational(2, 5), 2]))
def test_products_and_reflections_are_pointwise(
    first: NormalForm, second: NormalForm, t: sp.Rational
) -> None:
    t = sp.Rational(t)
    assert value(first.product(second), t) == value(first, t) * value(second, t)
    assert value(first.reflected(), t) == value(first, -t)
    assert dict(first.reflected().reflected().terms) == dict(first.terms)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(form=FORMS, order=st.integers(1, 4))
def test_derivatives_are_those_of_distributions(form: NormalForm, order: int) -> None:
    # The test function vanishes to order 5 at both ends, so that integration by parts leaves no boundary.
    test = sp.expand((1 - z**2) ** 5 * (1 + z + 3 * z**2))
    derived = form
    for _ in range(order):
        derived = derived.derivative()
    assert paired(derived, test) == (-1) ** order * paired(form, test.diff(z, order))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(form=FORMS)
def test_a_form_read_back_from_its_expression_is_itself(form: NormalForm) -> None:
    assert dict(from_expression(form.expression(z)).terms) == dict(form.terms)
    assert bool(form) == (form.expression(z) != 0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(form=FORMS)
def test_homogeneity_is_that_of_the_function(form: NormalForm) -> None:
    h = form.homogeneity
    if h is None:
        degrees = {atom.n for atom in form.terms}
        assert len(degrees) != 1
    else:
        for t in (sp.Rational(-2, 3), sp.Integer(2)):
            assert value(form, 5 * t) == 5**h * value(form, t)


def test_the_homogeneity_of_dirac_terms_is_negative() -> None:
    relu = from_expression(sp.Max(0, z))
    degrees = []
    for _ in range(5):
        degrees.append(relu.homogeneity)
        relu = relu.derivative()
    assert degrees == [1, 0, -1, -2, -3]


def test_a_product_with_a_dirac_term_is_refused() -> None:
    step = from_expression(sp.Heaviside(z))
    assert step.is_regular
    assert not step.derivative().is_regular
    with pytest.raises(ValueError, match="product with a Dirac term is not defined"):
        step.product(step.derivative())


@pytest.mark.parametrize(
    ("text", "terms"),
    {
        "max(0, z)": {("step", 1): 1},
        "max(-z, z)": {("power", 1): -1, ("step", 1): 2},
        "min(0, z)": {("power", 1): 1, ("step", 1): -1},
        "max(2*z, z, 0)": {("step", 1): 2},
        "max(pi*z, 3*z)": {("power", 1): 3, ("step", 1): sp.pi - 3},
        "max(0, z)*max(0, -z) + z": {("power", 1): 1},
        "max(0, z**2)": {("power", 2): 1},
        "max((z + 1)**2 - 1, z**2)": {("power", 2): 1, ("step", 1): 2},
        "min((z + 1)**2 - 1, z**2)": {("power", 2): 1, ("power", 1): 2, ("step", 1): -2},
        "abs(z)*z": {("power", 2): -1, ("step", 2): 2},
        "abs(z**3)": {("power", 3): -1, ("step", 3): 2},
        "sign(z)*z**2": {("power", 2): -1, ("step", 2): 2},
        "step(-z)": {("power", 0): 1, ("step", 0): -1},
        "abs(max(0, z) - z)": {("power", 1): -1, ("step", 1): 1},
        "z/(step(z) + 1)": {("power", 1): 1, ("step", 1): -sp.S.Half},
        "max(0, z)**32": {("step", 32): 1},
    }.items(),
)
def test_normal_forms(text: str, terms: dict[tuple[str, int], sp.Expr]) -> None:
    assert dict(from_expression(parse(text)).terms) == {Atom(*key): value for key, value in terms.items()}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expression", [sp.exp(z**3), sp.sqrt(z), sp.I * z, z * sp.Symbol("q"), sp.Abs(z - 1), 1 / z]
)
def test_other_functions_are_refused(expression: sp.Expr) -> None:
    with pytest.raises(InputError, match=r"^activation must be a polynomial in z on either side of 0"):
        from_expression(expression)
