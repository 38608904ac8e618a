r"""Why the bounds of extreme eigenvalues hold: each a chain of checked steps.

Matrices are written by their entries, \(a_{ik}\) off the diagonal and what is on it. A *certificate* is a vector
\(\epsilon \ge 0\) with \(A \succeq I - \operatorname{diag}\epsilon\). The numbers are in `verify.bounds`.
"""

from __future__ import annotations

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.matrix_symbols import (
    CHANCE,
    CYCLE,
    DIAGONAL,
    FOURTH,
    FOURTH_TRACE,
    OUTPUTS,
    SECOND,
    TAIL,
    WITH_PROBABILITY,
    Diagonal,
    Entries,
    Kernel,
    Largest,
    Least,
    Most,
    RowSum,
    Semidefinite,
    Smallest,
    gram,
)
from derivations.spectrum.ordering import gating_law
from derivations.symbols import d, m, n, rho

A, B = sp.symbols("a_ik b_ik", real=True)
EPSILON, ETA, LEVEL = sp.symbols("epsilon_i eta_i l", nonnegative=True)
ROW, OTHER = sp.symbols("s_ji s_jk", real=True)
RESIDUAL = sp.Symbol("e_ik", real=True)
LAST = sp.Symbol("J", integer=True, nonnegative=True)
V, W = sp.symbols("v_k v_i", positive=True)
MORE = sp.Symbol("k", integer=True, nonnegative=True)


def product_law() -> Derivation:
    r"""The certificate of a product entry by entry is the product of the certificates.

    \[ A \succeq I - \operatorname{diag}\epsilon,\; B \succeq I - \operatorname{diag}\eta \implies
       A\circ B \succeq I - \operatorname{diag}(\epsilon\eta). \]

    For numbers: \(1 - \lambda_n(A\circ B) \le (1-\lambda_n(A))(1-\lambda_n(B))\), for positive semidefinite A and B with ones
    on their diagonals.

    Source: derived here.

    Examples
    --------
    >>> law = product_law()
    >>> law.check()
    >>> law.status, law.steps[-1].lhs
    ('proved', lambda_n([a_ik*b_ik; diagonal 1]) >= min_i(-epsilon_i*eta_i + 1))
    """
    steps = (
        _true("A certificate of A", Semidefinite(Entries(A, EPSILON)), "certificate"),
        _true("A certificate of B", Semidefinite(Entries(B, ETA)), "certificate"),
        _true(
            "(A - I + diag eps) o (B - I + diag eta)",
            Semidefinite(Entries(A * B, EPSILON * ETA)),
            "Schur product",
        ),
        _true(
            "Product law", Smallest(Entries(A * B, 1)) >= Least(1 - EPSILON * ETA), "shift of the diagonal"
        ),
    )
    return Derivation("The smallest eigenvalue of a product entry by entry", steps)


def ceiling_law() -> Derivation:
    r"""From above: \(A \succeq I - \operatorname{diag}\epsilon\), \(B \preceq l I\) bound the largest eigenvalue.

    \[ A\circ B \preceq \operatorname{diag}(\epsilon l + 1 - \epsilon). \]

    Source: derived here.

    Examples
    --------
    >>> law = ceiling_law()
    >>> law.check()
    >>> law.steps[-1].lhs
    lambda_1([a_ik*b_ik; diagonal 1]) <= max_i(epsilon_i*(l - 1) + 1)
    """
    steps = (
        _true("A certificate of A", Semidefinite(Entries(A, EPSILON)), "certificate"),
        _true("A ceiling of B", Semidefinite(Entries(-B, LEVEL - 1)), "ceiling"),
        _true(
            "(A - I + diag eps) o (l I - B)",
            Semidefinite(Entries(-A * B, EPSILON * (LEVEL - 1))),
            "Schur product",
        ),
        _true(
            "Ceiling of the product",
            Largest(Entries(A * B, 1)) <= Most(1 + EPSILON * (LEVEL - 1)),
            "shift of the diagonal",
        ),
    )
    return Derivation("The largest eigenvalue of a product entry by entry", steps)


def series_bound() -> Derivation:
    r"""A kernel from certificates of the powers of its cosines, and what is left of its entries.

    With any \(s_{ji}\) and \(e = K - \sum_{j\le J} s_{ji}s_{jk}\rho^j\) off the diagonal,

    \[ \lambda_n(K) \ge \min_i\Big[K_{ii} - \sum_{j\le J}s_{ji}^2\epsilon_{ji} - \sum_{k\ne i}|e_{ik}|\frac{v_k}{v_i}\Big]. \]

    Source: derived here.

    Examples
    --------
    >>> bound = series_bound()
    >>> bound.check()
    >>> bound.status, len(bound.steps)
    ('proved', 6)
    """
    epsilon = sp.Symbol("epsilon_ji", nonnegative=True)
    term, worth = ROW * OTHER * rho**_DEGREE, ROW**2 * epsilon
    series, cost = (sp.Sum(part, (_DEGREE, 0, LAST)) for part in (term, worth))
    dominance = RowSum(sp.Abs(RESIDUAL) * V / W)
    diagonal = sp.Symbol("K_ii", nonnegative=True)
    steps = (
        _true("A certificate of each power", Semidefinite(Entries(rho**_DEGREE, epsilon)), "certificate"),
        _true("With the rows' coefficients", Semidefinite(Entries(term, worth)), "congruence"),
        _true("All degrees", Semidefinite(Entries(series, cost)), "sum of semidefinite matrices"),
        _true("The residual", Semidefinite(Entries(RESIDUAL, dominance)), "diagonal dominance"),
        _true(
            "Both", Semidefinite(Entries(series + RESIDUAL, cost + dominance)), "sum of semidefinite matrices"
        ),
        _true(
            "Smallest eigenvalue",
            Smallest(Entries(series + RESIDUAL, diagonal)) >= Least(diagonal - cost - dominance),
            "shift of the diagonal",
        ),
    )
    return Derivation("A kernel's smallest eigenvalue from powers of the cosines", steps)


