"""Statements of this project's own, of the kernel of one network: nothing here is published elsewhere or copied.

They are listed beside the published ones so that they are judged alike: F1 to F3 are theorems, F4 is a law that rests on
heuristic steps and is held to a tolerance.
"""

from __future__ import annotations

import sympy as sp

from derivations.sources.statement import Statement
from derivations.symbols import d, m

_SOURCE = "this project"
_WEIGHTS = "weights N(0, 1/d), readout N(0, 1/m), all independent; any rows"

STATEMENTS: dict[str, Statement] = {
    statement.id: statement
    for statement in (
        Statement(
            "F1",
            "the mean over networks of the kernel at width m is the infinite-width kernel, at every m",
            _SOURCE,
            _WEIGHTS,
            (("mean over kernel", sp.S.One),),
            "entry by entry, as a factor",
        ),
        Statement(
            "F2",
            "one network has on average a smaller lambda_n and a larger lambda_1 than the infinite-width kernel",
            _SOURCE,
            _WEIGHTS,
            (),
            "E lambda_n <= lambda_n(K), E lambda_1 >= lambda_1(K) over networks, for every data set",
        ),
        Statement(
            "F3",
            "rank of the kernel of one ReLU or ReGLU network: at most m d, or m (2 d - 1), and so much if rows are many",
            _SOURCE,
            f"{_WEIGHTS}; ReLU",
            (("plain", m * d), ("gated", m * (2 * d - 1))),
            "at most that for all rows; equal to it for many Gaussian rows",
        ),
        Statement(
            "F4",
            "extreme eigenvalues of one network by the finite-width law",
            _SOURCE,
            "weights N(0, 1/d), readout N(0, 1/m); rows uniform on the sphere or Gaussian; d >= 50, n and m >= 100",
            (),
            "of the mean over networks and data, relative errors at most 2 % (median of sizes) and 4 % (90th percentile) "
            "without gates, 4 % and 10 % with gates",
        ),
    )
}
"""Statements by id."""
