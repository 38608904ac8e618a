"""A user's expression: what is read, what is refused in one clear line, and that nothing is ever run."""

from __future__ import annotations

import math
import os
import statistics
import sys
import time

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.activations import NAMED, activation, parse
from derivations.errors import InputError
from derivations.normal_form import from_expression
from derivations.symbols import z

BAD = {
    "__import__('os').system('x')": "activation may call max, min, abs, sign, step, exp, log, sqrt, sin, cos, tanh, ",
    "exec('1')": "activation may call max, min, abs, sign, step, exp, log, sqrt, sin, cos, tanh, erf, sigmoid only",
    "(lambda: z)()": "activation may call",
    "max.__class__(0, z)": "activation may call",
    "z.__class__": "activation must be an expression in z",
    "lambda z: z": "activation must be an expression in z",
    "[z for z in (1, 2)]": "activation must be an expression in z",
    "(z for z in z)": "activation must be an expression in z",
    "f'{z}'": "activation must be an expression in z",
    "'z'": "activation must be an expression in z",
    "z > 0": "activation must be an expression in z",
    "z if z else 1": "activation must be an expression in z",
    "1if z else 2": "activation must be an expression in z",
    "z and 1": "activation must be an expression in z",
    "not z": "activation must be an expression in z",
    "~z": "activation must be an expression in z",
    "z // 2": "activation must be an expression in z",
    "z % 2": "activation must be an expression in z",
    "z @ z": "activation must be an expression in z",
    "z << 3": "activation must be an expression in z",
    "z[0]": "activation must be an expression in z",
    "(y := z)": "activation must be an expression in z",
    "z = 1": "activation must be an expression in z",
    "z; z": "activation must be an expression in z",
    "z, z": "activation must be an expression in z",
    "{z}": "activation must be an expression in z",
    "*z": "activation must be an expression in z",
    "...": "activation must be an expression in z",
    "None": "activation must be an expression in z",
    "z + True": "activation must be an expression in z",
    "1j*z": "activation must be an expression in z",
    "await z": "activation must be an expression in z",
    "yield z": "activation must be an expression in z",
    "import os": "activation must be an expression in z",
    "": "activation must be an expression in z, got ''",
    "   ": "activation must be an expression in z, got ''",
    "+": "activation must be an expression in z",
    "z z": "activation must be an expression in z",
    "2z": "activation must be an expression in z",
    "q": "activation must be an expression in z, got the name 'q'",
    "x": "activation must be an expression in z, got the name 'x'",
    "Z": "activation must be an expression in z, got the name 'Z'",
    "nan*z": "activation must be an expression in z, got the name 'nan'",
    "5": "activation must depend on z",
    "pi": "activation must depend on z",
    "z - z": "activation must depend on z",
    "0*z": "activation must depend on z",
    "max()": "activation: max takes at least one argument",
    "abs(z, z)": "activation: abs takes one argument",
    "max(0, z, key=1)": "activation may call",
    "max(*[z])": "activation must be an expression in z",
    "z/0": "activation divides by zero in z / 0",
    "z/(1 - 1)": "activation divides by zero",
    "9**9**9": "activation's powers must be whole numbers from 0 to 32, got 387420489",
    "z**33": "activation's powers must be whole numbers from 0 to 32, got 33",
    "z**99999999999999999999": "activation's powers must be whole numbers from 0 to 32",
    "z**-1": "activation's powers must be whole numbers from 0 to 32, got -1",
    "z**0.5": "activation's powers must be whole numbers from 0 to 32, got 1/2",
    "2**z": "activation's powers must be whole numbers from 0 to 32, got z",
    "z*((((9**32)**32)**32)**32)**32": "activation's numbers must be within 1e-100 and 1e100",
    "z**(((9**32)**32)**32)": "activation's numbers must be within 1e-100 and 1e100",
    "z/7**32/7**32/7**32/7**32/7**32": "activation's coefficients must be within 1e-100 and 1e100",
    "1e308*z": "activation's numbers must be within 1e-100 and 1e100",
    "1e400*z": "activation must be an expression in z, got 1e309",
    "9" * 1900 + "*z": "activation's numbers must be within 1e-100 and 1e100",
    "(1e90*z)**2": "activation's coefficients must be within 1e-100 and 1e100",
    "(((z + 1)**32)**32)**32": "activation must have degree at most 32 in z, got degree 1024",
    "*".join(["(z + 1)"] * 33): "activation must have degree at most 32 in z, got degree 33",
    "z" * 10**6: "activation must have at most 2000 characters, got 1000000",
    "(" * 900 + "z" + ")" * 900: "activation must be an expression in z",
    "-" * 1900 + "z": "activation is nested too deeply",
    "\uff5a": "activation must be an expression in z of printable ASCII",  # full width z, which Python takes for z
    "\u1dbb": "activation must be an expression in z of printable ASCII",  # superscript z
    "\u1d22": "activation must be an expression in z of printable ASCII",  # small capital z
    "m\u0430x(0, z)": "activation must be an expression in z of printable ASCII",  # Cyrillic a
    "z \u2212 1": "activation must be an expression in z of printable ASCII",  # minus sign
    "\u0663*z": "activation must be an expression in z of printable ASCII",  # Arabic digit
    "z\u200b": "activation must be an expression in z of printable ASCII",
    "\ud800": "activation must be an expression in z of printable ASCII",
    "z\x00": "activation must be an expression in z of printable ASCII",
    "(z\n)": "activation must be an expression in z of printable ASCII",
    "z # */ or a comment": "activation must be an expression in z of printable ASCII",
    "1/z": "activation must be a polynomial in z on either side of 0",
    "max(1, z)": "activation must be a polynomial in z on either side of 0",
    "abs(z - 1)": "activation must be a polynomial in z on either side of 0",
    "z/(1 + abs(z))": "activation must be a polynomial in z on either side of 0",
    "step(z + 1)": "activation must be a polynomial in z on either side of 0",
    "max(z, z**2)": "activation must be a polynomial in z on either side of 0",
}


