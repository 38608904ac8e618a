r"""Where the gated network is behind at last: short rows, from a single one on, exactly.

Of one row with \(|x|^2 = pd\) the kernels of ReLU and ReGLU are the numbers \(p(m+d)/2\) and \(p^2(m+2d)/2\): with small
steps the gated network is behind, at every step, exactly if \(p < (m+d)/(m+2d)\). More rows of another length do not help it.
"""

from __future__ import annotations

import sympy as sp

from derivations.derivation import Derivation, Step
from derivations.late_symbols import ROW, SHARE, AtRows
from derivations.matrix_symbols import Kernel, Smallest
from derivations.symbols import d, m

ROWS = sp.Tuple(
    sp.Tuple(sp.Rational(1, 2), -sp.Rational(1, 2)),
    sp.Tuple(sp.S.One, sp.S.One),
    sp.Tuple(-sp.S.One, -sp.S.One),
)
"""More rows than dimensions, all but one of |x|^2 = d, and that one of a quarter of it, at a right angle to them."""


def reversal() -> Derivation:
    r"""Rows at which \(\lambda_n\) of ReGLU is smaller than that of ReLU at every width: one, and three in two dimensions.

    Source: derived here.

    Examples
    --------
    >>> found = reversal()
    >>> found.check()
    >>> found.status, found.steps[2].rhs
    ('proved', p < (d + m)/(2*d + m))
    >>> found.steps[-2].lhs
    lambda_n(K^(0)[m] at rows ((1/2, -1/2), (1, 1), (-1, -1))) > m/32 + 1/8
    """
    plain, gated = Kernel(0, m), Kernel(1, m)
    alone, alone_gated = AtRows(plain, ROW), AtRows(gated, ROW)
    here, here_gated = AtRows(plain, ROWS), AtRows(gated, ROWS)
    on, across = (m + 2) / 2, m / (4 * sp.pi)
    matrix = sp.ImmutableMatrix([[on / 4, across, across], [across, on, 0], [across, 0, on]])
    least = m / 32 + sp.Rational(1, 8)
    steps = (
        Step("One row without gates", alone, SHARE * (m + d) / 2, "kernel of one row"),
        Step("One row with a gate", alone_gated, SHARE**2 * (m + 2 * d) / 2, "kernel of one row"),
        Step(
            "Which one is smaller", alone_gated < alone, sp.Lt(SHARE, (m + d) / (m + 2 * d)), "smaller where"
        ),
        Step("Three rows without gates", here, matrix, "kernel of given rows"),
        Step(
            "Three rows with a gate",
            here_gated,
            sp.ImmutableMatrix(sp.diag(least, 16 * least, 16 * least)),
            "kernel of given rows",
        ),
        Step("Smallest with a gate", Smallest(here_gated), least, "diagonal matrix"),
        Step("Smallest without", Smallest(here) > least, sp.true, "leading minors"),
        Step("The order is reversed", Smallest(here_gated) < Smallest(here), sp.true, "compared"),
    )
    return Derivation("Short rows turn the order of the smallest eigenvalues round", steps)
