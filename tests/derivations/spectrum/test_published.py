"""The published eigenvalues follow from the simplified matrices by the steps given, and from no others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from derivations.derivation import Derivation, DerivationError
from derivations.identity import vanishes
from derivations.matrix_symbols import Largest, Mean, Smallest, gram
from derivations.rules import RULES
from derivations.sources import STATEMENTS
from derivations.spectrum.published import published_derivation
from derivations.symbols import d, m, n

CHAINS = [
    ("A7", "lambda_1"),
    ("A8", "lower"),
    ("A8", "upper"),
    ("A10", "lambda_n"),
    ("A11", "lambda_n"),
    ("A13", "difference"),
]
HEURISTIC = {
    "A7": {"norms at their mean", "direction of ones"},
    "A10": {"norms at their mean", "part of a sum", "Marchenko-Pastur edge"},
    "A11": {"norms at their mean", "Weyl as an equality", "Marchenko-Pastur edge"},
}


@pytest.mark.parametrize(("claim", "formula"), CHAINS)
def test_every_published_formula_is_the_end_of_a_chain_that_holds(claim: str, formula: str) -> None:
    chain = published_derivation(claim, formula)
    chain.check()
    assert vanishes(chain.steps[-1].rhs - STATEMENTS[claim].formula(formula))
    assert chain.status == "heuristic"
    if claim in HEURISTIC:
        assert {step.rule for step in chain.steps if step.status == "heuristic"} == HEURISTIC[claim]


@pytest.mark.parametrize(("claim", "formula"), CHAINS)
def test_half_a_percent_in_any_step_is_noticed(claim: str, formula: str) -> None:
    steps = published_derivation(claim, formula).steps
    for number, step in enumerate(steps):
        for wrong in (step.rhs * sp.Rational(201, 200), step.rhs + d, -step.rhs):
            planted = (*steps[:number], replace(step, rhs=wrong), *steps[number + 1 :])
            with pytest.raises(DerivationError, match=rf"step {number + 1} "):
                Derivation("planted", planted).check()


def test_no_rule_gives_what_another_one_gives() -> None:
    steps = published_derivation("A8", "upper").steps
    for number, step in enumerate(steps):
        for rule in {step.rule for step in steps} - {step.rule, "substitution"}:
            # What Weyl bounds, linearity of the mean gives for means only.
            planted = (*steps[:number], replace(step, rule=rule))
            with pytest.raises(DerivationError):
                Derivation("planted", planted).check()


@pytest.mark.parametrize(
    ("lhs", "rhs", "rule"),
    [
        (Mean(gram(2)), n * d + d**2, "Gaussian mean"),  # the mean is n d + d^2 + d
        (Mean(gram(2)), n * d + d**2 + d, "leading Gaussian mean"),
        (Smallest(gram(2)), d**2 * sp.Max(0, 1 - sp.sqrt(n) / d) ** 2, "Marchenko-Pastur edge"),
        (Largest(gram(1)), d * sp.Max(0, 1 - sp.sqrt(n / d)) ** 2, "Marchenko-Pastur edge"),
        (Largest(gram(1)), (sp.sqrt(n) + sp.sqrt(d)) ** 2, "edge without its cross term"),
        (Smallest(gram(1)), Mean(gram(1)), "direction of ones"),
        (Largest(m * gram(1) + gram(2)), m * Largest(gram(1)) + Largest(gram(2)), "Weyl as an equality"),
    ],
)
def test_what_is_not_so_is_refused(lhs: sp.Expr, rhs: sp.Expr, rule: str) -> None:
    assert not RULES[rule].holds(lhs, rhs, ())


def test_exact_means_are_those_of_drawn_rows() -> None:
    import numpy as np

    rows, dimension, draws = 7, 3, 40_000
    X = np.random.default_rng(0).standard_normal((draws, rows, dimension))
    G = X @ X.transpose(0, 2, 1)
    for power, value in ((1, d), (2, n * d + d**2 + d)):
        assert RULES["Gaussian mean"].holds(Mean(gram(power)), value, ())
        means = (G**power).sum(axis=(1, 2)) / rows
        expected = float(value.subs({n: rows, d: dimension}))
        assert abs(means.mean() - expected) < 5 * means.std() / np.sqrt(draws)
