r"""Why the law is what it is: what is proved of one network's kernel, and the heuristic steps to its spectrum.

Proved, for all rows, widths and activations: the mean is the kernel at infinite width, so that by Jensen
\(E\lambda_n \le \lambda_n(K)\), \(E\lambda_1 \ge \lambda_1(K)\); the rank; Weyl's bound. The law itself leaves out a
column of the gradient, takes its leverage at its mean, treats harmonics as independent features and leaves out a row.
"""

from __future__ import annotations

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.matrix_symbols import Kernel, Largest, OfNetwork, OverNetworks, Rank, Smallest
from derivations.network_symbols import (
    COUNT,
    ENTRY,
    FLUCTUATION,
    FORM,
    HEIGHT,
    HIGHEST,
    LEVEL,
    LEVERAGE,
    LOAD,
    MASS,
    NUMBER,
    PART,
    PART_REST,
    POINT,
    REST,
    ROWS,
    SCALE,
    TRACE,
    over_degrees,
)
from derivations.networks import check_gates, network
from derivations.ntk import general_steps
from derivations.symbols import Expectation, Phi, d, k, m, u_1


def network_bounds(gates: int = 0) -> Derivation:
    r"""Mean, Jensen's bounds, rank and Weyl's bound of the kernel of one network.

    Raises
    ------
    InputError
        For another number of gates than 0, 1 or 2.

    Source: derived here.

    Examples
    --------
    >>> chain = network_bounds(1)
    >>> chain.check()
    >>> chain.status, chain.steps[-3].lhs, chain.steps[-1].lhs
    ('proved', rank(K_net^(1)[m]) <= 2*d*m, rank(K_net^(1)[m]) <= m*(2*d - 1))
    """
    check_gates(gates)
    random, mean = OfNetwork(gates, m), Kernel(gates, m)
    parts = [sp.Symbol(f"{name}({random})", real=True) for name in ("readout", "gradient")]
    columns = 1 + (1 + gates) * d - gates
    steps = [
        *general_steps(network("relu", gates=gates)),  # phi stays a symbol
        Step("Mean over networks", OverNetworks(random), mean, "mean over networks"),
        _true(
            "Smallest eigenvalue",
            OverNetworks(Smallest(random)) <= Smallest(mean),
            "Jensen for eigenvalues",
        ),
        _true(
            "Largest eigenvalue",
            OverNetworks(Largest(random)) >= Largest(mean),
            "Jensen for eigenvalues",
        ),
        _true(
            "Blocks apart",
            Smallest(random) >= sum(Smallest(part) for part in parts),
            "parts of a network",
        ),
        _true("Rank, any activation", Rank(random) <= sp.factor(m * columns), "columns of the gradient"),
        Step("ReLU", u_1 * Phi(1, u_1), Phi(0, u_1), "Euler"),
        _true("Rank, ReLU", Rank(random) <= sp.factor(m * (columns - 1)), "columns of the gradient"),
    ]
    return Derivation(f"The kernel of one network with {gates} linear gates, for all rows", tuple(steps))


def finite_width_derivation(gates: int = 0) -> Derivation:
    r"""The law of one network's spectrum on the sphere, step by step; each says whether it is proved.

    Raises
    ------
    InputError
        For another number of gates than 0 or 1, whose rows' variance has a closed form here.

    Source: derived here, heuristically.

    Examples
    --------
    >>> chain = finite_width_derivation(1)
    >>> chain.check()
    >>> chain.status, [step.title for step in chain.steps if step.status == "heuristic"][:2]
    ('heuristic', ['Its leverage at the mean', 'All neurons of a block'])
    >>> [step.rhs for step in chain.steps if step.rule == "variance of a row"]
    [9/m]
    """
    check_gates(gates, most=1)
    counted = LOAD / (1 + LOAD * TRACE)
    normal = (
        1 - sp.sqrt(sp.pi / (2 * TRACE)) * sp.exp(1 / (2 * TRACE)) * sp.erfc(1 / sp.sqrt(2 * TRACE))
    ) / TRACE
    damped = 1 + POINT * ROWS * MASS[k] / NUMBER[k]
    steps = (
        *network_bounds(gates).steps,
        Step("A column left out", FORM, LEVERAGE / (1 + LEVERAGE), "column left out"),
        Step("Its leverage at the mean", LEVERAGE, LOAD * TRACE, "concentration of quadratic forms"),
        Step("What it counts", ENTRY, counted, "one column"),
        Step("All neurons of a block", COUNT, Expectation(counted), "average over neurons"),
        Step("Normal readouts", Expectation(counted), normal, "Gaussian load"),
        Step("Infinite width", COUNT.subs(TRACE, 0), sp.S.One, "no leverage"),
        Step("Degrees", LEVEL, over_degrees(MASS[k] / damped) + REST, "independent harmonics"),
        Step(
            "Trace with a block",
            TRACE,
            SCALE * ROWS * POINT * (over_degrees(PART[k] / damped) + PART_REST),
            "independent harmonics",
        ),
        Step("A row left out", HEIGHT, LEVEL - 1 / POINT, "row left out"),
        Step(
            "Rows differ within a network",
            FLUCTUATION(gates),
            sp.Integer((3, 9)[gates]) / m,
            "variance of a row",
        ),
        Step("Lower edge", Smallest(OfNetwork(gates, m)), HIGHEST, "edge of the support"),
    )
    return Derivation(f"The spectrum of one network with {gates} linear gates", steps)


def _true(title: str, statement: sp.Expr, rule: str) -> Step:
    return Step(title, statement, sp.true, rule)
