r"""The gradient of one hidden unit with respect to its input: its second moment, path by path, and at large scale.

For a plain unit \(h(x) = \phi(w\cdot x)\) and a gated one \(h(x) = \phi(w\cdot x)\,(v\cdot x)\), with independent
\(w \sim N(0, \sigma_w^2 I_d)\), \(v \sim N(0, \sigma_v^2 I_d)\), \(u = w\cdot x\) and \(s = \sigma_w|x|\),

\[ \nabla_x h = \phi'(u)\,w, \qquad \nabla_x h = \phi'(u)\,(v\cdot x)\,w + \phi(u)\,v: \]

the gated unit has a path through the gate, as the plain one, and a linear path through v. Then

\[ E|\nabla_x h|^2 = \sigma_w^2\Big[(d-1)E\phi'^2 + \frac{E[u^2\phi'^2]}{s^2}\Big], \qquad
   E|\nabla_x h|^2 = \sigma_v^2\Big[s^2(d-1)E\phi'^2 + E[u^2\phi'^2] + d\,E\phi^2 + 2E[u\phi\phi']\Big] \]

(gate path, linear path, cross term). With the Euler operator \(D = d + s\,\partial_s\) these are
\(\sigma_w^2 D E\phi'^2\) and \(\sigma_v^2(s^2 D E\phi'^2 + D E\phi^2)\).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise

import sympy as sp

from derivations.activations import Activation, activation
from derivations.arguments import shown
from derivations.certified import Ball, certified_expectation
from derivations.derivation import Derivation, Step
from derivations.errors import InputError
from derivations.normal_form import NormalForm, NotInClass
from derivations.price import price_ladder
from derivations.rules import rewrite
from derivations.saturation import tanh_form
from derivations.symbols import (
    UNIT,
    Expectation,
    Phi,
    c,
    d,
    gate_values,
    gate_weights,
    k,
    l,
    r_i,
    s_1,
    s_2,
    sigma_v,
    sigma_w,
    u_1,
    u_2,
    w,
    x,
    z,
)

SLOPE_SQUARE = Expectation(Phi(1, u_1) ** 2)
WEIGHTED_SLOPE_SQUARE = Expectation(u_1**2 * Phi(1, u_1) ** 2)
SQUARE = Expectation(Phi(0, u_1) ** 2)
PRODUCT = Expectation(u_1 * Phi(0, u_1) * Phi(1, u_1))
EXPECTATIONS = (SLOPE_SQUARE, WEIGHTED_SLOPE_SQUARE, SQUARE, PRODUCT)
r"""\(E\phi'^2\), \(E[u^2\phi'^2]\), \(E\phi^2\), \(E[u\phi\phi']\): all that the second moments need."""

_PREACTIVATION, _GATE = sp.Sum(w[k] * x[k], (k, 1, d)), sp.Sum(gate_weights(1)[k] * x[k], (k, 1, d))
_VALUE = gate_values(1)[0]
_LENGTH = sp.Sum(w[l] ** 2, (l, 1, d))


@dataclass(frozen=True)
class SecondMoments:
    """One value for the plain unit and for each part of the gated one.

    Attributes
    ----------
    plain : Expr
        Of the plain unit's gradient.
    gate, linear : Expr
        Of the gated unit's two paths, phi'(u) (v.x) w and phi(u) v.
    cross : Expr
        Twice the expected inner product of the two paths.
    """

    plain: sp.Expr
    gate: sp.Expr
    linear: sp.Expr
    cross: sp.Expr

    @property
    def gated(self) -> sp.Expr:
        """Of the gated unit's gradient."""
        return self.gate + self.linear + self.cross


GENERAL = SecondMoments(
    plain=sigma_w**2 * ((d - 1) * SLOPE_SQUARE + WEIGHTED_SLOPE_SQUARE / s_1**2),
    gate=sigma_v**2 * (s_1**2 * (d - 1) * SLOPE_SQUARE + WEIGHTED_SLOPE_SQUARE),
    linear=sigma_v**2 * d * SQUARE,
    cross=2 * sigma_v**2 * PRODUCT,
)
"""For every activation, in terms of `EXPECTATIONS`; what the derivations end in."""


def _parts(moments: SecondMoments) -> Iterator[tuple[str, sp.Expr]]:
    return ((field.name, getattr(moments, field.name)) for field in fields(moments))


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
        put_in = {name: sp.expand(part.xreplace(self.expectations)) for name, part in _parts(GENERAL)}
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
        limits = {step.title: step for step in self.plain.steps + self.gated.steps}
        if _at_large_scale("plain") not in limits:
            raise InputError(f"activation {self.activation.name!r} has no leading terms at large scale here")
        found = {}
        for name, part in _parts(GENERAL):
            limit = limits[_at_large_scale(name)]
            found[name] = sp.factor(limit.rhs * sp.cancel(part / limit.lhs.args[0]))
        return SecondMoments(**found)

    @property
    def linear_share(self) -> sp.Expr:
        r"""Leading term of the linear path's share of the gated unit's second moment.

        Examples
        --------
        >>> input_gradient("relu").linear_share, input_gradient("tanh").linear_share
        (d/(2*(d + 1)), 3*sqrt(2)*sqrt(pi)*d/(4*s_1*(d - 1)))
        """
        leading = self.leading
        parts = [part for part in (leading.gate, leading.linear, leading.cross) if part != 0]
        highest = max(map(_power, parts))
        return sp.factor(leading.linear / sp.Add(*(part for part in parts if _power(part) == highest)))

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
    expectations = list(_expectation_steps(phi))
    limits = list(_limit_steps(phi, expectations))
    plain, gated = (
        Derivation(
            f"The second moment of the input gradient of one {kind} unit, phi(z) = {phi.phi}",
            (*_gradient_steps(gates), *expectations, *limits, *_large_scale_steps(parts, limits)),
        )
        for gates, kind, parts in ((0, "plain", ("plain",)), (1, "gated", ("gate", "linear", "cross")))
    )
    return InputGradient(phi, plain, gated)


def _gradient_steps(gates: int) -> Iterator[Step]:
    """From the unit to its gradient's second moment, in terms of `EXPECTATIONS`."""
    unit = Phi(0, _PREACTIVATION) * (_GATE if gates else 1)
    gradient = Phi(1, _PREACTIVATION) * w[l] * (_GATE if gates else 1)
    if gates:
        gradient += Phi(0, _PREACTIVATION) * gate_weights(1)[l]
    names = [Step("Name the preactivation", _PREACTIVATION, u_1, "definition")]
    if gates:
        names.append(Step("Name the value of the gate", _GATE, _VALUE, "definition"))
        product = sp.Sum(gate_weights(1)[l] * w[l], (l, 1, d))
    yield Step("One hidden unit", UNIT, unit, "definition")
    yield from names
    yield Step("Norm of the input", sp.Sum(x[l] ** 2, (l, 1, d)), r_i**2, "definition")
    yield Step("Gradient in the input", sp.Derivative(unit, x[l]), gradient, "differentiation")
    square = sp.Sum(rewrite(gradient, names) ** 2, (l, 1, d))
    slope, value = Phi(1, u_1), Phi(0, u_1)
    expanded = slope**2 * _LENGTH
    if gates:
        expanded *= _VALUE**2
        expanded += 2 * slope * value * _VALUE * product
        expanded += value**2 * sp.Sum(gate_weights(1)[l] ** 2, (l, 1, d))
    yield Step("Squared length", square, expanded, "squared length")
    if gates:
        parts = r_i**2 * Expectation(slope**2 * _LENGTH) + 2 * PRODUCT + d * SQUARE
        yield Step("Average over the gate", Expectation(expanded), sigma_v**2 * parts, "gate average")
    split = (d - 1) * sigma_w**2 * SLOPE_SQUARE + WEIGHTED_SLOPE_SQUARE / r_i**2
    yield Step("Length of w given u", Expectation(slope**2 * _LENGTH), split, "length given preactivation")
    yield Step("Deviation of the preactivation", s_1, sp.sqrt(Expectation(u_1**2)), "definition")
    yield Step("Second moment", Expectation(u_1**2), sigma_w**2 * sp.Sum(x[l] ** 2, (l, 1, d)), "Isserlis")
    general = sp.Add(
        *(getattr(GENERAL, part) for part in (("gate", "linear", "cross") if gates else ("plain",)))
    )
    yield Step("Second moment of the gradient", Expectation(square), general, "substitution")


def _expectation_steps(phi: Activation) -> Iterator[Step]:
    """The activation and, where Price's ladder closes them, its `EXPECTATIONS`."""
    try:
        form = phi.normal_form
        if not phi.is_continuous:
            raise InputError(f"activation must have no jump to have a gradient, got {phi.name}")
        ladders = list(_ladder_steps(form))
    except NotInClass:
        yield Step("Activation", Phi(0, z), phi.phi, "definition")
        return
    yield Step("Activation", Phi(0, z), form.expression(z), "definition")
    yield from ladders
    closed = {step.lhs: step.rhs for step in ladders}
    for order, expectation in ((0, SQUARE), (1, SLOPE_SQUARE)):
        pair = closed[closed[Expectation(Phi(order, u_1) * Phi(order, u_2))]]
        value = sp.factor(pair.subs({s_2: s_1, c: s_1**2}))
        closed[expectation] = value
        yield Step("At equal arguments", expectation, value, "equal arguments")
    slope, square = closed[SLOPE_SQUARE], closed[SQUARE]
    weighted = sp.factor(s_1**2 * (slope + s_1 * slope.diff(s_1)))
    yield Step("Scale the variance", WEIGHTED_SLOPE_SQUARE, weighted, "scaling")
    yield Step("Scale the variance", PRODUCT, sp.factor(s_1 * square.diff(s_1) / 2), "scaling")


def _ladder_steps(form: NormalForm) -> Iterator[Step]:
    """E[phi phi] and E[phi' phi'] of a pair, closed by Price's theorem."""
    ladder = price_ladder(form, form)
    direct = len(ladder) == 1
    if direct:
        ladder += price_ladder(form.derivative(), form.derivative())
    for order in (0, 1):
        generic = Expectation(Phi(order, u_1) * Phi(order, u_2))
        yield Step("Put in the activation", generic, ladder[order].expectation(), "activation")
    if direct:
        for level in ladder:
            yield Step("Gaussian integral", level.expectation(), level.closed, "Gaussian integral")
        return
    for level, above in pairwise(ladder):
        slope = sp.Derivative(level.expectation(), c)
        yield Step("Differentiate in the covariance", slope, above.expectation(), "Price")
    last = ladder[-1]
    rule = "origin density" if last.first.is_dirac and last.second.is_dirac else "Gaussian integral"
    yield Step("Only a Gaussian integral remains", last.expectation(), last.closed, rule)
    for level in reversed(ladder[:-1]):
        yield Step("Value at zero covariance", level.expectation(sp.S.Zero), level.at_zero, "uncorrelated")
        yield Step("Integrate back in the covariance", level.expectation(), level.closed, "integration")


def _limit_steps(phi: Activation, earlier: list[Step]) -> Iterator[Step]:
    """Leading terms of `EXPECTATIONS`, if all four are known."""
    closed = {step.lhs: step.rhs for step in earlier}
    form = tanh_form(phi.phi)
    for expectation in EXPECTATIONS:
        term, rule = None, "saturation"
        if expectation in closed:
            term, rule = _leading_term(closed[expectation]), "closed limit"
        elif form is not None:
            term = form.leading_term(expectation)
        if term is None:
            return
        value, power = term
        limit = sp.Limit(expectation * s_1**-power, s_1, sp.oo)
        yield Step(f"At large scale, like the power {power}", limit, value, rule)


def _leading_term(closed: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """(value, n) with `closed` ~ value s_1^n, or None where it grows or falls exponentially."""
    if closed.has(sp.exp):
        return None
    inverse = sp.Dummy("inverse", positive=True)
    # Roots of sums over inverse^2 would hide their power of it from SymPy.
    inverted = closed.subs(s_1, 1 / inverse).replace(
        lambda e: e.is_Pow and e.exp.is_Rational, lambda e: sp.factor(sp.together(e.base)) ** e.exp
    )
    value, power = inverted.leadterm(inverse)
    return sp.factor(value), -power


def _large_scale_steps(parts: tuple[str, ...], limits: list[Step]) -> Iterator[Step]:
    """The leading term of each of these parts of the second moment."""
    if len(limits) < len(EXPECTATIONS):
        return
    leading = {}
    for step in limits:
        (expectation,) = step.lhs.args[0].atoms(Expectation)
        leading[expectation] = step.rhs * sp.cancel(expectation / step.lhs.args[0])
    for name in parts:
        value = sp.expand(getattr(GENERAL, name).xreplace(leading))
        power = max(_power(term) for term in sp.Add.make_args(value))
        scaled = sp.expand(getattr(GENERAL, name) * s_1**-power)
        top = sp.Add(*(term for term in sp.Add.make_args(value) if _power(term) == power))
        limit = sp.Limit(scaled, s_1, sp.oo)
        yield Step(_at_large_scale(name), limit, sp.factor(top / s_1**power), "limit of sums")


def _at_large_scale(part: str) -> str:
    return f"At large scale: {part}"


def _power(term: sp.Expr) -> sp.Expr:
    """The power of the scale in a product."""
    return sp.cancel(s_1 * term.diff(s_1) / term)


def _put_in(expectation: sp.Expr, phi: sp.Expr) -> sp.Expr:
    """What is expected, with this activation, as an expression in z."""
    f = expectation.args[0].replace(Phi, lambda order, _: phi.diff(z, int(order)))
    return f.subs(u_1, z)