def width_family(gates: int = 0) -> Derivation:
    r"""\(\lambda_n(K_{m+k}) \ge \lambda_n(K_m) + k\lambda_n(B)\), \(\lambda_1(K_{m+k}) \le \lambda_1(K_m) + k\lambda_1(B)\).

    B is the covariance of the outputs; all widths from two eigenproblems.

    Source: derived here.

    Examples
    --------
    >>> family = width_family(1)
    >>> family.check()
    >>> family.steps[-2].lhs
    lambda_n(K^(1)[k + m]) >= k*lambda_n(B) + lambda_n(K^(1)[m])
    """
    wider, own = Kernel(gates, m + MORE), Kernel(gates, m)
    steps = (
        Step("Affine in the width", wider, own + MORE * OUTPUTS, "affine in the width"),
        _true(
            "Smallest eigenvalue",
            Smallest(wider) >= Smallest(own) + MORE * Smallest(OUTPUTS),
            "Weyl's bounds",
        ),
        _true(
            "Largest eigenvalue", Largest(wider) <= Largest(own) + MORE * Largest(OUTPUTS), "Weyl's bounds"
        ),
    )
    return Derivation("All widths from two eigenproblems", steps)


def sharper_gating_law(gates: int = 1) -> Derivation:
    r"""On the sphere \(1 - \lambda_n(K^{(g)}_m)/f(1) \le (1 - \lambda_n(R^{\circ g}))(1 - \lambda_n(K^{(0)}_{m+gd})/f(1))\).

    It is the gating law with the product law in the place of Schur's bound, which is the same with 1 for the first factor.

    Raises
    ------
    InputError
        For another number of gates than 1 or 2.

    Source: derived here.

    Examples
    --------
    >>> law = sharper_gating_law(1)
    >>> law.check()
    >>> law.status
    'proved'
    """
    factor, plain, gated = gram(gates) / d**gates, Kernel(0, m + gates * d), Kernel(gates, m)
    steps = (
        *gating_law(gates).steps,
        Step("Ones on the diagonal", Diagonal(factor), sp.S.One, "diagonal on the sphere"),
        Step("One number on the diagonal", Diagonal(plain), DIAGONAL, "diagonal on the sphere"),
        _true(
            "Product law",
            1 - Smallest(gated) / DIAGONAL <= (1 - Smallest(factor)) * (1 - Smallest(plain) / DIAGONAL),
            "product of defects",
        ),
    )
    return Derivation(
        f"The smallest eigenvalue with {gates} linear gate{'s' * (gates > 1)}, on the sphere", steps
    )


def data_free_theorem() -> Derivation:
    r"""A bound for independent uniform directions, of which nothing else is known.

    \[ \lambda_n \ge f_{>L}(1) - (\mathbb E\operatorname{tr}H^4/p)^{1/4} \quad\text{with probability } 1 - p. \]

    H is \(f_{>L}(R)\) off the diagonal; the degrees up to L, which are positive semidefinite, are left out.

    Source: derived here.

    Examples
    --------
    >>> theorem = data_free_theorem()
    >>> theorem.check()
    >>> theorem.status
    'proved'
    """
    pairs = n * (n - 1)
    trace = pairs * (n - 2) * (n - 3) * CYCLE + 2 * pairs * (n - 2) * SECOND**2 + pairs * FOURTH
    steps = (
        Step("Fourth moment", FOURTH_TRACE, trace, "closed walks"),
        Step(
            "With probability 1 - p",
            WITH_PROBABILITY,
            TAIL - (trace / CHANCE) ** sp.Rational(1, 4),
            "Markov's inequality",
        ),
    )
    return Derivation("The smallest eigenvalue of a kernel of random rows of the sphere", steps)


def bounds_theorems() -> tuple[Derivation, ...]:
    """All of them.

    Examples
    --------
    >>> for theorem in bounds_theorems():
    ...     theorem.check()
    """
    return (
        product_law(),
        ceiling_law(),
        series_bound(),
        *(width_family(gates) for gates in (0, 1, 2)),
        *(sharper_gating_law(gates) for gates in (1, 2)),
        data_free_theorem(),
    )


_DEGREE = sp.Symbol("j", integer=True, nonnegative=True)


def _true(title: str, statement: sp.Expr, rule: str) -> Step:
    return Step(title, statement, sp.true, rule)
