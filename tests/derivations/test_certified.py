"""Proved coefficients against quadrature, closed forms, hostile expressions and planted errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import flint
import mpmath as mp
import pytest
import sympy as sp
from flint import arb, ctx, fmpq

from derivations.certified import Ball, certified_expectation, certified_hermite, certified_moments, trapezoid
from derivations.certified.program import UnprovedError, compiled
from derivations.certified.strip import Strip, analytic_strip
from derivations.errors import InputError
from derivations.symbols import z

SIGMOID = 1 / (1 + sp.exp(-z))
SOFTPLUS = sp.log(1 + sp.exp(z))
NAMED = {
    "sigmoid": SIGMOID,
    "silu": z * SIGMOID,
    "tanh": sp.tanh(z),
    "softplus": SOFTPLUS,
    "mish": z * sp.tanh(SOFTPLUS),
    "gelu": z * (1 + sp.erf(z / sp.sqrt(2))) / 2,
}
OTHERS = {
    "erf": sp.erf(z),
    "z erf": z * sp.erf(z),
    "product": sp.log(1 + sp.exp(2 * z)) * sp.tanh(z),
    "steep silu": z / (1 + sp.exp(-3 * z / 2)),
    "sech": 1 / sp.cosh(z),
    "atan": sp.atan(z),
    "asinh": sp.asinh(z),
    "root": sp.sqrt(1 + z**2),
    "inverse root": (2 + sp.cos(z) ** 2) ** sp.Rational(-3, 2),
    "cauchy": 1 / (4 + z**2),
    "tail": sp.erfc(z) * sp.log(1 + sp.exp(-z)),
    "bump": sp.exp(-(z**2) / 3 + z) * sp.sin(z),
    "mixture": sp.pi * sp.tanh(z / 2) ** 3 - sp.sinh(z) / (3 + sp.exp(z)) + 2**z,
    "bell": sp.tanh(sp.exp(-(z**2) / 2)),
    "log-sigmoid": sp.log(SIGMOID),
    "gelu by tanh": z * (1 + sp.tanh(sp.sqrt(2 / sp.pi) * (z + sp.Rational(44715, 10**6) * z**3))) / 2,
    "serf": z * sp.erf(SOFTPLUS),
    "tanhexp": z * sp.tanh(sp.exp(z)),
    "logish": z * sp.log(1 + SIGMOID),
    "snake": z + sp.sin(z) ** 2,
    "waves": sp.tanh(3 * sp.sin(z)),
    "log-cosh": sp.log(sp.exp(z) + sp.exp(-z)),
    "nested": sp.exp(sp.tanh(z)) * sp.atan(sp.tanh(z) / 2),
    "slope of mish": sp.diff(z * sp.tanh(SOFTPLUS), z) ** 2,
}
EVERY = NAMED | OTHERS
DIGITS = 40
ORDERS = (0, 1, 2, 3, 8, 13, 20)


def mpmath_function(phi: sp.Expr) -> Callable[[mp.mpf], mp.mpf]:
    return sp.lambdify(z, phi, "mpmath")


def quadrature(
    phi: sp.Expr, orders: tuple[int, ...], variance: Fraction, dps: int = DIGITS + 12
) -> list[mp.mpf]:
    """a_k by Gauss-Legendre quadrature on pieces of [-20, 20]; beyond, h_20 n is below 1e-60."""
    function = mpmath_function(phi)
    with mp.workdps(dps):
        s = mp.sqrt(mp.mpf(variance.numerator) / variance.denominator)

        @cache
        def weighted(x: mp.mpf) -> mp.mpf:
            return function(s * x) * mp.npdf(x)

        def coefficient(k: int) -> mp.mpf:
            def integrand(x: mp.mpf) -> mp.mpf:
                previous, current = mp.mpf(0), mp.mpf(1)
                for j in range(k):
                    previous, current = current, x * current - j * previous
                return current * weighted(x)

            value, error = mp.quad(
                integrand, mp.linspace(-20, 20, 21), method="gauss-legendre", maxdegree=7, error=True
            )
            assert error < mp.mpf(10) ** -(dps - 10)
            return value / mp.sqrt(mp.factorial(k))

        return [coefficient(k) for k in orders]


def holds(ball: Ball, value: mp.mpf, slack: str = "1e-41") -> bool:
    """Whether a number known to within `slack` can be the ball's."""
    with mp.workdps(120):
        return abs(value - mp.mpf(ball.value)) <= mp.mpf(ball.radius) + mp.mpf(slack)


