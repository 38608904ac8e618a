"""The entry point: an activation's input gradients, derived for a plain and for a gated unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from derivations.activations import Activation, activation
from derivations.arguments import shown
from derivations.certified import Ball, certified_expectation
from derivations.derivation import Derivation
from derivations.errors import InputError
from derivations.input_gradient.expectations import EXPECTATIONS, expectation_steps
from derivations.input_gradient.large_scale import large_scale_steps, leading_terms, limit_steps, linear_share
from derivations.input_gradient.saturation import tanh_form
from derivations.input_gradient.second_moments import GENERAL, SecondMoments, gradient_steps
from derivations.symbols import Phi, s_1, u_1, z


@dataclass(frozen=True)
class InputGradient:
    r"""Second moments of the input gradient of a plain and a gated unit, and the derivations that end in them.

    Attributes
    ----------
    activation : Activation
    plain, gated : Derivation
        From the unit to \(E|\nabla_x h|^2\) and, where it is known, to its leading term as \(s \to \infty\).

    Examples
    --------
    >>> result = input_gradient("relu")
    >>> result.check()
    >>> result.moments.plain, sp.factor(result.moments.gated)
    (d*sigma_w**2/2, s_1**2*sigma_v**2*(d + 1))
    >>> input_gradient("sigmoid").leading.plain
    sqrt(2)*sigma_w**2*(d - 1)/(12*sqrt(pi)*s_1)
    """

    activation: Activation
    plain: Derivation
    gated: Derivation

    def check(self) -> None:
        """Verify every step of both derivations; see `Derivation.check`."""
        self.plain.check()
        self.gated.check()

    @cached_property
    def expectations(self) -> dict[sp.Expr, sp.Expr]:
        """Closed forms in ``s_1`` of `EXPECTATIONS`; an expectation without one stands for itself."""
        found = {step.lhs: step.rhs for step in self.gated.steps}
        return {expectation: found.get(expectation, expectation) for expectation in EXPECTATIONS}

    @property
    def moments(self) -> SecondMoments:
        r"""As expressions in ``s_1``, ``d``, ``sigma_w``, ``sigma_v`` and, where none is known, expectations."""
        put_in = {name: sp.expand(part.xreplace(self.expectations)) for name, part in GENERAL.parts.items()}
        return SecondMoments(**put_in)

    @property
    def leading(self) -> SecondMoments:
        r"""Leading terms as \(s \to \infty\) at fixed weights, so with |x|; where phi saturates, for d >= 2.

        Raises
        ------
        InputError
            If they are not known for this activation.

        Examples
        --------
        >>> input_gradient("sigmoid").leading.linear
        d*sigma_v**2/2
        """
        found = leading_terms(self.plain.steps + self.gated.steps)
        if found is None:
            raise InputError(f"activation {self.activation.name!r} has no leading terms at large scale here")
        return found

    @property
    def linear_share(self) -> sp.Expr:
        r"""Leading term of the linear path's share of the gated unit's second moment.

        Examples
        --------
        >>> input_gradient("relu").linear_share, input_gradient("tanh").linear_share
        (d/(2*(d + 1)), 3*sqrt(2)*sqrt(pi)*d/(4*s_1*(d - 1)))
        """
        return linear_share(self.leading)

    def values(self, scale: sp.Rational | int, digits: int = 20) -> dict[sp.Expr, Ball]:
        r"""`EXPECTATIONS` at s = `scale`: of a closed form the digits, else certified ones.

        Parameters
        ----------
        scale : Rational or int
            s, positive.
        digits : int
            Decimals.

        Raises
        ------
        InputError
            If the scale is not a positive rational number, or no digits can be certified.

        Examples
        --------
        >>> from derivations.input_gradient import SQUARE
        >>> input_gradient("sigmoid").values(8, digits=10)[SQUARE]
        Ball(value='0.4513498199', radius='1e-10')
        """
        scale = sp.sympify(scale)
        if not (scale.is_Rational and scale.is_positive):
            raise InputError(f"scale must be a positive rational number, got {shown(scale)}")
        return {
            expectation: self._value(expectation, closed, scale, digits)
            for expectation, closed in self.expectations.items()
        }

    def _value(self, expectation: sp.Expr, closed: sp.Expr, scale: sp.Rational, digits: int) -> Ball:
        if closed == expectation:
            form = tanh_form(self.activation.phi)
            f = _put_in(expectation, self.activation.phi) if form is None else form.put_in(expectation)
            return certified_expectation(f, digits, scale**2)
        whole = int(sp.floor(closed.subs(s_1, scale) * 10**digits + sp.Rational(1, 2)))
        text = str(abs(whole)).zfill(digits + 1)
        return Ball(f"{'-' * (whole < 0)}{text[:-digits]}.{text[-digits:]}", f"1e-{digits}")


def input_gradient(name: Activation | str) -> InputGradient:
    r"""Derive the second moments of the input gradient of a plain and of a gated unit.

    Parameters
    ----------
    name : Activation or str
        An activation without jumps, or its name.

    Returns
    -------
    InputGradient

    Raises
    ------
    InputError
        If the name is unknown or the activation jumps.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> input_gradient("identity").moments.gated
    2*d*s_1**2*sigma_v**2 + 2*s_1**2*sigma_v**2
    >>> input_gradient("step")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: activation must have no jump to have a gradient, got step
    """
    phi = activation(name) if isinstance(name, str) else name
    expectations = list(expectation_steps(phi))
    limits = list(limit_steps(phi, expectations))
    plain, gated = (
        Derivation(
            f"The second moment of the input gradient of one {kind} unit, phi(z) = {phi.phi}",
            (*gradient_steps(gates), *expectations, *limits, *large_scale_steps(parts, limits)),
        )
        for gates, kind, parts in ((0, "plain", ("plain",)), (1, "gated", ("gate", "linear", "cross")))
    )
    return InputGradient(phi, plain, gated)


def _put_in(expectation: sp.Expr, phi: sp.Expr) -> sp.Expr:
    """What is expected, with this activation, as an expression in z."""
    f = expectation.args[0].replace(Phi, lambda order, _: phi.diff(z, int(order)))
    return f.subs(u_1, z)
