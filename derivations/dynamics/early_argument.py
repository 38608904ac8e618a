r"""The early stage in checked steps: from the expected loss to the exact n, d and m at which the plain loss falls faster.

\[ \frac{d}{d\eta} E L_k\Big|_{\eta=0} = -k\,\big(\operatorname{Tr}[K C_0] + Y^T K Y\big),\qquad
   E\operatorname{Tr}[K C_0] - E\operatorname{Tr}[\tilde K\tilde C_0] = n\,(A + (n-1)Q) \]

over Gaussian rows; the threshold \(1 - A/Q\), its limits, and for which d and m there is one.
"""

from __future__ import annotations

from functools import cache
from itertools import count

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.dynamics.argument import loss_argument
from derivations.dynamics.early import early_stage
from derivations.dynamics.initial import Initial
from derivations.dynamics.moments import expected_trace, expected_trace_with_outputs, trace_polynomial
from derivations.dynamics_symbols import MATRIX, OfTargets, Trace, steps
from derivations.early_symbols import (
    CRITICAL,
    DIAGONAL,
    GAPS,
    LEAST,
    PAIRS,
    SLOPE,
    THRESHOLD,
    MeanOutputs,
    MeanTrace,
    Negative,
    NeverEnough,
    PositiveFrom,
    ratio,
)
from derivations.kernel_derivation import derive
from derivations.matrix_symbols import GATED, OUTPUTS, PLAIN
from derivations.spectrum.published import NETWORKS, simplified
from derivations.symbols import alpha, beta, d, gamma, m, n

PUBLISHED_ROWS = 300
"""Stated to be enough at every d from 5 on."""


@cache
def early_argument(initial: Initial = "kernel") -> Derivation:
    r"""From which n on the plain loss falls faster early, with the simplified matrices, as checked steps.

    Parameters
    ----------
    initial : str
        As for `early_stage`.

    Raises
    ------
    InputError
        For another `initial`.

    Source: derived here; the simplified matrices are Wen et al. 2026, equations 10 and 11.

    Examples
    --------
    >>> argument = early_argument("nngp")
    >>> argument.check()
    >>> argument.status
    'cited'
    >>> argument.steps[-2].lhs, argument.steps[-2].rhs
    (Limit(n_min(d, d*t), d, oo, dir='-'), 1 + pi**2/t)
    """
    stage = early_stage(initial)
    loss = loss_argument(initial, 0).steps
    matrix_form = next(i for i, step in enumerate(loss) if step.rule == "covariance put in")
    covariance = MATRIX if initial == "kernel" else OUTPUTS
    chain = [
        *loss[: matrix_form + 1],
        Step(
            "To first order in the rate",
            SLOPE(steps),
            -steps * (Trace(MATRIX * covariance) + OfTargets(MATRIX)),
            "first order in the rate",
        ),
    ]
    for gates in (0, 1):
        chain += _traces(gates, initial)
    # The smallest d at which some width has an n, and at which every width has.
    some, every = (
        next(size for size in count(1) if has(stage.at(size).smallest_width())) for has in (_any, _all)
    )
    degree = sp.degree(stage.pairs, m)
    leading = sp.Limit(PAIRS / m**degree, m, sp.oo)
    chain += [
        Step("At the start", GAPS[0], stage.start, "substitution"),
        Step("The plain loss is ahead at the start", Negative(GAPS[0]), sp.true, "one sign"),
        Step("By one row", DIAGONAL, stage.diagonal, "rows and pairs"),
        Step("By a pair of rows", PAIRS, stage.pairs, "rows and pairs"),
        Step(
            "How much faster the plain loss falls", GAPS[1], n * (DIAGONAL + (n - 1) * PAIRS), "substitution"
        ),
        Step("One row is not enough", Negative(DIAGONAL), sp.true, "one sign"),
        Step("The smallest n, where Q > 0", THRESHOLD, 1 - DIAGONAL / PAIRS, "root in n"),
        Step("Large widths", sp.Limit(THRESHOLD, m, sp.oo), stage.wide, "limit of a quotient"),
        Step(
            "What decides at large widths",
            leading,
            sp.expand(stage.pairs).coeff(m, degree),
            "limit of a quotient",
        ),
        Step(
            "Wide networks: some n is enough",
            PositiveFrom(leading, some),
            sp.true,
            "sign from a dimension",
        ),
        *(
            Step("No n is enough", Negative(sp.Subs(PAIRS, d, size)), sp.true, "one sign")
            for size in range(1, some)
        ),
        Step(
            "Narrow networks: some n is enough",
            PositiveFrom(PAIRS, every),
            sp.true,
            "sign from a dimension",
        ),
        Step("In between: from this width on", CRITICAL, stage.critical_width, "largest root in m"),
        Step(
            "d and m = t d large",
            sp.Limit(LEAST(d, ratio * d), d, sp.oo),
            stage.proportional,
            "limit of a quotient",
        ),
        Step("d large at a width", sp.Limit(THRESHOLD / d, d, sp.oo), stage.narrow, "limit of a quotient"),
    ]
    if initial == "kernel":
        few = NeverEnough(PUBLISHED_ROWS, 1)
        chain.append(Step("The published n, for one neuron", few, sp.true, "too few at every d"))
    outputs = {"kernel": "of covariance K", "nngp": "of a real network"}[initial]
    return Derivation(
        f"When the loss of ReLU falls faster than that of ReGLU early, outputs {outputs}", tuple(chain)
    )


def _any(width: int | None) -> bool:
    return width is not None


def _all(width: int | None) -> bool:
    return width == 1


def _traces(gates: int, initial: Initial) -> list[Step]:
    """Expected traces of a network's simplified matrix, and with the covariance of its outputs."""
    name, matrix = NETWORKS[gates], (PLAIN, GATED)[gates]
    coefficients = derive(name, order=gates + 1).coefficients
    chain = [
        Step(f"{symbol}, derived", symbol, getattr(coefficients, symbol.name), "derived coefficient")
        for symbol in (alpha, beta, gamma)
    ]
    chain.append(Step("Simplified matrix", matrix, simplified(gates), "simplified matrix"))
    for power in (1, 2):
        trace, outputs = MeanTrace(gates, power), MeanOutputs(gates, power - 1)
        value = expected_trace(name, power)
        if initial == "kernel":
            last = Step("Outputs of covariance K", outputs, value, "outputs of covariance K")
        else:
            slope = expected_trace_with_outputs(name, power - 1)
            last = Step("Outputs of a real network", outputs, slope, "slope in the width")
        chain += [
            Step("Over Gaussian rows", trace, trace_polynomial(gates, power), "moments of Gaussian rows"),
            Step("Coefficients put in", trace, value, "substitution"),
            last,
        ]
    return chain
