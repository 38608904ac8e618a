r"""The four expectations that the input gradient's second moments consist of, closed by Price's ladder and by scaling.

\(E\phi'^2\) and \(E\phi^2\) are those of a pair at equal arguments. In the variance \(v = s^2\)

\[ E[u^2\phi'^2] = v\,E\phi'^2 + 2v^2\,\partial_v E\phi'^2,\qquad E[u\phi\phi'] = v\,\partial_v E\phi^2. \]
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from derivations.activations import Activation
from derivations.derivation import Step
from derivations.errors import InputError
from derivations.normal_form import NotInClass
from derivations.price import price_ladder
from derivations.price_steps import price_steps
from derivations.symbols import Expectation, Phi, c, s_1, s_2, u_1, u_2, z

SLOPE_SQUARE = Expectation(Phi(1, u_1) ** 2)
WEIGHTED_SLOPE_SQUARE = Expectation(u_1**2 * Phi(1, u_1) ** 2)
SQUARE = Expectation(Phi(0, u_1) ** 2)
PRODUCT = Expectation(u_1 * Phi(0, u_1) * Phi(1, u_1))
EXPECTATIONS = (SLOPE_SQUARE, WEIGHTED_SLOPE_SQUARE, SQUARE, PRODUCT)
r"""\(E\phi'^2\), \(E[u^2\phi'^2]\), \(E\phi^2\), \(E[u\phi\phi']\): all that the second moments need."""


def expectation_steps(phi: Activation) -> Iterator[Step]:
    """The activation and, where Price's ladder closes them, its `EXPECTATIONS`.

    Raises
    ------
    InputError
        If the activation jumps.
    """
    try:
        form = phi.normal_form
        if not phi.is_continuous:
            raise InputError(f"activation must have no jump to have a gradient, got {phi.name}")
        pairs = list(price_steps(form, price_ladder))
    except NotInClass:
        yield Step("Activation", Phi(0, z), phi.phi, "definition")
        return
    yield from pairs
    closed = {step.lhs: step.rhs for step in pairs}
    for order, expectation in ((0, SQUARE), (1, SLOPE_SQUARE)):
        pair = closed[closed[Expectation(Phi(order, u_1) * Phi(order, u_2))]]
        value = sp.factor(pair.subs({s_2: s_1, c: s_1**2}))
        closed[expectation] = value
        yield Step("At equal arguments", expectation, value, "equal arguments")
    slope, square = closed[SLOPE_SQUARE], closed[SQUARE]
    weighted = sp.factor(s_1**2 * (slope + s_1 * slope.diff(s_1)))
    yield Step("Scale the variance", WEIGHTED_SLOPE_SQUARE, weighted, "scaling")
    yield Step("Scale the variance", PRODUCT, sp.factor(s_1 * square.diff(s_1) / 2), "scaling")
