"""`gluntk list`."""

from __future__ import annotations

from derivations.activations import NAMED
from derivations.networks import GATED
from verify.claims import CLAIMS


def text() -> str:
    """Networks, activations and claims, one a line."""
    lines = ["Activations (each is also a plain network)"]
    lines += [f"  {name:<12} phi(z) = {expression}" for name, expression in NAMED.items()]
    lines += ["", "Gated networks"]
    lines += [
        f"  {name:<12} {activation} with {gates} linear gate{'s' * (gates > 1)}"
        for name, (activation, gates) in GATED.items()
    ]
    lines += ["", "Claims"]
    for claim in CLAIMS.values():
        rungs = ", ".join(f"{rung.name} {rung.expected}" for rung in claim.rungs)
        lines.append(f"  {claim.id:<4} {claim.statement.title}  [{rungs}]")
    return "\n".join(lines)
