r"""The law of the preactivations in norms and cosine of the data.

\[ s_1^2 = s_{in}^2\sigma_w^2 r_i^2,\qquad s_2^2 = s_{in}^2\sigma_w^2 r_j^2,\qquad c = s_{in}^2\sigma_w^2 r_i r_j\rho. \]

With biases r_i, r_j and rho are norms and cosine of the rows \((x, e)\), \(e = s_b\sigma_b/(s_{in}\sigma_w)\), that is of
the preactivations.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from derivations.derivation import Step
from derivations.hidden_unit import GRAM, parametrization_steps, second_moment
from derivations.networks import TwoLayer
from derivations.rules import rewrite
from derivations.symbols import (
    Expectation,
    c,
    d,
    gate_values,
    l,
    r_i,
    r_j,
    rho,
    s_1,
    s_2,
    sigma_v,
    sigma_w,
    u_1,
    u_2,
    x,
    y,
)


def geometry_steps(network: TwoLayer) -> Iterator[Step]:
    """Steps that name the preactivations' moments and the data's norms and cosine, and put the parametrization in."""
    chosen, biased = network.parametrization, network.parametrization.has_biases
    yield Step("Deviation of the preactivation at x", s_1, sp.sqrt(Expectation(u_1**2)), "definition")
    yield Step("Deviation of the preactivation at y", s_2, sp.sqrt(Expectation(u_2**2)), "definition")
    yield Step("Covariance of the preactivations", c, Expectation(u_1 * u_2), "definition")
    sums = {
        u_1**2: (sp.Sum(x[l] ** 2, (l, 1, d)), r_i**2),
        u_2**2: (sp.Sum(y[l] ** 2, (l, 1, d)), r_j**2),
        u_1 * u_2: (GRAM, rho * r_i * r_j),
    }
    moments = [
        Step("Second moment", Expectation(moment), second_moment(sigma_w, total, biased), "Isserlis")
        for moment, (total, _) in sums.items()
    ]
    yield from moments
    title = "Norms and cosine of the rows (x, e)" if biased else "Norms and cosine of the data"
    definitions = [
        Step(title, total, value - chosen.extension, "definition") for total, value in sums.values()
    ]
    yield from definitions
    yield from parametrization_steps(network)
    if biased:  # what the extension is for: the preactivations' law in norms and cosine alone
        gates = [Expectation(sp.Mul(*gate_values(index))) for index in range(1, network.gates + 1)]
        laws = {step.lhs: step.rhs for step in moments} | dict.fromkeys(
            gates, second_moment(sigma_v, GRAM, True)
        )
        for moment, law in laws.items():
            value = sp.expand(chosen.at(rewrite(law, definitions)))
            yield Step("In norms and cosine", moment, value, "substitution")
