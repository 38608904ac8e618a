"""Proved digits: Hermite coefficients and expectations of analytic activations, in ball arithmetic."""

from derivations.certified.coefficients import (
    Ball,
    Moments,
    certified_expectation,
    certified_hermite,
    certified_moments,
)
from derivations.certified.dual_series import certified_dual_series

__all__ = [
    "Ball",
    "Moments",
    "certified_dual_series",
    "certified_expectation",
    "certified_hermite",
    "certified_moments",
]
