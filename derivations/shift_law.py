r"""The kernel's expansion for any activation, from its Hermite coefficients: the shift law.

On the sphere \(|x|^2 = d\), with \(\phi = \sum_k a_k h_k\) in orthonormal Hermite polynomials and g linear gates,

\[ f(\rho) = \sum_j c_j \rho^j,\qquad c_j = (m + j d)\,a_{j-g}^2 \]

in the standard parametrization: a gate shifts the coefficients by one degree, and the gradient blocks weigh degree j
with j d. Where an activation has no closed form, the \(a_k\) are certified numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from derivations.certified import Ball, certified_dual_series, certified_expectation, certified_hermite
from derivations.derivation import Step
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.symbols import (
    REMAINDER,
    SPHERE,
    Coefficient,
    DualCoefficient,
    Enclosure,
    Expectation,
    Hermite,
    Phi,
    alpha,
    beta,
    d,
    gamma,
    j,
    k,
    l,
    rho,
    u_1,
    u_2,
    x,
    y,
    z,
)

PHI_PHI = Expectation(Phi(0, u_1) * Phi(0, u_2))
SLOPE_SLOPE = Expectation(Phi(1, u_1) * Phi(1, u_2))
SQUARE, SLOPE_SQUARE = Expectation(Phi(0, z) ** 2), Expectation(Phi(1, z) ** 2)


def shift_law_steps(network: TwoLayer, general: sp.Expr) -> Iterator[Step]:
    """From the general kernel to its coefficients of every degree, for any activation that is in L2."""
    yield Step("Hermite expansion", PHI_PHI, sp.Sum(Hermite(k) ** 2 * rho**k, (k, 0, sp.oo)), "Mehler")
    slopes = sp.Sum(k * Hermite(k) ** 2 * rho ** (k - 1), (k, 1, sp.oo))
    yield Step("Hermite expansion of the slope", SLOPE_SLOPE, slopes, "Mehler")
    yield Step("Shift law", Coefficient(j), coefficient(network, general, j), "shift law")


def coefficient(network: TwoLayer, general: sp.Expr, degree: sp.Expr) -> sp.Expr:
    """The coefficient of rho^degree of the general kernel on the sphere, in the Hermite coefficients."""
    index = degree - network.gates
    if index.is_negative:
        return sp.S.Zero
    weight = on_sphere(network, general, rho**index, index * rho ** (index - 1)) / rho**degree
    return sp.factor(sp.powsimp(sp.expand(weight))) * Hermite(index) ** 2


def on_sphere(network: TwoLayer, general: sp.Expr, value: sp.Expr, slope: sp.Expr) -> sp.Expr:
    """The general kernel at |x|^2 = |y|^2 = d with these values of E[phi phi] and E[phi' phi']."""
    dot = sp.Sum(x[l] * y[l], (l, 1, d))
    at = general.subs({PHI_PHI: value, SLOPE_SLOPE: slope, dot: d * rho})
    return at.subs(dict(network.parametrization.values))


def certified_steps(network: TwoLayer, general: sp.Expr, order: int, digits: int) -> list[Step]:
    """Steps from the shift law to coefficients c_0..c_order, the remainder and alpha, beta, gamma.

    Raises
    ------
    InputError
        If the activation has no Hermite coefficients that can be certified, or a variance has no value.
    """
    if network.parametrization.variances == "symbolic":
        raise InputError(
            f"variances must be numeric: {network.activation.name} has no closed form, and its Hermite coefficients "
            "are numbers only at a given variance"
        )
    phi, gates = network.activation.phi, network.gates
    balls = certified_hermite(phi, order + 1 - gates, digits)
    steps = [
        Step(f"Hermite coefficient a_{index}", Hermite(index), number(ball), "certified quadrature")
        for index, ball in enumerate(balls)
    ]
    for lhs, f in ((SQUARE, phi**2), (SLOPE_SQUARE, phi.diff(z) ** 2)):
        ball = certified_expectation(f, digits)
        steps.append(Step("Second moment of the activation", lhs, number(ball), "certified quadrature"))
    values = [coefficient(network, general, sp.Integer(degree)) for degree in range(order + 1)]
    steps += [
        Step(f"Coefficient of rho^{i}", Coefficient(i), value, "shift law") for i, value in enumerate(values)
    ]
    at_one = sp.expand(on_sphere(network, general, SQUARE, SLOPE_SQUARE).subs(rho, 1))
    return [*steps, *_reading_steps(gates, values, at_one)]


def _reading_steps(gates: int, values: Sequence[sp.Expr], at_one: sp.Expr) -> Iterator[Step]:
    """From coefficients and the value at rho = 1 to the remainder and alpha, beta, gamma."""
    order, power = len(values) - 1, d ** (gates + 1)
    yield Step("On the sphere at rho = 1", sp.Subs(SPHERE, rho, 1), at_one, "equal inputs")
    rest = sp.expand(at_one - sp.Add(*values))
    yield Step(f"Remainder after degree {order}", REMAINDER(order), rest, "nonnegative coefficients")
    left = at_one - sp.Add(*values[: gates + 2])
    for name, value in ((beta, values[gates]), (alpha, values[gates + 1]), (gamma, left)):
        yield Step(f"{name}, on the sphere |x|^2 = d", name, sp.expand(value / power), "reading off")


def biased_steps(network: TwoLayer, general: sp.Expr, order: int, digits: int) -> list[Step]:
    r"""Steps to coefficients, remainder and alpha, beta, gamma of a network with biases of variance v.

    On the sphere \(|x|^2 = d\) the preactivations have variance 1 + v and covariance rho + v: the coefficients of
    T = E[phi phi] in rho are certified, and those of E[phi' phi'] = dT/drho follow.

    Raises
    ------
    InputError
        If v has no value, or the coefficients cannot be certified.
    """
    variance = network.parametrization.bias_variance
    if not variance.is_number:
        raise InputError(
            f"bias_variance must be a number: {network.activation.name} has no closed form, and its coefficients are "
            "numbers only at a given variance"
        )
    phi, gates = network.activation.phi, network.gates
    steps = [
        Step(f"Coefficient of rho^{j} of the dual", DualCoefficient(j), number(ball), "certified series")
        for j, ball in enumerate(certified_dual_series(phi, order + 2, digits, variance))
    ]
    moments = biased_moments(variance)
    for lhs, f in zip(moments, (phi**2, phi.diff(z) ** 2), strict=True):
        ball = certified_expectation(f, digits, 1 + variance)
        steps.append(Step("Second moment of the activation", lhs, number(ball), "certified quadrature"))
    value = sp.Add(*(DualCoefficient(j) * rho**j for j in range(order + 2)))
    series = sp.Poly(sp.expand(on_sphere(network, general, value, value.diff(rho))), rho)
    values = [series.coeff_monomial(rho**i) for i in range(order + 1)]
    steps += [
        Step(f"Coefficient of rho^{i}", Coefficient(i), value, "product of series")
        for i, value in enumerate(values)
    ]
    at_one = sp.expand(on_sphere(network, general, *moments).subs(rho, 1))
    return [*steps, *_reading_steps(gates, values, at_one)]


def biased_moments(variance: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """E phi^2 and E phi'^2 at the variance 1 + v."""
    at = sp.sqrt(1 + variance) * z
    return Expectation(Phi(0, at) ** 2), Expectation(Phi(1, at) ** 2)


