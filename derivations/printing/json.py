"""JSON: the public keys of `gluntk derive --format json`."""

from __future__ import annotations

import json
from importlib.metadata import version

import sympy as sp

from derivations.errors import InputError
from derivations.expansion import hermite_coefficient
from derivations.kernel_derivation import KernelDerivation

SCHEMA = 1
MOST_DIGITS = 1000


def render(result: KernelDerivation, digits: int) -> str:
    """One JSON object; formulas are strings that SymPy parses."""
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise InputError(f"digits must be a whole number from 1 to {MOST_DIGITS}, got {digits!r}")
    coefficients, kernel, expansion = result.coefficients, result.kernel, result.expansion
    phi = result.network.activation.normal_form
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "network": result.network.name,
        "parametrization": result.network.parametrization.name,
        "coefficients": {name: str(getattr(coefficients, name)) for name in ("alpha", "beta", "gamma")},
        "kernel": {"off_diagonal": str(kernel.off_diagonal), "diagonal": str(kernel.diagonal)},
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
