"""A15 to A18: the training loss of the plain and the gated network, early, late, and where the two cross."""

from __future__ import annotations

from verify.claim import Claim
from verify.claims.dynamics import early, late, loss

CLAIMS: tuple[Claim, ...] = (loss.CLAIM, early.CLAIM, *late.CLAIMS)
"""In the order of their names."""
