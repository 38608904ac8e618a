"""The input gradient's second moments: against quadrature, finite differences, and planted errors in every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from derivations.activations import Activation, parse
from derivations.derivation import Derivation, DerivationError, Step
from derivations.errors import InputError
from derivations.input_gradient import (
    EXPECTATIONS,
    GENERAL,
    PRODUCT,
    SLOPE_SQUARE,
    SQUARE,
    WEIGHTED_SLOPE_SQUARE,
    InputGradient,
    input_gradient,
)
from derivations.rules import RULES
from derivations.symbols import Expectation, Phi, d, gate_values, s_1, sigma_v, sigma_w, u_1, z


def logistic(t: mp.mpf) -> mp.mpf:
    return 1 / (1 + mp.exp(-t))


# phi and phi', typed by hand.
UNITS: dict[str, tuple[Callable, Callable]] = {
    "identity": (lambda t: t, lambda t: mp.mpf(1)),
    "relu": (lambda t: max(t, 0), lambda t: mp.mpf(t > 0)),
    "sigmoid": (logistic, lambda t: logistic(t) * logistic(-t)),
    "tanh": (mp.tanh, lambda t: mp.sech(t) ** 2),
    "silu": (lambda t: t * logistic(t), lambda t: logistic(t) * (1 + t * logistic(-t))),
    "gelu": (lambda t: t * mp.ncdf(t), lambda t: mp.ncdf(t) + t * mp.npdf(t)),
    "erf": (mp.erf, lambda t: 2 * mp.exp(-t * t) / mp.sqrt(mp.pi)),
}
SATURATING = ("sigmoid", "tanh", "erf")


@cache
def derived(name: str) -> InputGradient:
    return input_gradient(name)


def quadrature(f: Callable, scale: sp.Rational) -> mp.mpf:
    """E f(s z) by panels that are fine at the origin, where phi bends."""
    s = mp.mpf(scale.p) / scale.q
    edges = [-12 * s, -4 * s, -s, -6, -2, 0, 2, 6, s, 4 * s, 12 * s]
    with mp.workdps(25):
        return mp.quad(lambda t: f(t) * mp.npdf(t, 0, s), sorted(set(edges)))


@pytest.mark.parametrize("name", UNITS)
def test_every_step_of_both_derivations_holds(name: str):
    result = derived(name)
    result.check()
    assert result.plain.status == result.gated.status == "proved"


@pytest.mark.parametrize("scale", [sp.Rational(1, 3), sp.Integer(2), sp.Integer(9)])
@pytest.mark.parametrize("name", UNITS)
def test_the_four_expectations_agree_with_quadrature(name: str, scale: sp.Rational):
    phi, slope = UNITS[name]
    oracle = {
        SLOPE_SQUARE: lambda t: slope(t) ** 2,
        WEIGHTED_SLOPE_SQUARE: lambda t: t**2 * slope(t) ** 2,
        SQUARE: lambda t: phi(t) ** 2,
        PRODUCT: lambda t: t * phi(t) * slope(t),
    }
    values = derived(name).values(scale, digits=15)
    assert set(values) == set(EXPECTATIONS)
    for expectation, f in oracle.items():
        # 25 digits in panels of analytic functions: the quadrature is right to far more than 1e-14.
        assert float(values[expectation]) == pytest.approx(float(quadrature(f, scale)), abs=1e-14, rel=1e-14)


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_second_moments_are_those_of_finite_differences_of_random_units(name: str):
    dimension, units, step = 3, 40_000, 1e-5
    scale, linear_scale = 0.75, 1.5
    x = np.array([1.0, -2.0, 2.0])  # |x| = 3
    rng = np.random.default_rng(5)
    w = scale * rng.standard_normal((units, dimension))
    v = linear_scale * rng.standard_normal((units, dimension))
    functions: dict[str, Callable] = {
        "relu": lambda t: np.maximum(t, 0),
        "tanh": np.tanh,
        # GELU by its other common definition, |t| erf(|t| / sqrt(2)) / 2 + t / 2.
        "gelu": lambda t: t / 2 + np.abs(t) / 2 * np.vectorize(mp.fp.erf)(np.abs(t) / np.sqrt(2)),
    }
    phi = functions[name]
    values = derived(name).values(sp.Rational(9, 4), digits=12)
    numbers = {expectation: sp.Rational(ball.value) for expectation, ball in values.items()}
    point = {s_1: 3 * scale, sigma_w: scale, sigma_v: linear_scale, d: dimension}
    for general, gate in ((GENERAL.plain, False), (GENERAL.gated, True)):

        def unit(at: np.ndarray, gate: bool = gate) -> np.ndarray:
            return phi(w @ at) * (v @ at if gate else 1.0)

        gradient = [(unit(x + e) - unit(x - e)) / (2 * step) for e in step * np.eye(dimension)]
        length = np.sum(np.square(gradient), axis=0)
        error = length.std() / np.sqrt(units)
        # Five standard errors; differences cost 1e-5 at ReLU's kink and less elsewhere.
        assert abs(length.mean() - float(general.xreplace(numbers).subs(point))) < 5 * error
        assert error < 0.03 * length.mean()


@pytest.mark.parametrize("name", UNITS)
def test_leading_terms_are_approached_at_large_scale(name: str):
    result = derived(name)
    ratios = []
    for scale in (40, 160):
        values = result.values(scale, digits=25)
        numbers = {expectation: sp.Rational(ball.value) for expectation, ball in values.items()}
        point = {s_1: scale, d: 3, sigma_w: 1, sigma_v: 1}
        leading = result.leading
        ratios.append(
            [
                float(
                    getattr(GENERAL, part).xreplace(numbers).subs(point) / getattr(leading, part).subs(point)
                )
                for part in ("plain", "gate", "linear", "cross")
            ]
        )
    near, far = np.abs(np.array(ratios) - 1)
    # Corrections are of relative order 1/s with constants of order one.
    assert (far < 4 / 160).all()
    assert (far <= near / 3.5 + 1e-15).all()


def test_published_constants_of_saturation():
    # The integrals of sigma'^2 and of sech^4 over the line are 1/6 and 4/3.
    root = sp.sqrt(2 * sp.pi)
    for name, integral, level in (
        ("sigmoid", sp.Rational(1, 6), sp.Rational(1, 2)),
        ("tanh", sp.Rational(4, 3), 1),
    ):
        leading = derived(name).leading
        assert sp.simplify(leading.plain - sigma_w**2 * (d - 1) * integral / (root * s_1)) == 0
        assert sp.simplify(leading.linear - sigma_v**2 * d * level) == 0
        share = derived(name).linear_share
        assert sp.simplify(share - d * level * root / ((d - 1) * integral * s_1)) == 0


@pytest.mark.parametrize("name", UNITS)
def test_the_plain_gradient_vanishes_with_the_input_growing_exactly_where_phi_saturates(name: str):
    leading = derived(name).leading
    assert (sp.limit(leading.plain, s_1, sp.oo) == 0) == (name in SATURATING)
    assert sp.limit(leading.linear, s_1, sp.oo).is_extended_positive
    # With sigma_w growing at fixed |x| = r instead, s = sigma_w r, nothing vanishes.
    r = sp.Symbol("r", positive=True)
    by_weights = leading.plain.subs(d, 3).subs(s_1, sigma_w * r)
    assert sp.limit(by_weights, sigma_w, sp.oo) == sp.oo


@pytest.mark.parametrize("name", ["relu", "identity", "gelu", "erf"])
def test_closed_forms_satisfy_the_euler_operator_identity(name: str):
    result = derived(name)
    closed = result.expectations

    def euler(f: sp.Expr) -> sp.Expr:
        return d * f + s_1 * f.diff(s_1)

    gated = sigma_v**2 * (s_1**2 * euler(closed[SLOPE_SQUARE]) + euler(closed[SQUARE]))
    plain = sigma_w**2 * euler(closed[SLOPE_SQUARE])
    for scale in (sp.Rational(1, 7), sp.Integer(3)):
        point = {s_1: scale, d: 5, sigma_w: 2, sigma_v: 3}
        for stated, identity in ((result.moments.gated, gated), (result.moments.plain, plain)):
            value = stated.subs(point).n(30)
            assert abs(identity.subs(point).n(30) - value) < 1e-25 * value


def test_growing_even_powers_lead_by_their_gaussian_moments():
    fourth = input_gradient(Activation("fourth", parse("z**2*sigmoid(z)")))
    fourth.check()
    # phi^2 is z^4 for large z and 0 for small: half of E z^4 = 3.
    assert fourth.leading.linear == sp.Rational(3, 2) * d * s_1**4 * sigma_v**2


def test_other_rates_of_the_logistic_function_are_read():
    slow = input_gradient(Activation("slow", parse("sigmoid(2*z/3)")))
    slow.check()
    # phi'^2 is (2/3)^2 sigma'^2(2 z/3): its integral is 2/3 of that of sigma'^2.
    assert sp.simplify(slow.leading.plain / derived("sigmoid").leading.plain) == sp.Rational(2, 3)


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
@pytest.mark.parametrize("kind", ["plain", "gated"])
def test_a_wrong_right_side_is_caught(name: str, kind: str, follows):
    steps = getattr(derived(name), kind).steps
    for number, step in enumerate(steps):
        one_term = [step.rhs + term / 200 for term in sp.Add.make_args(sp.expand(step.rhs))]
        for wrong in (*one_term, step.rhs + 1, -step.rhs):
            if wrong == step.rhs or (step.title == "Activation" and wrong == -step.rhs):
                continue  # no error: squares and products of phi and phi' stay
            if step.rule != "definition":
                assert not follows(replace(step, rhs=wrong), steps[:number]), (step.title, wrong)
            else:  # in itself it may be one: then a later step does not follow
                assert (
                    failing_step((*steps[:number], replace(step, rhs=wrong), *steps[number + 1 :]))
                    is not None
                )


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_a_step_follows_by_no_other_rule_of_this_topic(name: str, follows):
    steps = derived(name).gated.steps
    topic = [rule for rule in RULES if RULES[rule].holds.__module__ == "derivations.rules.input_gradient"]
    assert len(topic) == 8
    for number, step in enumerate(steps):
        for rule in topic:
            assert follows(replace(step, rule=rule), steps[:number]) == (rule == step.rule), (
                step.title,
                rule,
            )


def failing_step(steps: tuple[Step, ...]) -> int | None:
    try:
        Derivation("planted", steps).check()
    except DerivationError as error:
        return int(str(error).split()[1]) - 1
    return None


def test_growing_terms_that_cancel_have_no_limit_by_the_rule_of_sums():
    steps = derived("relu").gated.steps
    # E[phi^2] and E[u phi phi'] are equal for ReLU; the rule knows only their leading terms.
    difference = sp.Limit((SQUARE - PRODUCT), s_1, sp.oo)
    assert not RULES["limit of sums"].holds(difference, sp.S.Zero, steps)
    assert RULES["limit of sums"].holds(sp.Limit(SQUARE / s_1**2, s_1, sp.oo), sp.Rational(1, 2), steps)


def test_a_form_that_is_not_quadratic_in_the_gate_has_no_average_by_the_rule():
    steps = derived("relu").gated.steps
    before = steps[: next(n for n, step in enumerate(steps) if step.rule == "gate average")]
    h = gate_values(1)[0]
    norm = next(step for step in before if step.title == "Norm of the input").rhs
    inside = h**2 * Phi(0, u_1) ** 2
    rule = RULES["gate average"]
    assert rule.holds(Expectation(inside), sigma_v**2 * norm * SQUARE, before)
    assert not rule.holds(Expectation(h * inside), sp.S.Zero, before)
    assert not rule.holds(Expectation(h**2 * inside), sigma_v**4 * norm**2 * SQUARE, before)


def test_what_is_not_known_is_said():
    with pytest.raises(InputError, match="no leading terms at large scale"):
        _ = derived("softplus").leading
    with pytest.raises(InputError, match="must have no jump to have a gradient, got step"):
        input_gradient("step")
    for scale in (0, -1, sp.Float("0.5")):
        with pytest.raises(InputError, match="scale must be a positive rational number"):
            derived("relu").values(scale)


def test_softplus_has_certified_numbers_without_closed_forms():
    result = derived("softplus")
    result.check()
    assert result.expectations[SQUARE] == SQUARE
    oracle = quadrature(lambda t: mp.log1p(mp.exp(t)) ** 2, sp.Integer(2))
    assert float(result.values(2, digits=12)[SQUARE]) == pytest.approx(float(oracle), abs=1e-11)
    assert z not in GENERAL.gated.free_symbols
