"""JSON: the public keys of `gluntk derive --format json`."""

from __future__ import annotations

import json
from importlib.metadata import version

import sympy as sp

from derivations.expansion import hermite_coefficient
from derivations.kernel_derivation import KernelDerivation

SCHEMA = 1
VALIDITY = {True: "for all norms", False: "on the sphere |x|^2 = d"}
"""Where the simplified matrix of a network has the kernel's own diagonal."""


def render(result: KernelDerivation, digits: int) -> str:
    """One JSON object; formulas are strings that SymPy parses."""
    coefficients, kernel, nngp, expansion = result.coefficients, result.kernel, result.nngp, result.expansion
    phi = result.network.activation.normal_form
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "network": result.network.name,
        "activation": str(result.network.activation.phi),
        "gates": result.network.gates,
        "parametrization": result.network.parametrization.name,
        "variances": result.network.parametrization.variances,
        "order": expansion.order,
        "coefficients": {name: str(getattr(coefficients, name)) for name in ("alpha", "beta", "gamma")},
        "coefficients_hold": VALIDITY[result.simplified_everywhere],
        "kernel": {"off_diagonal": str(kernel.off_diagonal), "diagonal": str(kernel.diagonal)},
        "nngp": {"off_diagonal": str(nngp.off_diagonal), "diagonal": str(nngp.diagonal)},
        "taylor": [str(value) for value in expansion.coefficients],
        "remainder": str(expansion.remainder),
        "hermite": [_decimal(hermite_coefficient(phi, k), digits) for k in range(expansion.order + 1)],
        "steps": [
            {
                "title": step.title,
                "lhs": str(step.lhs),
                "rhs": str(step.rhs),
                "rule": step.rule,
                "reference": step.reference,
                "status": step.status,
            }
            for step in result.steps
        ],
    }
    return json.dumps(content, indent=2)


def _decimal(exact: sp.Expr, digits: int) -> dict[str, str]:
    """`exact` rounded to so many decimals, and the rounding's bound."""
    shifted = exact * sp.Integer(10) ** digits
    scaled = int(sp.floor(shifted + sp.Rational(1, 2)))
    sign, magnitude = "-" * (scaled < 0), str(abs(scaled)).rjust(digits + 1, "0")
    radius = "0" if shifted == scaled else f"5e-{digits + 1}"
    return {"value": f"{sign}{magnitude[:-digits]}.{magnitude[-digits:]}", "radius": radius}
