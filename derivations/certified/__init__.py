"""Proved digits: Hermite coefficients and expectations of analytic activations, in ball arithmetic."""

from derivations.certified.coefficients import (
    Ball,
    Moments,
    certified_expectation,
    certified_hermite,
    certified_moments,
)

__all__ = ["Ball", "Moments", "certified_expectation", "certified_hermite", "certified_moments"]
