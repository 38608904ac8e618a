"""A19: speed and generalisation gap with and without a gate. `cells` measures them, `judge` holds the claim."""

from verify.claims.generalisation.judge import CLAIMS

__all__ = ["CLAIMS"]
