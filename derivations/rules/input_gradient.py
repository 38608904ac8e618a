r"""The gradient of one hidden unit in its input: squared length, Gaussian averages, and scales to infinity.

Throughout \(u = w\cdot x \sim N(0, s^2)\) with \(s = \sigma_w|x|\), and v, the weights of a linear gate, are
independent of w.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.rules.rule import Rule, known, rewrite
from derivations.symbols import (
    Expectation,
    Phi,
    c,
    d,
    gate_values,
    gate_weights,
    l,
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

if TYPE_CHECKING:
    from derivations.derivation import Step

_GATE, _VALUE = gate_weights(1), gate_values(1)[0]
_SLOPE_SQUARE, _SQUARE = Expectation(Phi(1, u_1) ** 2), Expectation(Phi(0, u_1) ** 2)


def _names(earlier: Sequence[Step]) -> list[Step]:
    return [step for step in earlier if step.rule == "definition" and isinstance(step.lhs, sp.Sum)]


def _squared_length(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The sum over l of the squared derivative in x_l: what does not depend on l comes out of the sums."""
    gradient = earlier[-1]
    if gradient.rule != "differentiation" or gradient.lhs.variables != (x[l],):
        return False
    square = rewrite(gradient.rhs, _names(earlier)) ** 2
    if lhs != sp.Sum(square, (l, 1, d)):
        return False
    unfolded = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(rhs)):
        sums = [factor for factor in sp.Mul.make_args(term) if isinstance(factor, sp.Sum)]
        if len(sums) != 1 or sums[0].limits != lhs.limits or (term / sums[0]).has(l):
            return False
        unfolded += term / sums[0] * sums[0].function
    return vanishes(square - unfolded)


def _inside(rhs: sp.Expr) -> sp.Expr:
    """A sum of constants times expectations, as one expectation's argument (linearity)."""
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(rhs)):
        factors = [factor for factor in sp.Mul.make_args(term) if isinstance(factor, Expectation)]
        if len(factors) != 1 or len(factors[0].args) != 1:
            raise ValueError(f"not a constant times an expectation: {term}")
        constant = term / factors[0]
        if constant.has(u_1, u_2, _VALUE, Phi, Expectation) or constant.atoms(sp.Indexed) - {x[l]}:
            raise ValueError(f"{constant} is random")
        total += constant * factors[0].args[0]
    return total


