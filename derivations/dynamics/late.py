r"""Who is ahead at last, as checked steps: the slowest modes decide, and on long rows the gated network's are faster.

With \(q = \max_i |1-\eta\lambda_i|\) over the modes with weight, W the sum of the weights of those that have it,

\[ \lim_{k\to\infty} \frac{E[L_k - \tilde L_k]}{\max(q,\tilde q)^{2k}} =
   \tfrac12 W \text{ if } q > \tilde q,\quad -\tfrac12\tilde W \text{ if } q < \tilde q,\quad
   \tfrac12(W-\tilde W) \text{ if } q = \tilde q, \]

and q is \(1-\eta\lambda_n\) as long as \(\eta(\lambda_1+\lambda_n)\le 2\), \(\eta\lambda_1-1\) beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.arguments import check_choice
from derivations.derivation import Derivation, Step
from derivations.dynamics.argument import loss_argument
from derivations.dynamics.difference import Difference
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics.loss import ExpectedLoss
from derivations.dynamics_symbols import EXPECTED, energy, steps, target
from derivations.late_symbols import (
    ALL_GATED,
    DECIDES,
    DIFFERENCE,
    FACTORS,
    HIGH,
    HIGH_GATED,
    LAST_DIFFERENCE,
    LAST_LOSS,
    LATE,
    LOW,
    LOW_GATED,
    SLOWEST,
    SLOWEST_GATED,
    WEIGHT,
    WEIGHT_GATED,
)
from derivations.learning_symbols import eta
from derivations.matrix_symbols import COVARIANCE, LEAST, Kernel, Smallest
from derivations.rules.rule import known
from derivations.spectrum.ordering import ordering_theorem
from derivations.symbols import d, m, n


@dataclass(frozen=True)
class LateStage:
    """Which of two losses is larger from some step on, whatever the others of their modes do.

    Attributes
    ----------
    ahead : int
        -1 if the first loss is the smaller one at last, 1 if the second one is, 0 if they are equal.
    factors : (float, float)
        q of each network: at last a step multiplies its loss by q^2.
    decided_from : float
        From this k on the order is proved; inf of losses that are equal.
    """

    ahead: int
    factors: tuple[float, float]
    decided_from: float


def late_stage(first: ExpectedLoss, second: ExpectedLoss) -> LateStage:
    r"""Who is ahead at last, and a step from which on that is certain.

    With \(q > \tilde q\) the first loss is the larger one for all
    \(k \ge \log(\tilde T/W) / (2\log(q/\tilde q))\), \(\tilde T\) the second one's whole weight; modes that both have cancel
    first, so that one which neither learns decides nothing.

    Source: derived here (`late_argument`).

    Examples
    --------
    >>> import numpy as np
    >>> from derivations.dynamics.loss import expected_loss
    >>> spread = expected_loss(np.diag([1.0, 0.01]), 0.5, [1.0, 1.0])
    >>> compact = expected_loss(np.diag([0.3, 0.1]), 0.5, [1.0, 1.0])
    >>> stage = late_stage(spread, compact)
    >>> stage.ahead, stage.factors, round(stage.decided_from, 2)
    (1, (0.995, 0.95), 7.49)
    """
    ahead, decided_from = Difference.of(first, second).leading()
    return LateStage(ahead, (first.rate, second.rate), decided_from)


def late_argument(initial: str = "nngp", gates: int = 1) -> Derivation:
    """Which loss is larger at last and from which step on, from the loss in eigenvalue form.

    Parameters
    ----------
    initial, gates
        As for `derivations.dynamics.loss_argument`.

    Raises
    ------
    InputError
        As there.

    Source: derived here.

    Examples
    --------
    >>> argument = late_argument("kernel")
    >>> argument.check()
    >>> argument.status, argument.steps[-1].lhs, argument.steps[-1].rhs
    ('proved', k_late, log(T~/W)/(2*log(q/q~)))
    """
    check_choice(initial, "initial", INITIAL_OR_ZERO)
    # Gradient flow, the last step there, is another loss.
    chain = loss_argument(initial, gates).steps[:-1]
    twice = 2 * known(EXPECTED(steps), chain)
    modes = twice.function.subs(steps, 0)
    deciding = sp.Sum(modes * DECIDES, *twice.limits)
    cases = (SLOWEST > SLOWEST_GATED, SLOWEST < SLOWEST_GATED, sp.true)
    last = (WEIGHT / 2, -WEIGHT_GATED / 2, (WEIGHT - WEIGHT_GATED) / 2)
    power, gated_power = SLOWEST ** (2 * steps), SLOWEST_GATED ** (2 * steps)
    own = [
        Step(
            "The slowest of all modes", FACTORS, sp.Max(1 - eta * LOW, eta * HIGH - 1), "ends of the spectrum"
        ),
        Step("Which end decides", SLOWEST, _larger_end(LOW, HIGH), "larger end"),
        Step("With gates", SLOWEST_GATED, _larger_end(LOW_GATED, HIGH_GATED), "larger end"),
        Step("The loss at last", LAST_LOSS, deciding / 2, "slowest modes are left"),
        Step("The weight that decides", WEIGHT, deciding, "weight of the slowest"),
        Step(
            "The difference at last",
            LAST_DIFFERENCE,
            sp.Piecewise(*zip(last, cases, strict=True)),
            "slower network is left",
        ),
        Step(
            "Positive if the gated network is ahead",
            sp.sign(LAST_DIFFERENCE),
            sp.Piecewise(*zip((1, -1, sp.sign(WEIGHT - WEIGHT_GATED)), cases, strict=True)),
            "sign case by case",
        ),
        Step(
            "In smallest eigenvalues",
            SLOWEST - SLOWEST_GATED,
            eta * (LOW_GATED - LOW),
            "short steps",
        ),
        Step(
            "At every step",
            sp.Ge(DIFFERENCE, (WEIGHT * power - ALL_GATED * gated_power) / 2),
            sp.true,
            "one mode against all",
        ),
        Step(
            "Ahead from this step on",
            LATE,
            sp.log(ALL_GATED / WEIGHT) / (2 * sp.log(SLOWEST / SLOWEST_GATED)),
            "solved for the step",
        ),
    ]
    return Derivation(f"Who is ahead at last, initial outputs: {initial}", (*chain, *own))


def late_theorem(gates: int = 1) -> Derivation:
    r"""With gates a real network is ahead at last on all rows of \(|x|^2 \ge d\), for every activation and width.

    More exactly, with \(p = |x|^2/d\), if \(p_{min}^g > \lambda_n(K)/(\lambda_n(K) + g d\lambda_n(\Sigma))\), which is sharp
    for a single row. Needed: \(\lambda_n(\Sigma) > 0\), Sigma the covariance E[phi phi] of a neuron at the rows, and
    \(\eta(\lambda_n + \tilde\lambda_1) < 2\), for which \(\eta \le 1/\max(\lambda_1, \tilde\lambda_1)\) is enough. Shorter
    rows can turn the order round (`derivations.dynamics.reversal`), whatever their number.

    Parameters
    ----------
    gates : int
        1 or 2.

    Raises
    ------
    InputError
        For another number of gates.

    Source: derived here, from Schur 1911 and Weyl 1912.

    Examples
    --------
    >>> theorem = late_theorem()
    >>> theorem.check()
    >>> [step.title for step in theorem.steps[-2:]]
    ['The gated network is faster at its slowest', 'The gated network is ahead at last']
    """
    ordering = ordering_theorem(gates).steps
    gated, wider, plain = Kernel(gates, m), Kernel(0, m + gates * d), Kernel(0, m)
    more = Smallest(plain) + gates * d * Smallest(COVARIANCE)
    # The last three are about steps of other lengths, and about when.
    kept = [step for step in late_argument("nngp", gates).steps[:-3] if step not in ordering]
    own = [
        _true("More than monotone in the width", Smallest(wider) >= more, "Weyl's inequality"),
        _true("With gates", Smallest(gated) >= LEAST**gates * more, "chain of bounds"),
        Step(
            "Which rows are long enough",
            sp.Gt(LEAST**gates * more, Smallest(plain)),
            sp.Gt(LEAST**gates, Smallest(plain) / more),
            "solved for the length",
        ),
        _true("On long rows", Smallest(gated) > Smallest(plain), "long rows"),
        _true("The last mode has weight", energy[n] + target[n] ** 2 > 0, "weight of the last mode"),
        _true(
            "The gated network is faster at its slowest", SLOWEST > SLOWEST_GATED, "gated factor is smaller"
        ),
        _true("The gated network is ahead at last", sp.Eq(sp.sign(LAST_DIFFERENCE), 1), "first case"),
    ]
    return Derivation(
        f"The late stage with {gates} linear gate{'s' * (gates > 1)}, on rows of |x|^2 >= d",
        (*ordering, *kept, *own),
    )


def _larger_end(low: sp.Symbol, high: sp.Symbol) -> sp.Expr:
    return sp.Piecewise((1 - eta * low, eta * (high + low) <= 2), (eta * high - 1, True))


def _true(title: str, statement: sp.Expr, rule: str) -> Step:
    return Step(title, statement, sp.true, rule)
