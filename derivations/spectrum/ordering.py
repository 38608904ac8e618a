r"""What a linear gate does to the spectrum, for every activation, width and data set: theorems, as checked steps.

With \(K^{(g)}_m\) the NTK with g gates at width m in the standard parametrization, G = XX^T and
\(p_i = |x_i|^2/d\),

\[ K^{(g)}_m = (G/d)^{\circ g} \circ K^{(0)}_{m+gd} \]

and by Schur's bounds of Hadamard products \(\lambda_n(K^{(g)}_m) \ge p_{min}^g \lambda_n(K^{(0)}_{m+gd})\),
\(\lambda_1(K^{(g)}_m) \le p_{max}^g \lambda_1(K^{(0)}_{m+gd})\).
"""

from __future__ import annotations

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.hidden_unit import parametrization_steps
from derivations.matrix_symbols import COVARIANCE, LEAST, MOST, Hadamard, Kernel, Largest, Smallest, gram
from derivations.networks import check_gates, network
from derivations.ntk import general_steps
from derivations.symbols import d, m


def gating_law(gates: int = 1) -> Derivation:
    r"""\(K^{(g)}_m = (G/d)^{\circ g} \circ K^{(0)}_{m+gd}\): from the networks' definitions, for any activation and norms.

    Raises
    ------
    InputError
        For another number of gates than 1 or 2.

    Source: derived here.

    Examples
    --------
    >>> law = gating_law(1)
    >>> law.check()
    >>> law.status, law.steps[-1].lhs, law.steps[-1].rhs
    ('proved', K^(1)[m], (G/d) o K^(0)[d + m])
    """
    check_gates(gates, least=1)
    gated = network("relu", gates=gates)  # its activation stays the symbol phi in every step
    law = Hadamard(gram(gates) / d**gates, Kernel(0, m + gates * d))
    steps = [
        *general_steps(gated),
        *parametrization_steps(gated),
        Step("Gating law", Kernel(gates, m), law, "gating law"),
    ]
    return Derivation(
        f"The kernel with {gates} linear gate{'s' * (gates > 1)}, from the one without", tuple(steps)
    )


def ordering_theorem(gates: int = 1, sphere: bool = False) -> Derivation:
    r"""Extreme eigenvalues and condition number with gates against those without, for all data.

    Parameters
    ----------
    gates : int
        1 or 2.
    sphere : bool
        At \(|x_i|^2 = d\), where \(\lambda_n(K^{(g)}_m) \ge \lambda_n(K^{(0)}_{m+gd}) \ge \lambda_n(K^{(0)}_m)\).

    Raises
    ------
    InputError
        For another number of gates than 1 or 2.

    Source: derived here, from Schur 1911 and Weyl 1912.

    Examples
    --------
    >>> theorem = ordering_theorem(sphere=True)
    >>> theorem.check()
    >>> theorem.steps[-1].lhs
    lambda_1(K^(1)[m])/lambda_n(K^(1)[m]) <= lambda_1(K^(0)[d + m])/lambda_n(K^(0)[d + m])
    """
    gated, wider, plain = Kernel(gates, m), Kernel(0, m + gates * d), Kernel(0, m)
    least, most = (sp.S.One, sp.S.One) if sphere else (LEAST**gates, MOST**gates)
    steps = list(gating_law(gates).steps)
    if sphere:
        steps += [Step("On the sphere", name, sp.S.One, "sphere lengths") for name in (LEAST, MOST)]
    quotient = Largest(gated) / Smallest(gated)
    steps += [
        Step("Linear in the width", wider, plain + gates * d * COVARIANCE, "readout block"),
        _true(
            "Smallest eigenvalue of the product", Smallest(gated) >= least * Smallest(wider), "Schur's bounds"
        ),
        _true("Largest eigenvalue of the product", Largest(gated) <= most * Largest(wider), "Schur's bounds"),
        _true("A wider network", Smallest(wider) >= Smallest(plain), "monotone in the width"),
        _true("At the same width", Smallest(gated) >= least * Smallest(plain), "chain of bounds"),
        _true(
            "Condition number",
            quotient <= most / least * Largest(wider) / Smallest(wider),
            "quotient of bounds",
        ),
    ]
    where = "on the sphere |x|^2 = d" if sphere else "for all data"
    return Derivation(
        f"Eigenvalues with {gates} linear gate{'s' * (gates > 1)} and without, {where}", tuple(steps)
    )


def _true(title: str, statement: sp.Expr, rule: str) -> Step:
    return Step(title, statement, sp.true, rule)