@pytest.mark.parametrize("variance", [Fraction(1), Fraction(9, 5)], ids=str)
@pytest.mark.parametrize("name", NAMED)
def test_coefficients_are_those_of_quadrature(name: str, variance: Fraction):
    balls = certified_hermite(NAMED[name], max(ORDERS) + 1, DIGITS, variance)
    for k, value in zip(ORDERS, quadrature(NAMED[name], ORDERS, variance), strict=True):
        assert holds(balls[k], value), k


@pytest.mark.parametrize("name", OTHERS)
def test_combinations_have_the_coefficients_of_quadrature(name: str):
    balls = certified_hermite(OTHERS[name], 8, 20, Fraction(1, 2))
    for k, value in zip((0, 1, 7), quadrature(OTHERS[name], (0, 1, 7), Fraction(1, 2), dps=32), strict=True):
        assert holds(balls[k], value, slack="1e-21"), k


t, v = sp.Symbol("t"), sp.Symbol("v", positive=True)
# E[phi(s (z + t))] = sum_k a_k t^k/sqrt(k!), with s^2 = v.
SHIFTED = {
    "erf": (sp.erf(z), sp.erf(sp.sqrt(v / (1 + 2 * v)) * t)),
    "gelu": (
        NAMED["gelu"],
        sp.sqrt(v) * t * (1 + sp.erf(t * sp.sqrt(v / (1 + v) / 2))) / 2
        + v / sp.sqrt(1 + v) * sp.exp(-(t**2) * v / (1 + v) / 2) / sp.sqrt(2 * sp.pi),
    ),
    "exp": (sp.exp(z), sp.exp(v / 2 + sp.sqrt(v) * t)),
    "sin": (sp.sin(z), sp.exp(-v / 2) * sp.sin(sp.sqrt(v) * t)),
    "cos": (sp.cos(2 * z), sp.exp(-2 * v) * sp.cos(2 * sp.sqrt(v) * t)),
    "gaussian": (sp.exp(-(z**2) / 2), sp.exp(-(t**2) * v / (1 + v) / 2) / sp.sqrt(1 + v)),
    "polynomial": (
        z**4 - 3 * z + sp.pi,
        v**2 * (t**4 + 6 * t**2 + 3) - 3 * sp.sqrt(v) * t + sp.pi,
    ),
    "constant": (sp.sqrt(2) * z**0, sp.sqrt(2)),
}


@cache
def taylor_coefficients(shifted: sp.Expr) -> list[sp.Expr]:
    series = sp.expand(sp.series(shifted, t, 0, 14).removeO())
    return [series.coeff(t, k) for k in range(14)]


@pytest.mark.parametrize("variance", [sp.Integer(1), sp.Rational(3, 7), sp.Integer(6)], ids=str)
@pytest.mark.parametrize("name", SHIFTED)
def test_coefficients_are_those_of_a_closed_form(name: str, variance: sp.Rational):
    phi, shifted = SHIFTED[name]
    balls = certified_hermite(phi, 14, 60, variance)
    with mp.workdps(90):
        for k, ball in enumerate(balls):
            value = taylor_coefficients(shifted)[k].subs(v, variance) * sp.sqrt(sp.factorial(k))
            assert holds(ball, mp.mpf(sp.N(value, 85)), slack="1e-61"), k


@pytest.mark.parametrize("k", [0, 1, 60, 500, 1999])
def test_high_coefficients_of_exp_are_exact(k: int):
    ball = certified_hermite(sp.exp(z / 2), k + 1, 50, 4)[k]
    with mp.workdps(80):
        assert holds(ball, mp.exp(0.5) / mp.sqrt(mp.factorial(k)), slack="1e-70")


def test_a_thousand_digits_of_e():
    ball = certified_expectation(sp.exp(z), 1000, 2)
    with mp.workdps(1050):
        assert abs(mp.mpf(ball.value) - mp.e) <= mp.mpf(10) ** -1000
        assert abs(mp.mpf(ball.value) - mp.e) > 0
    assert ball.radius == "1e-1000"
    assert len(ball.value) == 1002


@pytest.mark.parametrize("variance", [Fraction(1), Fraction(4, 9)], ids=str)
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "mish", "gelu"])
def test_squares_sum_up_to_the_moments(name: str, variance: Fraction):
    balls = certified_hermite(NAMED[name], 401, 40, variance)
    moments = certified_moments(NAMED[name], 40, variance)
    squares = [Fraction(ball.value) ** 2 for ball in balls]
    of_slope = [k * square / variance for k, square in enumerate(squares)]
    for moment, terms in ((moments.square, squares), (moments.slope_square, of_slope)):
        missing = Fraction(moment.value) - sum(terms)
        # What is missing is the tail of the series: nonnegative up to the radii, and of the last terms' size.
        assert -Fraction(1, 10**34) < missing < 10**4 * max(terms[-2:]) + Fraction(1, 10**34)


