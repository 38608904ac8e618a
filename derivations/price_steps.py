r"""Price's ladder as steps: \(E[\phi\phi]\) and \(E[\phi'\phi']\) of an activation, up the ladder and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import sympy as sp

from derivations.derivation import Step
from derivations.normal_form import NormalForm
from derivations.price import Level
from derivations.symbols import Expectation, Phi, c, u_1, u_2, z


def price_steps(
    phi: NormalForm, ladder: Callable[[NormalForm, NormalForm], tuple[Level, ...]]
) -> Iterator[Step]:
    r"""Steps that put in the activation and close both expectations, in ``s_1``, ``s_2`` and ``c``.

    Parameters
    ----------
    phi : NormalForm
    ladder : callable
        `price.price_ladder`, or `remaining_integral.dual_ladder` where one integral may remain.

    Raises
    ------
    NotInClass
        As `ladder`.

    Source: derived here.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> from derivations.price import price_ladder
    >>> for step in price_steps(activation("relu").normal_form, price_ladder):
    ...     print(step.title, "|", step.rule)
    Activation | definition
    Put in the activation | activation
    Put in the activation | activation
    Differentiate in the covariance | Price
    Differentiate in the covariance | Price
    Only Dirac terms remain | origin density
    Value at zero covariance | uncorrelated
    Integrate back in the covariance | integration
    Value at zero covariance | uncorrelated
    Integrate back in the covariance | integration
    """
    yield Step("Activation", Phi(0, z), phi.expression(z), "definition")
    levels = ladder(phi, phi)
    is_direct = len(levels) == 1  # closed without differentiating; its derivative's is too
    if is_direct:
        levels += ladder(phi.derivative(), phi.derivative())
    for order in (0, 1):
        generic = Expectation(Phi(order, u_1) * Phi(order, u_2))
        yield Step("Put in the activation", generic, levels[order].expectation(), "activation")
    if is_direct:
        for level in levels:
            yield Step("Gaussian integral", level.expectation(), level.closed, _integral_rule(level))
        return
    for level, above in pairwise(levels):
        slope = sp.Derivative(level.expectation(), c)
        yield Step("Differentiate in the covariance", slope, above.expectation(), "Price")
    yield _last_step(levels[-1])
    for level in reversed(levels[:-1]):
        yield Step("Value at zero covariance", level.expectation(sp.S.Zero), level.at_zero, "uncorrelated")
        yield Step("Integrate back in the covariance", level.expectation(), level.closed, "integration")


def _last_step(last: Level) -> Step:
    """The rung from which the way leads back."""
    if last.first.is_dirac and last.second.is_dirac:
        return Step("Only Dirac terms remain", last.expectation(), last.closed, "origin density")
    rule = _integral_rule(last)
    most = "One" if rule == "tilted Gaussian integral" else "No"
    title = f"{most} step and {most.lower()} distribution function remains"
    return Step(title, last.expectation(), last.closed, rule)


def _integral_rule(level: Level) -> str:
    is_direct = level.first.is_direct and level.second.is_direct
    return "Gaussian integral" if is_direct else "tilted Gaussian integral"
