"""`vanishes` proves true identities and never proves a false one."""

from __future__ import annotations

import random
from collections.abc import Callable

import mpmath as mp
import pytest
import sympy as sp

from derivations.identity import vanishes
from derivations.symbols import Expectation, Phi

S, T = sp.Symbol("s", positive=True), sp.Symbol("t", real=True)
X, Y = sp.symbols("x y", real=True)
W = sp.Symbol("w")  # complex
ROOT = sp.sqrt(1 - T**2)
ATOMS = (
    T,
    S,
    ROOT,
    sp.asin(T),
    sp.acos(T),
    sp.pi,
    sp.sqrt(2),
    sp.sqrt(1 + S),
    sp.Rational(3, 7),
    sp.Function("f")(T),
)
POINTS = (("0.37", "1.9"), ("-0.81", "0.23"))


def grown(rng: random.Random, depth: int = 2) -> sp.Expr:
    """A random expression of the class."""
    if depth == 0:
        return rng.choice(ATOMS)
    first, second = grown(rng, depth - 1), grown(rng, depth - 1)
    quotient = first / (rng.choice(ATOMS) ** 2 + 3)
    return rng.choice(
        [first + second, first - second, first * second, rng.randint(-4, 4) * first + second, quotient]
    )


def rewritten(expression: sp.Expr) -> sp.Expr:
    """The same function on |t| <= 1, s > 0, looking different."""
    return expression.subs(
        {
            ROOT: sp.sqrt(S**2 - S**2 * T**2) / S,
            sp.acos(T): sp.pi / 2 - sp.asin(T),
            sp.sqrt(1 + S): (1 + S) / sp.sqrt(1 + S),
        }
    )


def size(expression: sp.Expr) -> mp.mpf:
    """The largest modulus at the test points, to 50 digits or so."""
    function = sp.lambdify((T, S), expression.replace(sp.Function("f"), lambda t: t**2 + 5).doit(), "mpmath")
    with mp.workdps(60):
        return max(abs(mp.mpc(function(mp.mpf(t), mp.mpf(s)))) for t, s in POINTS)


IDENTITIES: dict[str, Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    "multiplied out": lambda p, q: sp.expand((p + q) ** 2) - (rewritten(p) + q) ** 2,
    "difference of squares": lambda p, q: (p - q) * (rewritten(p) + q) - p**2 + rewritten(q) ** 2,
    "common denominator": lambda p, q: 1 / (2 + p) - 1 / (2 + q) - (rewritten(q) - p) / ((2 + p) * (2 + q)),
    "rationalised": lambda p, q: p / (2 + ROOT) - rewritten(p) * (2 - ROOT) / (3 + T**2),
    "product rule": lambda p, q: (p * q).diff(S) - p.diff(S) * rewritten(q) - rewritten(p) * q.diff(S),
    "quotient rule": lambda p, q: (q / (1 + S)).diff(T) - rewritten(q.diff(T)) / (1 + S) + 0 * p,
}


