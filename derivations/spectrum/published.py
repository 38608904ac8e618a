r"""The published extreme eigenvalues of ReLU kernels, derived as their source must have: every "~" in a step of its own.

From the simplified matrices \(\alpha G^{\circ(g+1)} + \beta\,(rr^T)\circ G^{\circ g} + \gamma D^{g+1}\) of Gaussian rows:
norms are replaced by their mean, the vector of ones stands for the top eigenvector, Weyl's inequalities are read as
equalities, and the edges are those of Marchenko and Pastur. Steps that are no theorem say *heuristic*.
"""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.kernel_derivation import derive
from derivations.matrix_symbols import (
    GATED,
    IDENTITY,
    ONES,
    PLAIN,
    Largest,
    Mean,
    Smallest,
    gram,
    norms,
    rank_one,
)
from derivations.rules import rewrite
from derivations.symbols import alpha, beta, d, gamma, n

NETWORKS = ("relu", "reglu")
EDGES = {
    Smallest(gram(1)): d * sp.Max(0, 1 - sp.sqrt(n / d)) ** 2,
    Smallest(gram(2)): d**2 * sp.Max(0, 1 - sp.sqrt(2 * n) / d) ** 2,
}
r"""Of X X^T, and of its Hadamard square as if its d^2/2 features were independent."""


def simplified(gates: int) -> sp.Expr:
    """The simplified matrix of the network with 0 or 1 gate."""
    return alpha * gram(gates + 1) + beta * rank_one(gates) + gamma * norms(gates + 1)


def _matrix_steps(gates: int) -> list[Step]:
    coefficients = derive(NETWORKS[gates]).coefficients
    matrix = (PLAIN, GATED)[gates]
    steps = [
        Step(f"{name}, derived", name, getattr(coefficients, name.name), "derived coefficient")
        for name in (alpha, beta, gamma)
    ]
    steps.append(Step("Simplified matrix", matrix, simplified(gates), "simplified matrix"))
    concentrated = simplified(gates).subs(
        {norms(gates + 1): d ** (gates + 1) * IDENTITY, rank_one(gates): d * (gram(1) if gates else ONES)}
    )
    steps.append(Step("Norms |x_i|^2 = d", matrix, concentrated, "norms at their mean"))
    return steps


def _shift_steps(gates: int, eigenvalue: type[sp.Function]) -> tuple[list[Step], sp.Expr]:
    """The multiple of the identity taken out; also the matrix that is left."""
    steps = _matrix_steps(gates)
    matrix = steps[-1].rhs
    constant = matrix.coeff(IDENTITY)
    rest = matrix - constant * IDENTITY
    name = (PLAIN, GATED)[gates]
    steps.append(
        Step("Shift by the identity", eigenvalue(name), eigenvalue(rest) + constant, "eigenvalue shift")
    )
    return steps, rest


def _mean_steps(form: sp.Expr, values: dict[sp.Expr, tuple[sp.Expr, str]]) -> list[Step]:
    """The largest eigenvalue in the direction of ones, as a linear form of means, and these."""
    linear = sp.Add(*(form.coeff(matrix) * Mean(matrix) for matrix in values))
    steps = [
        Step("The ones as top eigenvector", Largest(form), Mean(form), "direction of ones"),
        Step("Linear in the matrix", Mean(form), linear, "linearity of the mean"),
    ]
    for matrix, (value, rule) in values.items():
        steps.append(Step(f"Mean over Gaussian rows, of {matrix}", Mean(matrix), value, rule))
    return steps


def _plain_largest() -> list[Step]:
    steps, rest = _shift_steps(0, Largest)
    return steps + _mean_steps(rest, {gram(1): (d, "Gaussian mean"), ONES: (n, "Gaussian mean")})


def _gated_lower() -> list[Step]:
    steps, rest = _shift_steps(1, Largest)
    steps.append(
        Step("The term in G left out", Largest(rest), rest.coeff(gram(2)) * Largest(gram(2)), "part of a sum")
    )
    return steps + _mean_steps(gram(2), {gram(2): (n * d + d**2, "leading Gaussian mean")})