def _name(text: str) -> str:
    return ascii(text if len(text) < 40 else text[:37] + "...")


@pytest.mark.parametrize("text", BAD, ids=_name)
def test_a_bad_expression_gives_one_clear_line_at_once(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        from_expression(parse(text))
    # Each takes a few milliseconds; a tower of powers that is multiplied out takes for ever.
    assert time.perf_counter() - start < 5
    line = str(caught.value)
    assert line.startswith(BAD[text])
    assert line.isprintable()
    assert len(line) < 250
    assert capfd.readouterr() == ("", "")


def test_nothing_is_run_or_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("the text was run")

    monkeypatch.setattr(os, "system", forbidden)
    modules = set(sys.modules)
    for text in (
        "__import__('os').system('x')",
        "__import__('antigravity')",
        "exec('import this')",
        "open('/')",
    ):
        with pytest.raises(InputError):
            parse(text)
    assert not {"antigravity", "this"} & (set(sys.modules) - modules)


@pytest.mark.parametrize("name", NAMED)
def test_named_activations_are_the_functions_of_that_name(name: str) -> None:
    def expected(t: float) -> float:
        return {
            "relu": max(t, 0.0),
            "leaky_relu": t if t > 0 else t / 100,
            "abs": math.fabs(t),
            "step": float(t > 0),
            "relu2": max(t, 0.0) ** 2,
            "relu3": max(t, 0.0) ** 3,
            "identity": t,
            **{f"monomial{k}": t**k for k in range(2, 4)},
            **{
                f"hermite{k}": float(mp.hermite(k, t / mp.sqrt(2)) / mp.sqrt(2**k * mp.factorial(k)))
                for k in range(2, 4)
            },
            "erf": math.erf(t),
            "probit": statistics.NormalDist().cdf(t),
            "gelu": t * statistics.NormalDist().cdf(t),
            "gaussian": math.exp(-t * t / 2),
            "sin": math.sin(t),
            "cos": math.cos(t),
            "exp": math.exp(t),
            "sigmoid": 1 / (1 + math.exp(-t)),
            "silu": t / (1 + math.exp(-t)),
            "tanh": math.tanh(t),
            "softplus": math.log1p(math.exp(t)),
            "mish": t * math.tanh(math.log1p(math.exp(t))),
        }[name]

    for t in (-2.5, -1e-3, 1e-3, 0.75, 4.0):
        chosen = activation(name)
        forms = [chosen.phi] + ([chosen.normal_form.expression(z)] if chosen.has_normal_form else [])
        for form in forms:
            # The standard library's functions are right to some roundings.
            assert float(form.subs(z, sp.Rational(t))) == pytest.approx(expected(t), rel=1e-14)


def test_properties_of_named_activations() -> None:
    properties = {
        name: (a.homogeneity, a.is_continuous, a.parity) for name in NAMED for a in [activation(name)]
    }
    assert properties == {
        "relu": (1, True, None),
        "leaky_relu": (1, True, None),
        "abs": (1, True, "even"),
        "step": (0, False, None),
        "relu2": (2, True, None),
        "relu3": (3, True, None),
        "identity": (1, True, "odd"),
        **{f"monomial{k}": (k, True, "odd" if k % 2 else "even") for k in range(2, 4)},
        **{f"hermite{k}": (None, True, "odd" if k % 2 else "even") for k in range(2, 4)},
        "erf": (None, True, "odd"),
        "probit": (None, True, None),
        "gelu": (None, True, None),
        "gaussian": (None, True, "even"),
        "sin": (None, True, "odd"),
        "cos": (None, True, "even"),
        "exp": (None, True, None),
        "sigmoid": (None, True, None),
        "silu": (None, True, None),
        "tanh": (None, True, "odd"),
        "softplus": (None, True, None),
        "mish": (None, True, None),
    }
    closed = {name for name in NAMED if activation(name).has_normal_form}
    assert set(NAMED) - closed == {"sigmoid", "silu", "tanh", "softplus", "mish"}


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^activation 'leakyrelu' is unknown; did you mean leaky_relu\?$"):
        activation("leakyrelu")
    with pytest.raises(InputError, match=r"^activation 'quux' is unknown; known: relu, leaky_relu, "):
        activation("quux")


def test_decimals_are_read_as_typed() -> None:
    assert parse("0.1*z") == z / 10
    assert parse("1e-3*z + 2.5") == z / 1000 + sp.Rational(5, 2)


def test_a_caret_is_a_power() -> None:
    assert parse("z^2") == parse(" z**2\n") == z**2


LEAVES = st.sampled_from(
    ["z", "1", "2", "0.5", "3", "pi", "max(0, z)", "abs(z)", "sign(z)", "step(z)", "min(z, 3*z)"]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"({text})**2"),
        inner.map(lambda text: f"{text}/4"),
        inner.map(lambda text: f"max(0, {text}*z)"),
    )