@pytest.mark.parametrize("kind", IDENTITIES)
def test_true_identities_are_proved_and_perturbed_ones_are_not(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(5):
        p, q = grown(rng), grown(rng)
        identity = IDENTITIES[kind](p, q)
        assert vanishes(identity), identity
        planted = identity + sp.Rational(1, 10**6) * grown(rng, 1)
        if planted != identity and size(planted) > mp.mpf("1e-30"):
            assert not vanishes(planted), planted


def test_what_is_not_zero_at_some_point_is_never_proved() -> None:
    rng = random.Random(7)
    proved = 0
    for _ in range(60):
        p, q = grown(rng, 2), grown(rng, 2)
        # Half of them nearly cancel.
        expression = (
            p - q
            if rng.random() < 0.5
            else sp.expand(p * q) - rewritten(p) * q * (1 + rng.choice((sp.S.Zero, T)) / 10**6)
        )
        if vanishes(expression):
            proved += 1
            assert size(expression) < mp.mpf("1e-30"), expression
    assert proved > 8  # the identities among them


FALSE = {
    "the root of a square is not its base": sp.sqrt(X**2) - X,
    "nor minus its base": sp.sqrt(X**2) + X,
    "with a shift": sp.sqrt((X - 1) ** 2) - (X - 1),
    "hidden by expansion": sp.sqrt(sp.expand((X - Y) ** 2)) - (X - Y),
    "to the third": (X**2) ** sp.Rational(3, 2) - X**3,
    "nested": sp.sqrt(sp.sqrt(X**4)) - X,
    "complex": sp.sqrt(W**4) - W**2,
    "roots of products of reals": sp.sqrt(X * Y) - sp.sqrt(X) * sp.sqrt(Y),
    "roots of quotients of reals": sp.sqrt(1 / X) - 1 / sp.sqrt(X),
    "roots of differences of squares": sp.sqrt(X - 1) * sp.sqrt(X + 1) - sp.sqrt(X**2 - 1),
    "a sign under the root": sp.sqrt(1 - X) - sp.I * sp.sqrt(X - 1),
    "Pythagoras with the wrong sign": sp.sqrt(1 - T**2) - 1 + T,
    "arcsine is not odd around 1/2": sp.asin(T) - sp.asin(1 - T),
    "complementary angles": sp.asin(T) - sp.acos(T),
    "a function at other arguments": sp.Function("f")(X) - sp.Function("f")(Y),
    "expectations under other laws": Expectation(X) - Expectation(X, T),
    "other derivatives": Phi(0, X) - Phi(1, X),
    "a step squared is not minus itself": sp.Heaviside(X) ** 2 + sp.Heaviside(X),
    "a small number": sp.Rational(1, 10**300) + 0 * X,
    "pi is not 355/113": (sp.pi - sp.Rational(355, 113)) * X,
    "a nearly nested root": sp.sqrt(2) + sp.sqrt(3) - sp.sqrt(5 + 2 * sp.sqrt(6)) + sp.Rational(1, 10**40),
    "sums over other ranges": sp.Sum(sp.IndexedBase("w")[sp.Symbol("k")], (sp.Symbol("k"), 1, 2)) - S,
}


@pytest.mark.parametrize("title", FALSE)
def test_hostile_falsehoods_are_not_proved(title: str) -> None:
    assert not vanishes(FALSE[title])
    assert not vanishes(FALSE[title] * (1 + S) / (2 + T**2))


TRUE = {
    "zero": sp.S.Zero,
    "modulus": sp.sqrt(X**2) - sp.Abs(X),
    "fourth power of a real": sp.sqrt(X**4) - X**2,
    "scale out of a root": sp.sqrt(4 * S**2 * (1 - T**2)) - 2 * S * ROOT,
    "inverse odd powers": (1 - T**2) ** sp.Rational(-3, 2) * (1 - T**2) - 1 / ROOT,
    "arc functions": sp.asin(T) + sp.acos(T) - sp.pi / 2,
    "oddness": sp.asin(T) + sp.asin(-T),
    "derivative of an arcsine": sp.asin(T).diff(T) * ROOT - 1,
    "a root within a root": sp.sqrt(1 + sp.sqrt(1 + T**2)) ** 4 - 2 * (1 + sp.sqrt(1 + T**2)) - T**2,
    "square of a root of a negative number": sp.sqrt(-S - 1) ** 2 + S + 1,
}


@pytest.mark.parametrize("title", TRUE)
def test_textbook_identities_are_proved(title: str) -> None:
    assert vanishes(TRUE[title])


def test_roots_of_other_degree_are_not_decided_silently() -> None:
    with pytest.raises(
        NotImplementedError, match=r"^only square roots have a normal form here, got exponent 1/3$"
    ):
        vanishes((1 + X) ** sp.Rational(1, 3) - 1)


def test_it_ends_on_towers_of_roots() -> None:
    tower = T
    for _ in range(8):
        tower = sp.sqrt(1 + tower**2)
    assert vanishes(tower**2 - tower.args[0])
    assert not vanishes(tower**2 - tower.args[0] - sp.Rational(1, 10**6))