def _gated_upper() -> list[Step]:
    steps, rest = _shift_steps(1, Largest)
    parts = sp.Add(*(rest.coeff(matrix) * Largest(matrix) for matrix in (gram(2), gram(1))))
    steps.append(Step("Weyl's bound as the value", Largest(rest), parts, "Weyl as an equality"))
    steps += _mean_steps(gram(2), {gram(2): (n * d + d**2, "leading Gaussian mean")})
    steps.append(Step("Largest eigenvalue of X X^T", Largest(gram(1)), n + d, "edge without its cross term"))
    return steps


def _smallest(gates: int) -> list[Step]:
    steps, rest = _shift_steps(gates, Smallest)
    if gates:
        parts = sp.Add(*(rest.coeff(matrix) * Smallest(matrix) for matrix in (gram(2), gram(1))))
        steps.append(Step("Weyl's bound as the value", Smallest(rest), parts, "Weyl as an equality"))
    else:
        value = rest.coeff(gram(1)) * Smallest(gram(1))
        steps.append(Step("The rank-one term left out", Smallest(rest), value, "part of a sum"))
    steps += [
        Step(f"Lower edge of {edge.args[0]}", edge, value, "Marchenko-Pastur edge")
        for edge, value in EDGES.items()
        if steps[-1].rhs.has(edge)
    ]
    return steps


def _concluded(steps: list[Step], quantity: sp.Expr) -> list[Step]:
    value = sp.expand(rewrite(quantity, steps))
    return [*steps, Step("Put in", quantity, value, "substitution")]


_CHAINS = {
    ("A7", "lambda_1"): (_plain_largest, Largest(PLAIN)),
    ("A8", "lower"): (_gated_lower, Largest(GATED)),
    ("A8", "upper"): (_gated_upper, Largest(GATED)),
    ("A10", "lambda_n"): (lambda: _smallest(0), Smallest(PLAIN)),
    ("A11", "lambda_n"): (lambda: _smallest(1), Smallest(GATED)),
}


@lru_cache(maxsize=16)
def published_derivation(claim: str, formula: str) -> Derivation:
    """How a published formula follows, each approximation a step.

    Parameters
    ----------
    claim, formula : str
        ``("A7", "lambda_1")``, ``("A8", "lower")``, ``("A8", "upper")``, ``("A10", "lambda_n")``, ``("A11",
        "lambda_n")`` or ``("A13", "difference")``.

    Returns
    -------
    Derivation
        Its last step's right side is the formula, in ``n``, ``d`` and ``m``.

    Source: Wen et al. 2026 states the results; the steps are reconstructed here.

    Examples
    --------
    >>> chain = published_derivation("A7", "lambda_1")
    >>> chain.check()
    >>> chain.status, [step.title for step in chain.steps if step.status == "heuristic"]
    ('heuristic', ['Norms |x_i|^2 = d', 'The ones as top eigenvector'])
    >>> chain.steps[-1].rhs
    d/2 + m*n/(2*pi) - m/(2*pi) + m/2
    """
    if (claim, formula) == ("A13", "difference"):
        plain, gated = (published_derivation(id, "lambda_n").steps for id in ("A10", "A11"))
        difference = Smallest(GATED) - Smallest(PLAIN)
        edge = sp.sqrt(EDGES[Smallest(gram(1))] / d)
        value = sp.expand((gated[-1].rhs - plain[-1].rhs).subs(edge, 0))
        last = Step("For n > d, where X X^T is singular", difference, value, "rows beyond the dimension")
        return Derivation("The difference of the smallest eigenvalues", (*plain, *gated, last))
    build, quantity = _CHAINS[claim, formula]
    return Derivation(f"{claim}, {formula}, from the simplified matrix", tuple(_concluded(build(), quantity)))