def test_more_digits_and_more_coefficients_agree_with_fewer():
    for phi in NAMED.values():
        few, many = certified_hermite(phi, 5, 15), certified_hermite(phi, 40, 90)
        for coarse, fine in zip(few, many[:5], strict=True):
            assert abs(Fraction(coarse.value) - Fraction(fine.value)) <= Fraction(coarse.radius) + Fraction(
                fine.radius
            )


WIDEST = {
    "sigmoid": mp.pi, "silu": mp.pi, "softplus": mp.pi, "tanh": mp.pi / 2, "mish": 3 * mp.pi / 4,
    "sech": mp.pi / 2,
    "atan": 1, "asinh": 1, "root": 1, "cauchy": 2, "steep silu": 2 * mp.pi / 3, "product": mp.pi / 2,
    "log-cosh": mp.pi / 2, "slope of mish": 3 * mp.pi / 4,
}  # fmt: skip


@pytest.mark.parametrize("name", WIDEST)
def test_a_strip_comes_close_to_the_nearest_singularity_and_never_reaches_it(name: str):
    program, widest = compiled(EVERY[name]), float(WIDEST[name])
    with ctx.workprec(trapezoid.PLAN_BITS):
        assert analytic_strip(program, 0.93 * widest, 1.0).constant.is_finite()
        # At the widest itself the singularity is on the edge, up to the rounding of the width.
        for beyond in (widest + 1e-9, 1.1 * widest, 2 * widest, 2.9 * widest, 30.0):
            with pytest.raises(UnprovedError):
                analytic_strip(program, beyond, 1.0)
        strip = trapezoid.widest_step(program, 20, 1.0, -90.0)
    assert 0.8 * widest < float(strip.half_width) < widest


@pytest.mark.parametrize("width", [0.0, 0.3, 0.8, 1.4])
@pytest.mark.parametrize("name", EVERY)
def test_an_activation_obeys_the_bound_of_its_strip(name: str, width: float):
    if name in WIDEST and width >= WIDEST[name]:
        return
    with ctx.workprec(trapezoid.PLAN_BITS):
        try:
            strip = analytic_strip(compiled(EVERY[name]), width, 1.5)
        except UnprovedError:
            assert name in ("mixture", "inverse root", "bell", "nested", "gelu by tanh", "waves", "tanhexp")
            return
    function = mpmath_function(EVERY[name])
    for x in [-40, -9, -3, *[n / 4 for n in range(-10, 11)], 3, 9, 40]:
        for y in (0, width / 3, width):
            u = mp.mpf(strip.base.str(30, radius=False)) + abs(x)
            bound = (
                mp.mpf(float(strip.constant)) * u**strip.power * mp.exp(mp.mpf(float(strip.rate)) * abs(x))
            )
            assert abs(function(mp.mpc(x, y))) <= bound * (1 + mp.mpf("1e-12")), (x, y)


