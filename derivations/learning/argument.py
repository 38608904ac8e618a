r"""Where the equations of `derivations.learning.residuals` come from, for rows of equal length, as checked steps.

Proved: gradient descent is an average of ridge regressions over a contour, and what is algebra. Heuristic: a row, and a
harmonic, left out meets the others as if independent of them. How good that is was measured
(``python -m benchmarks.learning``).
"""

from __future__ import annotations

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.hidden_unit import parametrization_steps
from derivations.learning_symbols import (
    BIAS,
    BULK,
    CHI,
    DESCENT,
    DIAGONAL,
    ERROR,
    EXPLAINED,
    FITTED,
    LEFT,
    MISFIT,
    RESOLVED,
    TARGET,
    VARIANCE,
    Contour,
    T,
    eta,
    omega,
    sigma,
    step,
    tau,
    theta,
    trace,
    trace_prime,
    u,
    zeta,
    zeta_prime,
)
from derivations.networks import check_gates, network
from derivations.ntk import general_steps
from derivations.rules.rule import known
from derivations.shift_law import shift_law_steps
from derivations.symbols import KERNEL, Coefficient, Hermite, d, j, k, m


def learning_argument() -> Derivation:
    r"""The test error after T steps, \(E(T) = \oint\oint p\,p'\,E(\zeta, \zeta')\), on equal rows.

    Source: derived here.

    Examples
    --------
    >>> argument = learning_argument()
    >>> argument.check()
    >>> argument.status, [step.title for step in argument.steps if step.status == "heuristic"]
    ('heuristic', ['What the others do not explain', 'A harmonic left out', 'A row is fresh to the others',
    'Variance'])
    """
    rate = (1 - eta * u) ** T
    weight = (1 - eta * zeta) ** T / zeta
    product = weight * weight.subs(zeta, zeta_prime) * ERROR
    steps = (
        Step(
            "T steps at once",
            sp.Sum(eta * (1 - eta * u) ** step, (step, 0, T - 1)),
            (1 - rate) / u,
            "geometric sum",
        ),
        Step("What is left of a mode", LEFT, rate, "remaining share"),
        Step(
            "As an average over ridges", rate, Contour(weight * -zeta / (u - zeta), zeta), "Cauchy's formula"
        ),
        Step(
            "A row left out",
            RESOLVED,
            (TARGET - FITTED) / (DIAGONAL - EXPLAINED - zeta),
            "row of a regression left out",
        ),
        Step("What the others do not explain", DIAGONAL - EXPLAINED, BULK, "self-averaging"),
        Step("Equation of the resolvent", zeta, BULK - 1 / trace, "trace of the resolvent"),
        Step("A harmonic left out", omega, tau[k] * trace * (theta - omega), "feature left out"),
        Step("Not learned of it", theta - omega, theta / (1 + tau[k] * trace), "linear equation"),
        Step("A row is fresh to the others", MISFIT, ERROR + sigma**2, "fresh row"),
        Step("Variance", VARIANCE, CHI * MISFIT, "fluctuation of a feature"),
        Step("Test error", ERROR, BIAS + VARIANCE, "orthogonal harmonics"),
        Step("Solved", ERROR + sigma**2, (BIAS + sigma**2) / (1 - CHI), "linear equation"),
        Step(
            "The denominator is not 0 outside of the spectrum",
            (zeta - zeta_prime) * trace * trace_prime / (trace - trace_prime),
            1 - CHI,
            "difference of resolvents",
        ),
        Step("Gradient descent", DESCENT, Contour(Contour(product, zeta), zeta_prime), "bilinear"),
    )
    return Derivation("The test error of kernel gradient descent on random rows of equal length", steps)


def free_design(gates: int = 0) -> Derivation:
    r"""Every \(\sum_{j\ge g} c_j \rho^j\), \(c_j \ge 0\), is the kernel of a network with g gates, at every width.

    Raises
    ------
    InputError
        For another number of gates than 0, 1 or 2.

    Source: derived here.

    Examples
    --------
    >>> theorem = free_design(1)
    >>> theorem.check()
    >>> theorem.status, theorem.steps[-2].lhs, theorem.steps[-2].rhs
    ('proved', a_(j - 1), sqrt(c_j)/sqrt(d*j + m))
    """
    check_gates(gates)
    described = network("relu", gates=gates)  # its activation stays the symbol phi in every step
    steps = [*general_steps(described), *parametrization_steps(described)]
    steps += shift_law_steps(described, known(KERNEL, steps))
    target = sp.Symbol("c_j", nonnegative=True)
    steps += [
        Step("The activation", Hermite(j - gates), sp.sqrt(target / (m + j * d)), "choice"),
        Step("The kernel wanted", Coefficient(j), target, "chosen activation"),
    ]
    return Derivation(f"Any kernel with degrees from {gates} on, with {gates} gates", tuple(steps))
