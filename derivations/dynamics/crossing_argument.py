r"""How often two expected losses cross, and the closed formula for where, as checked steps.

With \(x_i = -2\log|1-\eta\lambda_i|\) the difference of the losses is \(D(k) = k\int_0^\infty A(x)e^{-kx}dx\), A(x) the
sum of the weights up to x. If A changes its sign once, at c, then \(e^{kc}D(k)/k\) is monotone: there is one crossing. Of
ReLU and ReGLU, with all degrees beyond 1 as one exponential,

\[ k_1 = \frac{\log(\tilde w/w)}{2\eta(\tilde\Lambda-\Lambda)}. \]
"""

from __future__ import annotations

import sympy as sp

from derivations.arguments import check_choice
from derivations.crossing_symbols import (
    CROSSING,
    DIFFERENCE,
    ENERGY,
    ENERGY_GATED,
    LABELS,
    MEAN,
    MEAN_GATED,
    PARTIAL,
    STEP,
    ZEROS,
    change,
    exponent,
)
from derivations.derivation import Derivation, Step
from derivations.dynamics.initial import INITIAL
from derivations.kernel_derivation import derive
from derivations.learning_symbols import eta
from derivations.networks import network
from derivations.symbols import d, m, n


def crossing_theorem() -> Derivation:
    r"""An odd number of crossings if start and end have opposite signs; one if the partial sums change sign once.

    Of k > 0; a mode that is gone after one step has no part in it.

    Source: derived here; the second for any number of changes, Laguerre 1884.

    Examples
    --------
    >>> theorem = crossing_theorem()
    >>> theorem.check()
    >>> theorem.status, theorem.steps[-1].lhs
    ('proved', Eq(zeros, 1))
    """
    weight = sp.exp(-STEP * exponent)
    sides = (change - exponent) * PARTIAL
    whole = (exponent, 0, sp.oo)
    steps = (
        Step("The difference", DIFFERENCE, STEP * sp.Integral(PARTIAL * weight, whole), "summation by parts"),
        Step(
            "Its slope, scaled",
            sp.Derivative(sp.exp(STEP * change) * DIFFERENCE / STEP, STEP),
            sp.Integral(sides * sp.exp(STEP * (change - exponent)), whole),
            "slope under the integral",
        ),
        Step("Partial sums of two signs", sp.Ge(sides, 0), sp.true, "one change of sign"),
        Step("At most one crossing", sp.Le(ZEROS, 1), sp.true, "increasing"),
        Step("An odd number", sp.Eq(sp.Mod(ZEROS, 2), 1), sp.true, "signs at both ends"),
        Step("One crossing", sp.Eq(ZEROS, 1), sp.true, "odd and at most one"),
    )
    return Derivation("How often two expected losses cross", steps)


def crossing_formula(initial: str = "nngp") -> Derivation:
    r"""The step at which ReLU and ReGLU cross, as a formula in n, d, m, eta and the targets' deviation.

    At \(\eta = 1/\lambda_1 \approx 2\pi/(nm)\) and unit targets it is 0.0657 n for the outputs of a wide real network, and
    0.421 n for those of the linear model with \(C_0 = K\), whatever d. It is for \(d \ll n \ll d^2\); `crossing_estimate`
    corrects it.

    Parameters
    ----------
    initial : str
        ``"nngp"`` or ``"kernel"``.

    Raises
    ------
    InputError
        For another `initial`.

    Source: derived here, heuristically.

    Examples
    --------
    >>> formula = crossing_formula("nngp")
    >>> formula.check()
    >>> formula.status
    'heuristic'
    >>> wide = sp.limit(formula.steps[-1].rhs.subs({eta: 2 * sp.pi / (n * m), LABELS: 1}), m, sp.oo)
    >>> print(f"{(wide / n).evalf():.4f}")
    0.0657
    """
    check_choice(initial, "initial", INITIAL)
    means = [_beyond_degree_one(name) for name in ("relu", "reglu")]
    energies = [LABELS**2 + (mean if initial == "kernel" else sp.diff(mean, m)) for mean in means]
    losses = ENERGY * sp.exp(-2 * eta * MEAN * STEP) - ENERGY_GATED * sp.exp(-2 * eta * MEAN_GATED * STEP)
    root = sp.log(ENERGY_GATED / ENERGY) / (2 * eta * (MEAN_GATED - MEAN))
    names = (MEAN, MEAN_GATED, ENERGY, ENERGY_GATED)
    found = root.xreplace(dict(zip(names, (*means, *energies), strict=True)))
    steps = (
        Step("Mean eigenvalue", MEAN, means[0], "beyond degree 1"),
        Step("With a gate", MEAN_GATED, means[1], "beyond degree 1"),
        Step("Energy", ENERGY, energies[0], "energy beyond degree 1"),
        Step("With a gate", ENERGY_GATED, energies[1], "energy beyond degree 1"),
        Step("The difference of the losses", DIFFERENCE, n * losses / 2, "two exponentials"),
        Step("Where it is 0", CROSSING, root, "equal exponentials"),
        Step("In n, d, m and eta", CROSSING, found, "blocks put in"),
    )
    return Derivation(f"Where the losses of ReLU and ReGLU cross, initial outputs: {initial}", steps)


def _beyond_degree_one(name: str) -> sp.Expr:
    """Of the simplified kernel's diagonal at |x|^2 = d: beta is of degree g, alpha of g + 1, gamma of all beyond."""
    gates = network(name).gates
    found = derive(network(name), order=gates + 1).coefficients
    terms = {gates: found.beta, gates + 1: found.alpha, gates + 2: found.gamma}
    return sp.expand(d ** (gates + 1) * sum(value for degree, value in terms.items() if degree > 1))
