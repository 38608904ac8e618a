"""The exact rung: the stated forms against what is derived, and both against quadrature."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import sympy as sp

from derivations import kernel_function
from derivations.identity import vanishes
from derivations.kernel_derivation import KernelDerivation
from derivations.sources import Statement
from derivations.sources.gate_expansions import GATES, MARKERS, SLOPE_SQUARE, SQUARE
from derivations.sources.glu_condition_numbers import GRAM, PHI_PHI, SLOPE_SLOPE
from derivations.symbols import (
    KERNEL,
    Coefficient,
    Expectation,
    Hermite,
    Phi,
    alpha,
    beta,
    d,
    gamma,
    j,
    l,
    m,
    u_1,
    u_2,
    x,
    y,
)
from verify.activations import ACTIVATIONS
from verify.blocks import DIMENSION, WIDTH
from verify.claim import Evidence, Setting, Verdict
from verify.claims.gates.members import CELLS, FORMS, FURTHER, ORDER, derived, exact_moments
from verify.quadrature import expectation

_COSINES = (-0.99, -0.4, 0.0, 0.3, 0.8, 1.0)
# Quadrature is right to 1e-13 of sqrt(K_ii K_jj), kernel functions to 1e-12.
_QUADRATURE = 1e-11


@lru_cache(maxsize=64)
def quadrature_moments(activation: str) -> dict[sp.Expr, float]:
    r"""\(a_0, a_1, E\phi^2, E\phi'^2\) of the activation as typed in `verify.activations`, by quadrature.

    Examples
    --------
    >>> round(quadrature_moments("relu")[Hermite(0)], 12)  # 1 / sqrt(2 pi)
    0.398942280401
    """
    phi, slope = ACTIVATIONS[activation]
    assert slope is not None  # none of them jumps
    return {
        Hermite(0): expectation(phi, np.ones_like, 1.0, 1.0, 1.0),
        Hermite(1): expectation(phi, lambda u: u, 1.0, 1.0, 1.0),
        SQUARE: expectation(phi, phi, 1.0, 1.0, 1.0),
        SLOPE_SQUARE: expectation(slope, slope, 1.0, 1.0, 1.0),
    }


def _whole(formula: sp.Expr) -> sp.Expr:
    """The sum over all blocks."""
    return formula.subs(dict.fromkeys(MARKERS, 1))


# A planted error changes one formula: what was said of the others is remembered.
@lru_cache(maxsize=4096)
def contradiction(name: str, formula: sp.Expr, activation: str, gates: int) -> str:
    """Where a stated formula differs from what is derived for a network or from quadrature; or nothing.

    Parameters
    ----------
    name : str
        ``"kernel"``, ``"alpha"``, ``"beta"``, ``"gamma"`` or ``"shift law"``.
    formula : Expr
        As in the statement, with the blocks' markers.
    activation, gates
        The network.

    Returns
    -------
    str
        Empty if both agree.

    Examples
    --------
    >>> from derivations.sources import STATEMENTS
    >>> formula = STATEMENTS["C2"].formula("beta, p = 1")
    >>> contradiction("beta", formula, "relu", 1)
    ''
    >>> contradiction("beta", 2 * formula, "identity", 1)  # 0, whatever the factor
    ''
    >>> contradiction("alpha", 2 * formula, "identity", 1)
    'alpha of identity with p = 1: stated 0, derived 2/d + m/d**2'
    """
    result = derived(activation, gates)
    where = f"{activation} with p = {gates}"
    if name == "kernel":
        return _kernel_contradiction(formula, result, where)
    known = exact_moments(activation, gates) if result.is_closed else {}
    if name == "shift law":
        for degree in range(ORDER + 1):
            stated = sp.S.Zero if degree < gates else formula.subs({j: degree, GATES: gates}).subs(known)
            found = result.result(Coefficient(degree))
            if not vanishes(stated - found):
                return f"{where}, degree {degree}: stated {_shown(stated)}, derived {_shown(found)}"
        return ""
    found = result.result({"alpha": alpha, "beta": beta, "gamma": gamma}[name])
    if not vanishes(_whole(formula).subs(known) - found):
        return f"{name} of {where}: stated {_shown(_whole(formula).subs(known))}, derived {_shown(found)}"
    at = {m: WIDTH, d: DIMENSION}
    stated = float(_whole(formula).subs(at).subs(quadrature_moments(activation)))
    coefficients = result.coefficients
    number = float(getattr(coefficients, name).subs(at))
    size = sum(
        abs(float(value.subs(at))) for value in (coefficients.alpha, coefficients.beta, coefficients.gamma)
    )
    if abs(stated - number) > _QUADRATURE * size:
        return f"{name} of {where}: by quadrature {stated:.15g}, derived {number:.15g}"
    return ""


def _kernel_contradiction(formula: sp.Expr, result: KernelDerivation, where: str) -> str:
    names = {
        Expectation(Phi(0, u_1) * Phi(0, u_2)): PHI_PHI,
        Expectation(Phi(1, u_1) * Phi(1, u_2)): SLOPE_SLOPE,
        sp.Sum(x[l] * y[l], (l, 1, d)): GRAM,
    }
    general = next(step.rhs for step in result.steps if step.title == "General kernel" and step.lhs == KERNEL)
    found = general.subs(names).subs(dict(result.network.parametrization.values))
    if not vanishes(_whole(formula) - found):
        return f"kernel of {where}: stated {_shown(_whole(formula))}, derived {_shown(found)}"
    angles = np.arccos(_COSINES)
    X = np.sqrt(DIMENSION) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    X[:, 1] *= np.abs(_COSINES) < 1  # sin(pi) is not 0
    first = np.array([[np.sqrt(DIMENSION), 0.0]])
    computed = kernel_function(result, width=WIDTH)(first, X)[0]
    phi, slope = ACTIVATIONS[result.network.activation.name]
    assert slope is not None  # none of them jumps
    value = sp.lambdify((PHI_PHI, SLOPE_SLOPE, GRAM), _whole(formula).subs({m: WIDTH, d: DIMENSION}), "numpy")
    for cosine, number in zip(_COSINES, computed, strict=True):
        duals = (expectation(f, f, 1.0, 1.0, cosine) for f in (phi, slope))
        stated = value(*duals, DIMENSION * cosine)
        if abs(stated - number) > _QUADRATURE * computed[-1]:
            return (
                f"kernel of {where} at rho = {cosine:g}: by quadrature {stated:.15g}, computed {number:.15g}"
            )
    return ""


def _shown(expression: sp.Expr) -> str:
    return sp.sstr(expression, full_prec=False)


def judge_exact(statement: Statement, _: Setting) -> Evidence:
    """The stated forms are derived for every network, and quadrature agrees with the numbers."""
    for cell in (*CELLS, *FURTHER):
        formulas = {name: statement.formula(f"{name}, p = {cell.gates}") for name in FORMS}
        for name, formula in (formulas | {"shift law": statement.formula("shift law")}).items():
            difference = contradiction(name, formula, cell.activation, cell.gates)
            if difference:
                return Evidence(Verdict.REFUTED, difference)
    return Evidence(Verdict.PROVED, _summary())


@lru_cache(maxsize=1)
def _summary() -> str:
    parts = []
    for cell in (*CELLS, *FURTHER):
        result = derived(cell.activation, cell.gates)
        at = {m: WIDTH, d: DIMENSION}
        numbers = ", ".join(f"{float(getattr(result.coefficients, name).subs(at)):.6g}" for name in FORMS[1:])
        if result.is_closed:
            known = "closed"
        else:
            radius = max(float(r.subs(at)) for r in _radii(result))
            known = f"certified to {radius:.0e}"
        parts.append(f"{cell.activation} with p = {cell.gates} {numbers} ({known})")
    return (
        f"kernel, shift law to degree {ORDER}, alpha, beta and gamma identical to what is derived, every "
        f"step proved or certified, and within {_QUADRATURE:.0e} of quadrature, the kernel at rho = "
        + ", ".join(f"{cosine:g}" for cosine in _COSINES)
        + f"; alpha, beta, gamma at m = {WIDTH}, d = {DIMENSION}: "
        + "; ".join(parts)
    )


def _radii(result: KernelDerivation) -> tuple[sp.Expr, ...]:
    radius = result.coefficients_radius
    return radius.alpha, radius.beta, radius.gamma
