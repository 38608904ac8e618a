"""JSON: the public keys of `gluntk derive --format json`."""

from __future__ import annotations

import json
from importlib.metadata import version

import sympy as sp
from sympy.printing.str import StrPrinter

from derivations.certified import certified_hermite
from derivations.expansion import hermite_coefficient
from derivations.kernel_derivation import Kernel, KernelDerivation
from derivations.shift_law import rounded
from derivations.symbols import Coefficient, Hermite, alpha, beta, gamma

SCHEMA = 1
_NAMES = {"alpha": alpha, "beta": beta, "gamma": gamma}
VALIDITY = {True: "for all norms", False: "on the sphere |x|^2 = d"}
"""Where the simplified matrix of a network has the kernel's own diagonal."""


def render(result: KernelDerivation, digits: int) -> str:
    """One JSON object; formulas are strings that SymPy parses."""
    expansion = result.expansion
    enclosed = {name: _enclosed(result, symbol, digits) for name, symbol in _NAMES.items()}
    radius = {} if result.is_closed else {"radius": {name: error for name, (_, error) in enclosed.items()}}
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "network": result.network.name,
        "activation": str(result.network.activation.phi),
        "gates": result.network.gates,
        "parametrization": result.network.parametrization.name,
        "variances": result.network.parametrization.variances,
        "bias_variance": str(result.network.parametrization.bias_variance),
        "order": expansion.order,
        "coefficients": {name: value for name, (value, _) in enclosed.items()} | radius,
        "coefficients_hold": VALIDITY[result.simplified_everywhere],
        "kernel": _entries(result.kernel) if result.is_closed else None,
        "nngp": _entries(result.nngp) if result.is_closed else None,
        "taylor": [_enclosed(result, Coefficient(j), digits)[0] for j in range(expansion.order + 1)],
        "remainder": str(expansion.remainder if result.is_closed else sp.N(expansion.remainder, digits)),
        "hermite": _hermite(result, digits),
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


def _entries(kernel: Kernel) -> dict[str, str]:
    return {"off_diagonal": str(kernel.off_diagonal), "diagonal": str(kernel.diagonal)}


def _enclosed(result: KernelDerivation, lhs: sp.Expr, digits: int) -> tuple[str, str]:
    """Middle and radius of a step's result; the closed form and 0 where there is one."""
    value = result.result(lhs)
    if result.is_closed:
        return str(value), "0"
    middle, radius = rounded(*result.enclosed(value), digits)
    # All digits: SymPy would read 0.25 as a number of 15.
    return StrPrinter({"full_prec": True}).doprint(middle), str(radius)


def _hermite(result: KernelDerivation, digits: int) -> list[dict[str, str]]:
    if result.is_closed:
        phi = result.network.activation.normal_form
        return [_decimal(hermite_coefficient(phi, k), digits) for k in range(result.expansion.order + 1)]
    balls = [ball for lhs, ball in result.enclosures.items() if isinstance(lhs, Hermite)]
    if not balls:  # with biases the derivation goes by other numbers
        certified = certified_hermite(result.network.activation.phi, result.expansion.order + 1, digits)
        return [{"value": ball.value, "radius": ball.radius} for ball in certified]
    return [{"value": ball.decimal, "radius": f"1e-{ball.digits}"} for ball in balls]


def _decimal(exact: sp.Expr, digits: int) -> dict[str, str]:
    """`exact` rounded to so many decimals, and the rounding's bound."""
    shifted = exact * sp.Integer(10) ** digits
    scaled = int(sp.floor(shifted + sp.Rational(1, 2)))
    sign, magnitude = "-" * (scaled < 0), str(abs(scaled)).rjust(digits + 1, "0")
    radius = "0" if shifted == scaled else f"5e-{digits + 1}"
    return {"value": f"{sign}{magnitude[:-digits]}.{magnitude[-digits:]}", "radius": radius}