def _gate_average(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A quadratic form in v has the mean sigma_v^2 / 2 times its Laplacian."""
    if not isinstance(lhs, Expectation) or len(lhs.args) != 1:
        return False
    j = sp.Dummy("j", integer=True, positive=True)
    names = _names(earlier)
    total = {step.lhs.function.xreplace({step.lhs.limits[0][0]: j}): step.rhs for step in names} | {
        sp.S.One: d
    }
    value = next(step.lhs for step in names if step.rhs == _VALUE)
    form = sp.expand(lhs.args[0])
    if any(_degree(term) != 2 for term in sp.Add.make_args(form)):
        return False
    laplacian = form.subs(_VALUE, value)
    for _ in range(2):
        laplacian = sp.expand(_sifted(laplacian.diff(_GATE[j]), j))
    average = sp.S.Zero
    for term in sp.Add.make_args(laplacian):
        constant, summand = term.as_independent(j, as_Add=False)
        average += constant * total[summand]
    return vanishes(sigma_v**2 / 2 * average - _inside(rhs))


def _degree(term: sp.Expr) -> int:
    """The degree in the gate's weights of a product."""
    total = 0
    for factor, power in term.as_powers_dict().items():
        if isinstance(factor, sp.Sum):
            inner = factor.function.as_powers_dict()
            total += int(power) * sum(int(n) for e, n in inner.items() if e.has(_GATE))
        elif factor == _VALUE:
            total += int(power)
        elif factor.has(_GATE, _VALUE):
            raise ValueError(f"{factor} is no polynomial in the gate's weights")
    return total


def _sifted(expression: sp.Expr, j: sp.Symbol) -> sp.Expr:
    """Sum over k of delta_kj f(k) is f(j)."""

    def sift(total: sp.Sum) -> sp.Expr:
        deltas = total.function.atoms(sp.KroneckerDelta)
        if not deltas:
            return total
        return total.function.subs(deltas.pop(), 1).subs(total.limits[0][0], j)

    return expression.replace(lambda e: isinstance(e, sp.Sum), sift)


def _length_given_preactivation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """By Stein's lemma both sides are c_0 E[f] + c_2 E[f''] with the same c_0, c_2.

    E[f(u) w_l^2] = sigma_w^2 E[f] + sigma_w^4 x_l^2 E[f''], and E[u^2 f(u)] = s^2 E[f] + s^4 E[f''].
    """
    length = sp.Sum(w[l] ** 2, (l, 1, d))
    f = lhs.args[0] / length
    norm = known(sp.Sum(x[l] ** 2, (l, 1, d)), earlier)
    if not isinstance(lhs, Expectation) or len(lhs.args) != 1 or f.atoms(sp.Indexed, sp.Sum):
        return False
    polynomial = sp.Poly(sp.cancel(_inside(rhs) / f), u_1)
    if polynomial.free_symbols_in_domain - {d, sigma_w, *norm.free_symbols} or polynomial.degree() > 2:
        return False
    constant, linear, square = (polynomial.coeff_monomial(u_1**n) for n in range(3))
    variance = sigma_w**2 * norm
    return (
        linear == 0
        and vanishes(constant + square * variance - d * sigma_w**2)
        and vanishes(square * variance**2 - sigma_w**4 * norm)
    )


def _equal_arguments(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """E[f(u_1)^2] is the closed form of E[f(u_1) f(u_2)] at s_2 = s_1, c = s_1^2, where u_2 = u_1."""
    if lhs not in (_SLOPE_SQUARE, _SQUARE):
        return False
    order = 1 if lhs == _SLOPE_SQUARE else 0
    pair = known(Expectation(Phi(order, u_1) * Phi(order, u_2)), earlier)
    return vanishes(known(pair, earlier).subs({s_2: s_1, c: s_1**2}) - rhs)


def _scaling(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """In the variance v = s^2: E[u^2 f] = v E[f] + 2 v^2 dE[f]/dv, and E[u f f'] = v dE[f^2]/dv."""
    v = sp.Dummy("v", positive=True)
    stated = rhs.subs(s_1, sp.sqrt(v))
    if lhs == Expectation(u_1**2 * Phi(1, u_1) ** 2):
        slopes = known(_SLOPE_SQUARE, earlier).subs(s_1, sp.sqrt(v))
        return vanishes(v * slopes + 2 * v**2 * slopes.diff(v) - stated)
    if lhs == Expectation(u_1 * Phi(0, u_1) * Phi(1, u_1)):
        return vanishes(v * known(_SQUARE, earlier).subs(s_1, sp.sqrt(v)).diff(v) - stated)
    return False


def _scaled(lhs: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """f and n of the limit of E[f(u_1)] / s_1^n as s_1 grows."""
    if not isinstance(lhs, sp.Limit) or lhs.args[1:3] != (s_1, sp.oo):
        raise ValueError(f"not a limit of large scale: {lhs}")
    (expectation,) = lhs.args[0].atoms(Expectation)
    power = sp.cancel(lhs.args[0] / expectation).as_powers_dict()
    if set(power) - {s_1, sp.S.One} or len(expectation.args) != 1:
        raise ValueError(f"not an expectation over a power of the scale: {lhs}")
    return expectation.args[0], -power.get(s_1, sp.S.Zero)


def _closed_limit(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The limit of a closed form, which is not 0."""
    f, power = _scaled(lhs)
    t = sp.Dummy("t", positive=True)
    inverted = (known(Expectation(f), earlier) / s_1**power).subs(s_1, 1 / t)
    # Roots of sums over t^2, told their power of t: SymPy's limits are ten times faster.
    inverted = inverted.replace(
        lambda e: e.is_Pow and e.exp.is_Rational, lambda e: sp.factor(sp.together(e.base)) ** e.exp
    )
    return rhs != 0 and vanishes(sp.limit(inverted, t, 0) - rhs)


def _saturation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    r"""Leading term of E[f(u)] for polynomials f in u and the logistic function t of q u.

    The even part of f is \(\sum_j |u|^j a_j\) plus what decays exponentially. If an \(a_j\) is not 0 the highest
    leads; else E[f] s tends to the integral of f over \(\sqrt{2\pi}\) (dominated convergence). The integral is taken
    in the basis of the derivatives of t, by parts, with Bernoulli numbers.
    """
    f, power = _scaled(lhs)
    phi = known(Phi(0, z), earlier)
    f = f.replace(Phi, lambda order, at: phi.diff(z, int(order)).subs(z, at)).subs(u_1, z)
    t = sp.Dummy("t")
    polynomial, rate = _in_logistic(f, t)
    mirrored = sp.Poly(polynomial.as_expr().subs({z: -z, t: 1 - t}, simultaneous=True), z, t)
    even = (polynomial + mirrored).as_expr() / 2
    parts = {j: sp.Poly(e, t) for (j,), e in sp.Poly(even, z).terms()}
    growing = {j: part.eval(1) for j, part in parts.items() if part.eval(1) != 0}
    if growing:
        j = max(growing)
        moment = 2 ** sp.Rational(j, 2) * sp.gamma(sp.Rational(j + 1, 2)) / sp.sqrt(sp.pi)
        return power == j and vanishes(growing[j] * moment - rhs)
    integral = sp.Add(*(_integral(j, part, t) / rate ** (j + 1) for j, part in parts.items()))
    return power == -1 and rhs != 0 and vanishes(integral / sp.sqrt(2 * sp.pi) - rhs)


def _in_logistic(f: sp.Expr, t: sp.Symbol) -> tuple[sp.Poly, sp.Rational]:
    """f as a polynomial in z and t = 1/(1 + exp(-q z)), and q."""
    e = sp.Dummy("e", positive=True)
    f = f.rewrite(sp.exp)
    # e is the exponential of z over the rates' common denominator.
    common = sp.ilcm(1, *(sp.cancel(call.args[0] / z).q for call in f.atoms(sp.exp)))
    rational = f.replace(sp.exp, lambda g: e ** sp.cancel(common * g / z))
    top, bottom = (sp.Poly(part, e) for part in sp.fraction(sp.cancel(sp.together(rational))))
    rate = int(sp.igcd(*(n for (n,), _ in (*top.terms(), *bottom.terms())))) or 1
    value = sp.cancel((top.as_expr() / bottom.as_expr()).subs(e, (t / (1 - t)) ** sp.Rational(1, rate)))
    return sp.Poly(value, z, t), sp.Rational(rate, common)


def _integral(j: int, part: sp.Poly, t: sp.Symbol) -> sp.Expr:
    r"""\(\int y^j p(t(y))\,dy\), t logistic, for a polynomial p that is 0 at t = 0 and 1."""
    derivatives = [sp.Poly(t - t**2, t)]
    while derivatives[-1].degree() < part.degree():
        derivatives.append(sp.Poly(t - t**2, t) * derivatives[-1].diff(t))
    total = sp.S.Zero
    for n, derivative in reversed(list(enumerate(derivatives))):
        share = part.coeff_monomial(t ** (n + 2)) / derivative.LC()
        part -= share * derivative
        # By parts n times: (-1)^n j!/(j - n)! times the moment of t' of order j - n.
        if share != 0 and n <= j:
            total += share * (-1) ** n * sp.ff(j, n) * _logistic_moment(j - n)
    if not part.is_zero:
        raise ValueError("the integrand does not decay")
    return total


def _logistic_moment(n: int) -> sp.Expr:
    """Moment of order n of the logistic distribution."""
    if n % 2:
        return sp.S.Zero
    return sp.S.One if n == 0 else (2**n - 2) * sp.pi**n * abs(sp.bernoulli(n))


def _limit_of_sums(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Each expectation is its leading term times 1 + o(1); no term may grow."""
    if not isinstance(lhs, sp.Limit) or lhs.args[1:3] != (s_1, sp.oo):
        return False
    leading = {}
    for step in earlier:
        if step.rule in ("closed limit", "saturation"):
            f, power = _scaled(step.lhs)
            leading[Expectation(f)] = step.rhs * s_1**power
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(lhs.args[0])):
        # Each by itself: growing terms that cancel would leave their unknown corrections.
        constant, power = term.xreplace(leading).as_independent(s_1, as_Add=False)
        if power == 1:
            total += constant
        elif constant.has(Expectation) or not sp.cancel(s_1 * power.diff(s_1) / power).is_negative:
            return False
    return not total.has(Expectation) and vanishes(total - rhs)


RULES: dict[str, Rule] = {
    "squared length": Rule("factors without the index leave the sum", "distributivity", _squared_length),
    "gate average": Rule(
        "E[(v.p)(v.q)] = sigma_v^2 p.q for the gate's weights v, which are independent of w",
        "second moments of the normal distribution; independence",
        _gate_average,
    ),
    "length given preactivation": Rule(
        "w is (u/|x|^2) x plus an independent Gaussian vector orthogonal to x, of mean square (d - 1) sigma_w^2",
        "conditioning of the normal distribution",
        _length_given_preactivation,
    ),
    "equal arguments": Rule(
        "a Gaussian pair with c = s_1^2 = s_2^2 is one variable; the closed form is continuous there",
        "dominated convergence",
        _equal_arguments,
    ),
    "scaling": Rule(
        "E[(z^2 - 1) g(s z)] = s d/ds E[g(s z)], the derivative taken of the density",
        "Stein 1981 (lemma 1)",
        _scaling,
    ),
    "closed limit": Rule(
        "leading term of a closed form at large scale", "limits of functions", _closed_limit
    ),
    "saturation": Rule(
        "E[f(s z)] is a power's moment, or the integral of f over s sqrt(2 pi), up to 1 + o(1)",
        "dominated convergence; beta integrals",
        _saturation,
    ),
    "limit of sums": Rule("limits of sums and products", "limits of functions", _limit_of_sums),
}
