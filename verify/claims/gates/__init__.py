"""C2: kernels of activations with p linear gates, block by block, and their alpha, beta and gamma.

Random neurons measure every block of the kernel by itself (`verify.blocks`), so that an error in one block is
not hidden in the noise of the others.
"""

from __future__ import annotations

from derivations.sources import STATEMENTS
from verify.claim import Claim, Rung, Verdict
from verify.claims.gates.exact import judge_exact
from verify.claims.gates.finite import judge_finite
from verify.claims.gates.members import CELLS, FURTHER

CLAIMS = (
    Claim(
        STATEMENTS["C2"],
        (
            Rung("exact", Verdict.PROVED, judge_exact),
            Rung("finite", Verdict.CONFIRMED, judge_finite, CELLS, FURTHER),
        ),
    ),
)