@pytest.mark.parametrize("r", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("k", [0, 1, 2, 7, 30])
def test_hermite_polynomials_obey_the_bound_of_mehler(k: int, r: float):
    for x in (0, 0.5, 2, 6):
        for w in (0, 0.3, 1, 4):
            point = mp.mpc(x, w)
            previous, current = mp.mpf(0), mp.mpf(1)
            for j in range(k):
                previous, current = current, point * current - j * previous
            bound = float(trapezoid._mehler(k, arb(r))) * math.exp(
                x * x / 2 * r / (1 + r) + w * w / 2 * r / (1 - r)
            )
            assert abs(current) / mp.sqrt(mp.factorial(k)) <= bound * (1 + 1e-12)


def sigmoid_is_right() -> bool:
    balls = certified_hermite(SIGMOID, 21, 30)
    return all(
        holds(balls[k], value, slack="1e-31")
        for k, value in zip((1, 3, 13), quadrature(SIGMOID, (1, 3, 13), Fraction(1)), strict=True)
    )


def test_a_strip_across_the_poles_is_noticed(monkeypatch: pytest.MonkeyPatch):
    assert sigmoid_is_right()

    def unchecked(program: object, half_width: float, least_base: float) -> Strip:
        base = arb(max(1.0, half_width, least_base))
        return Strip(arb(half_width), arb(100), base, 0, arb(0))

    monkeypatch.setattr(trapezoid, "analytic_strip", unchecked)
    assert not sigmoid_is_right()


@pytest.mark.parametrize(
    ("plan", "factor", "bound"),
    [("step_width", 1.4, "discretisation_error"), ("_truncation", 0.7, "truncation_error")],
)
def test_a_coarse_step_or_a_sum_cut_short_is_refused_and_noticed(
    plan: str, factor: float, bound: str, monkeypatch: pytest.MonkeyPatch
):
    planned = getattr(trapezoid, plan)
    monkeypatch.setattr(trapezoid, plan, lambda *arguments: factor * planned(*arguments))
    with pytest.raises(InputError, match="errors to be planned"):
        sigmoid_is_right()
    monkeypatch.setattr(trapezoid, bound, lambda *_: arb(0))
    assert not sigmoid_is_right()


def test_too_few_bits_are_noticed_by_the_balls(monkeypatch: pytest.MonkeyPatch):
    rounds, sums = [], trapezoid._sums

    def recorded(*arguments: object) -> list[arb]:
        rounds.append(ctx.prec)
        if len(rounds) == 1:
            with ctx.workprec(40):
                return sums(*arguments)  # type: ignore[arg-type]
        return sums(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trapezoid, "_sums", recorded)
    assert sigmoid_is_right()
    assert len(rounds) == 2
    assert rounds[1] > rounds[0]


REFUSED = [
    (sp.Abs(z), "activation must be built from z, exact numbers, .*, got Abs\\(z\\)"),
    (sp.Max(0, z), "must be built from .*, got Max\\(0, z\\)"),
    (sp.Heaviside(z), "must be built from .*, got Heaviside"),
    (sp.sqrt(z**2), "must be built from .*, got Abs\\(z\\)"),
    (sp.Float(0.1) * z, "must be built from .* exact numbers, .*, got 0.1"),
    (sp.I * z, "must be built from .*, got I"),
    (sp.Symbol("z") * 2, "must be built from z"),
    (sp.Symbol("y"), "must be built from .*, got y"),
    (sp.oo * z, "must be built from .*, got oo|got sign|got"),
    (z ** sp.Rational(1, 3), "must be built from .*, got z\\*\\*\\(1/3\\)"),
    (1 / z, "must be analytic in a strip around the real line .*: 1/z may have a pole"),
    (sp.log(z), "the argument of log\\(z\\) may reach \\(-oo, 0\\]"),
    (sp.log(z**2 + z), "the argument of log\\(z\\*\\*2 \\+ z\\) may reach"),
    (sp.sqrt(z), "the argument of sqrt\\(z\\) may reach"),
    (sp.sqrt(1 - z**2), "the argument of sqrt\\(1 - z\\*\\*2\\) may reach"),
    (1 / sp.sinh(z), "must be built from .*|may have a pole"),
    (1 / (1 - sp.exp(-z)), "may have a pole"),
    (z / sp.tanh(z), "may have a pole"),
    (1 / sp.cos(z), "may have a pole"),
    (sp.tanh(z) ** -2, "may have a pole"),
    (1 / (1 + sp.exp(-z)) - 1 / sp.erf(z), "may have a pole"),
    (sp.tanh(z * SIGMOID), "may have a pole"),  # nothing here knows how fast a product decays
    (sp.sin(z**2), "sin\\(z\\*\\*2\\) may grow faster"),
    (sp.exp(z**2), "must grow at most like exp\\(b \\|z\\|\\), got exp\\(z\\*\\*2\\)"),
    (sp.exp(z**2 / 100 - z), "must grow at most like exp\\(b \\|z\\|\\), got exp\\("),
    (sp.exp(z**3), "exp\\(z\\*\\*3\\) may grow faster"),
    (sp.exp(sp.exp(z)), "exp\\(exp\\(z\\)\\) may grow faster"),
    (sp.log(sp.Rational(1, 2) - sp.sqrt(2)) * z, "must be built from|finite real constants"),
    (z**1001, "powers must be at most 1000"),
    ("z", "must be a SymPy expression in z, got 'z'"),
    (None, "must be a SymPy expression"),
]


@pytest.mark.parametrize(("phi", "line"), REFUSED, ids=[str(phi) for phi, _ in REFUSED])
def test_what_cannot_be_proved_is_refused_in_one_line(phi: sp.Expr, line: str):
    with pytest.raises(InputError, match=line) as caught:
        certified_hermite(phi, 5)
    assert "\n" not in str(caught.value)
    assert ctx.prec == 53


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((3, 0), "digits must be a whole number from 1 to 1000, got 0"),
        ((3, 1001), "digits must be a whole number from 1 to 1000, got 1001"),
        ((3, 30.0), "digits must be a whole number from 1 to 1000, got 30.0"),
        ((3, True), "digits must be a whole number from 1 to 1000, got True"),
        ((0, 30), "count must be a whole number from 1 to 2000, got 0"),
        ((2001, 30), "count must be a whole number from 1 to 2000, got 2001"),
        ((3, 30, 0), "variance must be a positive rational number .*, got 0"),
        ((3, 30, sp.Rational(-1, 2)), "variance must be a positive rational number .*, got -1/2"),
        ((3, 30, 0.1), "variance must be a positive rational number .*, got 0.1: write 1/10"),
        ((3, 30, sp.sqrt(2)), "variance must be a positive rational number .*, got sqrt\\(2\\)"),
        ((3, 30, 10**200), "variance must be a positive rational number within"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: tuple[object, ...], line: str):
    with pytest.raises(InputError, match=line):
        certified_hermite(z, *arguments)  # type: ignore[arg-type]


def test_sums_that_would_take_too_long_are_refused():
    with pytest.raises(
        InputError,
        match=r"nodes, with the proved strip's half-width .*: ask for fewer digits or coefficients",
    ):
        certified_hermite(sp.tanh(z), 1, 30, 10**10)
    with pytest.raises(
        InputError,
        match=r"nodes, with the proved strip's half-width .*: ask for fewer digits or coefficients",
    ):
        certified_hermite(sp.log(1 + sp.exp(10**6 * z)), 1)
    with pytest.raises(InputError, match=r"nodes of .* bits: ask for fewer digits or coefficients"):
        certified_hermite(sp.tanh(z), 2000, 1000, 4)


@pytest.mark.parametrize("variance", [Fraction(1, 10**100), Fraction(1, 10**12), Fraction(1000)], ids=str)
def test_extreme_variances_are_fine(variance: Fraction):
    ball = certified_hermite(SIGMOID, 3, 30, variance)[0]
    assert ball.contains(Fraction(1, 2))
    deviation = certified_hermite(z, 2, 30, variance)[1]
    with mp.workdps(60):
        assert holds(deviation, mp.sqrt(mp.mpf(variance.numerator) / variance.denominator), slack="1e-40")


def test_answers_depend_on_nothing_but_the_arguments():
    first = certified_hermite(NAMED["mish"], 6, 25, Fraction(2, 3))
    with ctx.workprec(20):
        assert certified_hermite(NAMED["mish"], 6, 25, sp.Rational(2, 3)) == first
        assert ctx.prec == 20
    with ctx.workprec(500):
        assert certified_hermite(NAMED["mish"], 6, 25, Fraction(2, 3)) == first
        assert ctx.prec == 500
    assert ctx.prec == 53


def test_a_ball_can_be_computed_on():
    ball = certified_expectation(sp.exp(z), 50, 2)
    with ctx.workprec(300):
        e = arb(1).exp()
        assert ball.arb.contains(e)
        assert ball.arb.rad() < flint.arb(10) ** -49
    assert replace(ball, radius="1e-60").arb.contains(e) is False
    assert float(ball) == math.e
    assert ball.contains(Fraction(ball.value))
    assert not ball.contains(3)


def test_an_undefined_constant_is_refused():
    program = compiled(z + sp.log(sp.Symbol("z", real=True)).subs(z, sp.Rational(1, 2)))
    assert program([arb(0)])[0].overlaps(-arb(2).log())
    tiny = sp.log(1 + sp.exp(-(sp.Integer(10) ** 9)), evaluate=False)
    assert certified_expectation(z**2 + tiny, 5) == Ball("1.00000", "1e-5")


def test_the_program_is_the_expression():
    points = [Fraction(-7, 3), Fraction(0), Fraction(1, 8), Fraction(5)]
    for phi in EVERY.values():
        function = mpmath_function(phi)
        with ctx.workprec(200), mp.workdps(50):
            for point, value in zip(
                points, compiled(phi)([arb(fmpq(p.numerator, p.denominator)) for p in points]), strict=True
            ):
                expected = function(mp.mpf(point.numerator) / point.denominator)
                assert abs(value.mid() - arb(mp.nstr(expected, 50))) < arb(10) ** -40
