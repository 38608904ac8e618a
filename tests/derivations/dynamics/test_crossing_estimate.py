"""How many crossings there are and where, about: the steps, what they are made of, and real eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derivations import kernel_function
from derivations.crossing_symbols import LABELS, STEP
from derivations.derivation import Derivation
from derivations.dynamics import (
    ExpectedLoss,
    crossing_estimate,
    crossing_formula,
    crossing_theorem,
    crossings,
    expected_loss,
)
from derivations.dynamics.crossing_estimate import MOST_CORRECTION, CrossingEstimate, _Blocks
from derivations.errors import InputError
from derivations.learning_symbols import eta
from derivations.printing.text import steps_text
from derivations.spectrum.problem import problem
from derivations.symbols import d, m, n
from verify.inputs import generate

NETWORKS = ("relu", "reglu")
DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "theorem": crossing_theorem,
    "formula nngp": partial(crossing_formula, "nngp"),
    "formula kernel": partial(crossing_formula, "kernel"),
}


@pytest.mark.parametrize("name", DERIVATIONS)
def test_the_steps_hold_and_say_which_of_them_are_not_proved(name: str):
    found = DERIVATIONS[name]()
    found.check()
    heuristic = [step.title for step in found.steps if step.status != "proved"]
    assert heuristic == ([] if name == "theorem" else ["The difference of the losses"])
    assert ("heuristic" in "\n".join(steps_text(found))) is (name != "theorem")


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_wrong_step_is_noticed(name: str, follows):
    steps = DERIVATIONS[name]().steps
    for number, step in enumerate(steps):
        earlier = steps[:number]
        assert follows(step, earlier), step.title
        wrong: list[dict[str, object]] = [{"rhs": sp.Symbol("nonsense")}, {"lhs": sp.Symbol("nonsense")}]
        if step.rhs == sp.true:
            left, right = step.lhs.args
            wrong += [
                {"rhs": sp.false},
                {"lhs": step.lhs.func(left, right + 1)},
                {"lhs": step.lhs.func(-left, right)},
            ]
        else:
            wrong += [{"rhs": side} for side in (2 * step.rhs, -step.rhs, step.rhs + 1)]
            swaps = ((STEP, 2 * STEP), (m, m + 1), (d, 2 * d), (eta, 2 * eta))
            wrong += [{"rhs": changed} for swap in swaps if (changed := step.rhs.subs(*swap)) != step.rhs]
        for change in wrong:
            assert not follows(replace(step, **change), earlier), (step.title, change)  # type: ignore[arg-type]
        for rule in {other.rule for other in steps} - {step.rule}:
            assert not follows(replace(step, rule=rule), earlier), (step.title, rule)


def test_the_theorem_needs_its_premises(follows):
    steps = crossing_theorem().steps
    for number, without in ((3, 2), (5, 3), (5, 4)):
        assert not follows(steps[number], steps[:without] + steps[without + 1 : number])


modes = st.lists(st.tuples(st.floats(0.02, 2.0), st.floats(0.05, 5.0)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(slow=modes, fast=modes)
def test_losses_whose_partial_sums_change_sign_once_cross_once(slow, fast):
    # All modes of one loss are slower than all of the other, which has more weight.
    apart = max(x for x, _ in slow) + 0.5
    quick = [(x + apart, w) for x, w in fast]
    assume(sum(w for _, w in slow) < 0.9 * sum(w for _, w in quick))
    first, second = (
        ExpectedLoss(
            -np.array([x for x, _ in sorted(part)[::-1]]),
            np.array([w for _, w in sorted(part)[::-1]]),
            sum(w for _, w in part) / 2,
        )
        for part in (slow, quick)
    )
    found = crossings(first, second, last=10**4)
    assert (found.most, found.ahead_at_start, found.ahead_at_last, len(found.steps)) == (1, -1, 1, 1)


@pytest.mark.parametrize("data", ["sphere", "gaussian"])
@pytest.mark.parametrize("initial", ["nngp", "kernel"])
@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_have_the_moments_of_drawn_rows(name: str, initial: str, data: str):
    count, dimension, width, draws = 120, 8, 30, 40
    asked = problem(name, count, dimension, width, data)
    blocks = _Blocks.of(asked, initial, 0.5)
    masses, rng = asked.expansion.masses, np.random.default_rng(0)
    kernel = kernel_function(name, width=width)
    outputs = kernel if initial == "kernel" else kernel_function(name, kind="nngp")
    # Masses of degrees 0 and 1 of the covariance: what the width multiplies in those of the kernel.
    wider = problem(name, count, dimension, width + 1, data).expansion.masses
    low = masses if initial == "kernel" else wider - masses
    found = []
    for _ in range(draws):
        X = generate(data, count, dimension, rng)
        lengths = np.sum(X**2, axis=1) / dimension
        cosines = X @ X.T / np.sqrt(np.multiply.outer(lengths, lengths)) / dimension
        weights = np.multiply.outer(lengths, lengths) ** (asked.power / 2)
        K = kernel(X) - weights * (masses[0] + masses[1] * cosines)
        C = outputs(X) - weights * (low[0] + low[1] * cosines) + 0.5 * np.eye(count)
        found.append([np.trace(C), np.trace(K @ C), np.trace(K @ K @ C)])
    energy, first, second = np.mean(found, axis=0) / count
    spread = np.std(found, axis=0) / np.mean(found, axis=0) / np.sqrt(draws)
    # n / N instead of (n - 1) / N and triples of (n - 1)(n - 2) / N^2: a share of at most 3 / n; 4 standard errors.
    tolerance = 3 / count + 4 * spread
    left = count - dimension - 1
    assert blocks.energy / left == pytest.approx(energy, rel=tolerance[0])
    assert blocks.mean == pytest.approx(first / energy, rel=tolerance[:2].sum())
    assert blocks.variance + blocks.mean**2 == pytest.approx(second / energy, rel=tolerance.sum())


CASES = (
    # n, d, m, data, initial
    (300, 20, 1000, "gaussian", "nngp"),
    (300, 50, 100, "gaussian", "nngp"),
    (300, 50, 1000, "sphere", "kernel"),
    (200, 30, 100, "sphere", "nngp"),
    (250, 50, 4000, "gaussian", "kernel"),
)


@pytest.mark.parametrize(("count", "dimension", "width", "data", "initial"), CASES)
@pytest.mark.parametrize("share", [0.2, 1.0])
def test_losses_of_drawn_rows_cross_where_estimated(count, dimension, width, data, initial, share):
    X = generate(data, count, dimension, np.random.default_rng(1))
    kernels = [kernel_function(name, width=width)(X) for name in NETWORKS]
    outputs = kernels if initial == "kernel" else [kernel_function(name, kind="nngp")(X) for name in NETWORKS]
    step = share / max(np.linalg.eigvalsh(K)[-1] for K in kernels)
    plain, gated = (
        expected_loss(K, step, np.zeros(count), C + np.eye(count))
        for K, C in zip(kernels, outputs, strict=True)
    )
    (crossing, *_) = crossings(plain, gated).steps
    found = crossing_estimate(count, dimension, width, float(step), data, initial)
    assert found is not None
    assert found.reliable
    # Measured on 160 draws: 8 % in nine of ten, and a step is a step.
    assert abs(ceil(found.step) - crossing) <= 1 + 0.08 * crossing


def test_the_logarithm_tends_to_the_formula_in_high_dimensions():
    for initial in ("nngp", "kernel"):
        formula = crossing_formula(initial).steps[-1].rhs
        off = []
        for dimension in (50, 200, 800):
            width, step = 10 * dimension, 1e-7
            found = crossing_estimate(4 * dimension, dimension, width, step, "sphere", initial)
            exact = float(formula.subs({m: width, d: dimension, eta: step, LABELS: 1}))
            assert found is not None
            off.append(abs(found.logarithm / exact - 1))
        # Masses by harmonics and by powers of the cosine differ by 1/d, energies by n / N_2 = 8 / d.
        assert off[2] < off[1] / 3 < off[0] / 9
        assert off[2] < 0.03
    assert not formula.has(n)


def test_an_estimate_says_when_it_is_not_to_be_relied_on():
    # n between the multiplicities of degrees 2 and 3: eigenvalues beyond degree 1 are far from one.
    far = crossing_estimate(600, 20, 1000, 1e-5, initial="kernel")
    assert far is not None
    assert not far.reliable
    assert CrossingEstimate(10.0, 10 * (1 + MOST_CORRECTION) - 0.01).reliable
    assert not CrossingEstimate(10.0, 10 * (1 - MOST_CORRECTION) - 0.01).reliable


@pytest.mark.parametrize(
    "changes",
    [
        {"initial": "zero"},
        {"n": 21},
        {"first": "reglu", "second": "relu"},
        {"eta": 1.0},
        # No energy beyond degree 1 without targets; eigenvalues there that vary too much.
        {"first": "identity", "second": "bilinear", "initial": "kernel", "variance": 0.0},
        {
            "first": "reglu",
            "second": "gqu",
            "initial": "kernel",
            "data": "sphere",
            "width": 1000,
            "eta": 1e-6,
        },
    ],
)
def test_there_is_no_estimate_where_the_argument_gives_none(changes):
    assert crossing_estimate(**{"n": 300, "d": 20, "width": 100, "eta": 1e-4} | changes) is None


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"eta": 0.0}, "eta must be positive"),
        ({"eta": float("nan")}, "eta must be positive"),
        ({"variance": -1.0}, "variance must be"),
        ({"initial": "ntk"}, "initial must be"),
        ({"second": "swiglu"}, "data must be sphere"),
        ({"data": "digits"}, "data must be"),
        ({"width": 0}, "width must be"),
    ],
)
def test_other_arguments_are_refused(changes, line: str):
    with pytest.raises(InputError, match=line):
        crossing_estimate(**{"n": 300, "d": 20, "width": 100, "eta": 1e-4} | changes)
    with pytest.raises(InputError, match="initial must be"):
        crossing_formula("zero")