def number(ball: Ball) -> Enclosure:
    """A ball as what a step's right side shows."""
    return Enclosure(sp.Rational(ball.value), sp.Rational(ball.radius))


def enclosure(expression: sp.Expr, known: Mapping[sp.Expr, Enclosure]) -> tuple[sp.Expr, sp.Expr]:
    """An expression linear in squares of Hermite coefficients and in moments: middle and radius, in m and d."""
    numbers = {}
    for name, ball in known.items():
        value, radius = ball.args
        if name.func == Hermite:
            numbers[name**2] = value**2, 2 * abs(value) * radius + radius**2
        else:
            numbers[name] = value, radius
    symbols = {quantity: sp.Dummy() for quantity in numbers}
    generic = sp.expand(expression.subs(symbols))
    middle = radius = sp.S.Zero
    for quantity, symbol in symbols.items():
        value, error = numbers[quantity]
        for term in sp.Add.make_args(generic.coeff(symbol)):
            middle += value * term
            radius += error * abs(term.as_coeff_Mul()[0]) * term.as_coeff_Mul()[1]
    return middle, radius


def rounded(middle: sp.Expr, radius: sp.Expr, digits: int) -> tuple[sp.Expr, sp.Expr]:
    """Each number of a middle rounded to decimals, and the radius with what that costs, itself rounded up."""
    unit = sp.Rational(1, 10**digits)
    numbers, errors = (
        {
            monomial: number
            for number, monomial in map(sp.Expr.as_coeff_Mul, sp.Add.make_args(sp.expand(part)))
        }
        for part in (middle, radius)
    )
    result, total = sp.S.Zero, sp.S.Zero
    for monomial in numbers | errors:
        number = numbers.get(monomial, sp.S.Zero)
        near = sp.floor(number / unit + sp.Rational(1, 2)) * unit
        error = errors.get(monomial, sp.S.Zero) + abs(number - near)
        result += sp.Float(Enclosure(near, unit).decimal) * monomial if near else sp.S.Zero
        total += sp.ceiling(error / unit) * sp.Float(f"1e-{digits}", 3) * monomial
    return result, total
