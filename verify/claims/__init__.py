"""The registry of claims, one module per topic."""

from __future__ import annotations

from verify.claim import Claim
from verify.claims import (
    dynamics,
    family,
    finite_width,
    gates,
    generalisation,
    gradient,
    ntk,
    simplified,
    spectrum,
)

CLAIMS: dict[str, Claim] = {
    claim.id: claim
    for claim in (
        *ntk.CLAIMS,
        *simplified.CLAIMS,
        *spectrum.CLAIMS,
        *dynamics.CLAIMS,
        *generalisation.CLAIMS,
        *family.CLAIMS,
        *gates.CLAIMS,
        *gradient.CLAIMS,
        *finite_width.CLAIMS,
    )
}
"""Claims by id, in the order in which they are reported."""