def _evaluated(text: str, t: float) -> float:
    """The expression as Python itself evaluates it."""
    names = {
        "z": t,
        "pi": math.pi,
        "max": max,
        "min": min,
        "abs": abs,
        "sign": lambda v: math.copysign(1.0, v) if v else 0.0,
        "step": lambda v: float(v > 0) if v else 0.5,
    }
    return eval(text, {"__builtins__": {}}, names)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    text=st.recursive(LEAVES, _grown, max_leaves=6), t=st.floats(0.01, 3.0), side=st.sampled_from([-1.0, 1.0])
)
def test_the_normal_form_is_the_expression(text: str, t: float, side: float) -> None:
    try:
        form = from_expression(parse(text))
    except InputError as error:  # no z, or a knot elsewhere than at 0
        assert "depend on z" in str(error) or "either side of 0" in str(error) or "degree" in str(error)  # noqa: PT017
        return
    value = sum(
        float(coefficient) * (side * t) ** atom.n * (1.0 if atom.kind == "power" else float(side > 0))
        for atom, coefficient in form
    )
    # Terms of both sums are below 1e6 here, their number below 100, each is rounded to 1e-16 of it.
    size = sum(abs(float(coefficient)) * t**atom.n for atom, coefficient in form) + abs(
        _evaluated(text, side * t)
    )
    assert value == pytest.approx(_evaluated(text, side * t), abs=1e-13 * size + 1e-13)


def test_python_and_numpy_agree_on_which_expressions_hold() -> None:
    # The oracle above is itself checked: on ReLU it is NumPy's maximum.
    points = np.linspace(-2, 2, 9)
    assert [_evaluated("max(0, z)", t) for t in points] == np.maximum(points, 0).tolist()
