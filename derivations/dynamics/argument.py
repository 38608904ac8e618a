r"""The expected loss of gradient descent in the linearised regime, from the squared loss, as checked steps.

\[ E L_k = \tfrac12\operatorname{Tr}[(I-\eta K)^{2k} C_0] + \tfrac12 Y^T (I-\eta K)^{2k} Y
         = \tfrac12\sum_i (c_i + \beta_i^2)(1-\eta\lambda_i)^{2k} \]

and what \(C_0\) is: K in the model that is linear in parameters of unit variance, the NNGP covariance of a real
network, or 0.
"""

from __future__ import annotations

import sympy as sp

from derivations.arguments import check_choice
from derivations.derivation import Derivation, Step
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics_symbols import (
    EXPECTED,
    FACTOR,
    FLOW,
    LOSS,
    MATRIX,
    RESIDUAL,
    START,
    OfResidual,
    OfTargets,
    Trace,
    eigenvalue,
    energy,
    index,
    over_modes,
    steps,
    target,
    time,
)
from derivations.hidden_unit import parametrization_steps
from derivations.learning_symbols import eta
from derivations.matrix_symbols import OUTPUTS
from derivations.networks import network
from derivations.ntk import general_steps


def loss_argument(initial: str = "nngp", gates: int = 1) -> Derivation:
    r"""The expected loss after k steps and under gradient flow, for one of three initialisations.

    Parameters
    ----------
    initial : str
        ``"kernel"``: outputs \(J\theta\), \(\theta\) of unit variance, so \(C_0 = K\); ``"nngp"``: those of a real network
        in the standard parametrization, for any activation; ``"zero"``: \(f_0 = 0\).
    gates : int
        Of that real network.

    Raises
    ------
    InputError
        For another `initial` or number of gates.

    Source: derived here; for ``"kernel"`` the result is Wen et al. 2026, proposition 4.1.

    Examples
    --------
    >>> argument = loss_argument("kernel")
    >>> argument.check()
    >>> argument.status, argument.steps[-2].rhs
    ('proved', Sum((-eta*lambda[i] + 1)**(2*k)*(beta[i]**2 + lambda[i]), (i, 1, n))/2)
    """
    check_choice(initial, "initial", INITIAL_OR_ZERO)
    chain: list[Step] = []
    if initial == "nngp":
        described = network("relu", gates=gates)  # its activation stays the symbol phi in every step
        chain += [*general_steps(described), *parametrization_steps(described)]
    value, rule = {
        "kernel": (MATRIX, "parameters of unit variance"),
        "nngp": (OUTPUTS, "covariance of the outputs"),
        "zero": (sp.S.Zero, "no outputs at first"),
    }[initial]
    power = FACTOR ** (2 * steps)
    forms = OfTargets(power)
    weights = {"kernel": eigenvalue[index], "nngp": energy[index], "zero": sp.S.Zero}[initial]
    modes = weights + target[index] ** 2
    chain += [
        Step("One step", RESIDUAL(steps + 1), FACTOR * RESIDUAL(steps), "gradient step"),
        Step("k steps", RESIDUAL(steps), FACTOR**steps * RESIDUAL(0), "k gradient steps"),
        Step("The loss", LOSS(steps), OfResidual(power) / 2, "loss as a quadratic form"),
        Step(
            "Its expectation",
            EXPECTED(steps),
            (Trace(power * START) + forms) / 2,
            "mean of a quadratic form",
        ),
        Step("The outputs before the first step", START, value, rule),
        Step(
            "In matrix form",
            EXPECTED(steps),
            ((Trace(power * value) if value != 0 else sp.S.Zero) + forms) / 2,
            "covariance put in",
        ),
        Step(
            "In eigenvalues",
            EXPECTED(steps),
            over_modes(modes * (1 - eta * eigenvalue[index]) ** (2 * steps)) / 2,
            "sum over modes",
        ),
        Step(
            "Gradient flow, t = eta k",
            FLOW(time),
            over_modes(modes * sp.exp(-2 * eigenvalue[index] * time)) / 2,
            "gradient flow",
        ),
    ]
    return Derivation(f"The expected loss of gradient descent, initial outputs: {initial}", tuple(chain))
