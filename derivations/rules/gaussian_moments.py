"""Moments of one normal variable and of a pair: with exponentials, steps, distribution functions and Dirac terms."""

from __future__ import annotations

import sympy as sp

from derivations.symbols import c, s_1, s_2, u_1, u_2


def gaussian_moment(lhs: sp.Expr) -> sp.Expr:
    """The expectation, term by term."""
    total = sp.S.Zero
    for term in sp.Add.make_args(exponential_terms(lhs.args[0])):
        coefficient, random = term.as_independent(u_1, u_2, as_Add=False)
        total += coefficient * (_dirac_moment(random) if random.has(sp.DiracDelta) else _pair_moment(random))
    return total


def _parts(random: sp.Expr) -> tuple[int, int, sp.Poly]:
    """The powers of u_1 and u_2 and the exponent of a monomial times an exponential."""
    powers = random.as_powers_dict()
    i, j = int(powers.pop(u_1, 0)), int(powers.pop(u_2, 0))
    exponent = powers.pop(sp.E, sp.S.Zero)
    for base, power in powers.items():
        if base == 1:
            continue
        if not isinstance(base, sp.exp):
            raise ValueError(f"no Gaussian integral is known of {random}")
        exponent += base.args[0] * power
    return i, j, sp.Poly(exponent, u_1, u_2)


def _erf_scales(factors: sp.Expr, u: sp.Symbol) -> list[sp.Expr]:
    """The k of a product of erf(k u), each as often as it occurs."""
    scales = []
    for factor, power in factors.as_powers_dict().items():
        if not isinstance(factor, sp.erf) or not power.is_Integer or (factor.args[0] / u).has(u):
            raise ValueError(f"no moment is known of {factors}")
        scales += [factor.args[0] / u] * int(power)
    return scales


def _stein_moment(
    i: int,
    j: int,
    k: sp.Expr | None,
    h: sp.Expr | None,
    p: sp.Expr,
    q: sp.Expr,
    covariance: sp.Expr,
) -> sp.Expr:
    """E[u_1^i u_2^j A(u_1) B(u_2)] with A = erf(k u_1), B = erf(h u_2), the sign for an infinite scale, 1 for None.

    By Stein's lemma E[u_1 F] = p E[dF/du_1] + c E[dF/du_2] down to Sheppard's quadrants.
    """
    if i == 0 and j > 0:
        return _stein_moment(j, 0, h, k, q, p, covariance)
    if i == 0:
        return _quadrants(k, h, p, q, covariance)
    total = sp.S.Zero
    if i > 1:
        total += p * (i - 1) * _stein_moment(i - 2, j, k, h, p, q, covariance)
    if j > 0:
        total += covariance * j * _stein_moment(i - 1, j - 1, k, h, p, q, covariance)
    total += p * _slope_moment(i - 1, j, k, h, p, q, covariance)
    return total + covariance * _slope_moment(j, i - 1, h, k, q, p, covariance)


def _slope_moment(
    i: int,
    j: int,
    k: sp.Expr | None,
    h: sp.Expr | None,
    p: sp.Expr,
    q: sp.Expr,
    covariance: sp.Expr,
) -> sp.Expr:
    """The same with A' in the place of A: a Gaussian, or twice a Dirac term."""
    if k is None:
        return sp.S.Zero
    if k == sp.oo:
        if i:
            return sp.S.Zero
        given = _stein_moment(0, j, None, h, sp.S.Zero, q - covariance**2 / p, sp.S.Zero)
        return 2 / sp.sqrt(2 * sp.pi * p) * given
    spread = 1 + 2 * k**2 * p
    narrowed = p / spread, q - 2 * k**2 * covariance**2 / spread, covariance / spread
    return 2 * k / sp.sqrt(sp.pi * spread) * _stein_moment(i, j, None, h, *narrowed)


def _quadrants(k: sp.Expr | None, h: sp.Expr | None, p: sp.Expr, q: sp.Expr, covariance: sp.Expr) -> sp.Expr:
    if k is None or h is None:
        return sp.S.One if k == h else sp.S.Zero
    gap = p * q - covariance**2
    if k == h == sp.oo:
        tangent = covariance / sp.sqrt(gap)
    elif sp.oo in (k, h):
        finite, variance = (h, p) if k == sp.oo else (k, q)
        tangent = sp.sqrt(2) * finite * covariance / sp.sqrt(variance + 2 * finite**2 * gap)
    else:
        spread = 1 + 2 * k**2 * p + 2 * h**2 * q + 4 * k**2 * h**2 * gap
        tangent = 2 * k * h * covariance / sp.sqrt(spread)
    return 2 * sp.atan(tangent) / sp.pi


def _taken_apart(random: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Expr, dict[sp.Symbol, sp.Expr | None]]]]:
    """What is no step or erf, and the sums of weights and scales of the odd functions that those are."""
    rest = sp.S.One
    choices: list[tuple[sp.Expr, dict[sp.Symbol, sp.Expr | None]]] = [(sp.S.One, {u_1: None, u_2: None})]
    for factor, power in random.as_powers_dict().items():
        if not isinstance(factor, (sp.erf, sp.Heaviside)):
            rest *= factor**power
            continue
        (u,) = factor.free_symbols
        if power != 1 or any(chosen[u] is not None for _, chosen in choices):
            raise ValueError(f"no Gaussian integral is known of {random}")
        if isinstance(factor, sp.erf):
            choices = [(w, chosen | {u: factor.args[0] / u}) for w, chosen in choices]
        else:  # (1 + sign) / 2
            choices = [(w / 2, chosen | {u: k}) for w, chosen in choices for k in (None, sp.oo)]
    return rest, choices


def _pair_moment(random: sp.Expr) -> sp.Expr:
    smooth, choices = _taken_apart(random)
    i, j, exponent = _parts(smooth)
    b = sp.Matrix(sp.symbols("b_1 b_2"))
    sigma = sp.Matrix([[s_1**2, c], [c, s_2**2]])
    rates = sp.diag(*(-2 * exponent.coeff_monomial(u**2) for u in (u_1, u_2)))
    if exponent.coeff_monomial(u_1 * u_2) != 0:
        raise ValueError(f"no Gaussian integral is known of {random}")
    tilts = [exponent.coeff_monomial(u) for u in (u_1, u_2)]
    spread = sp.eye(2) + sigma * rates
    if any(scale is not None for _, chosen in choices for scale in chosen.values()):
        if any(tilts):
            raise ValueError(f"no Gaussian integral is known of {random}")
        tilted = (spread.inv() * sigma).applyfunc(sp.factor)
        weight = 1 / sp.sqrt(sp.expand(spread.det()))
        laws = tilted[0, 0], tilted[1, 1], tilted[0, 1]
        return weight * sp.Add(
            *(part * _stein_moment(i, j, chosen[u_1], chosen[u_2], *laws) for part, chosen in choices)
        )
    quadratic = (b.T * (spread.inv() * sigma) * b)[0]
    generating = sp.exp(quadratic / 2) / sp.sqrt(sp.expand(spread.det()))
    return generating.diff(b[0], i).diff(b[1], j).subs(dict(zip(b, tilts, strict=True)))


def _dirac_moment(random: sp.Expr) -> sp.Expr:
    deltas = [e for e in sp.Mul.make_args(random) if isinstance(e, sp.DiracDelta)]
    if len(deltas) == 2:
        return density_at_origin(random)
    if len(deltas) != 1:
        raise ValueError(f"no Gaussian integral is known of {random}")
    at, other = (u_1, u_2) if deltas[0].has(u_1) else (u_2, u_1)
    variance, spread = (s_1**2, s_2**2) if at == u_1 else (s_2**2, s_1**2)
    rest, choices = _taken_apart(random / deltas[0])
    i, j, exponent = _parts(rest)
    power, unwanted = (j, i) if at == u_1 else (i, j)
    rate = -2 * exponent.coeff_monomial(other**2)
    if unwanted or exponent.as_expr() != -rate * other**2 / 2:
        raise ValueError(f"no Gaussian integral is known of {random}")
    order = int(deltas[0].args[1]) if len(deltas[0].args) > 1 else 0
    if len(choices) > 1 or choices[0][1][other] is not None:
        law = variance, spread, rate
        return sp.Add(*(part * _dirac_and_odd(order, power, chosen[other], *law) for part, chosen in choices))
    b = sp.Dummy()
    mean, width = c * at / variance, spread - c**2 / variance
    narrowed = 1 + rate * width
    given = sp.exp((-rate * mean**2 + 2 * b * mean + b**2 * width) / (2 * narrowed)) / sp.sqrt(narrowed)
    density = sp.exp(-(at**2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)
    value = (density * given.diff(b, power).subs(b, 0)).diff(at, order).subs(at, 0)
    return (-1) ** order * value


def _dirac_and_odd(
    order: int, power: int, k: sp.Expr | None, variance: sp.Expr, spread: sp.Expr, rate: sp.Expr
) -> sp.Expr:
    """E[delta^(n)(u) v^j A(v) exp(-rate v^2 / 2)], by E[dF/du] = E[F (M_11 u + M_12 v)], M the inverse covariance."""
    gap = variance * spread - c**2
    if order == 0:
        given = gap / variance
        narrowed = 1 + rate * given
        moment = _stein_moment(power, 0, k, None, given / narrowed, sp.S.Zero, sp.S.Zero)
        return moment / sp.sqrt(narrowed) / sp.sqrt(2 * sp.pi * variance)
    law = k, variance, spread, rate
    total = -c / gap * _dirac_and_odd(order - 1, power + 1, *law)
    if order > 1:
        total -= (order - 1) * spread / gap * _dirac_and_odd(order - 2, power, *law)
    return total


def density_at_origin(diracs: sp.Expr) -> sp.Expr:
    """E of a derivative of delta(u_1) times one of delta(u_2)."""
    deltas = sp.Mul.make_args(diracs)
    # One of each variable, and nothing else that is random, or the origin is not where the mass is.
    if {delta.args[0] for delta in deltas} != {u_1, u_2} or len(deltas) != 2:
        raise ValueError(f"no density at the origin is {diracs}")
    determinant = s_1**2 * s_2**2 - c**2
    exponent = -(s_2**2 * u_1**2 - 2 * c * u_1 * u_2 + s_1**2 * u_2**2) / (2 * determinant)
    derivative = sp.exp(exponent) / (2 * sp.pi * sp.sqrt(determinant))
    for dirac in deltas:
        order = int(dirac.args[1]) if len(dirac.args) > 1 else 0
        derivative = (-1) ** order * derivative.diff(dirac.args[0], order)
    return derivative.subs({u_1: 0, u_2: 0})


def exponential_terms(expression: sp.Expr) -> sp.Expr:
    """Expanded, sines and cosines as exponentials."""
    if expression.has(sp.sin, sp.cos):
        expression = expression.rewrite(sp.exp)
    return sp.expand(expression, power_exp=False)


def moment(factor: sp.Expr, u: sp.Symbol, s: sp.Expr) -> sp.Expr:
    """E of u^n, of u^n step(u), of a derivative of delta(u), each also with an exponential, or of u^n erf(k u).

    By the Gamma function on half-lines, the density's derivatives at 0, completing squares, and
    erf(k u) = 2 / sqrt(pi) times the integral of u exp(-t^2 u^2) over 0 < t < k.
    """
    powers = factor.as_powers_dict()
    n, step = int(powers.pop(u, 0)), powers.pop(sp.Heaviside(u), 0)
    weight = sp.S.One
    exponent = sum((e.args[0] * k for e, k in powers.items() if isinstance(e, sp.exp)), sp.S.Zero)
    exponent += powers.pop(sp.E, 0)
    rest = sp.Mul(*(e**k for e, k in powers.items() if not isinstance(e, sp.exp)))
    if exponent != 0:
        rate, tilt = (-sp.Poly(exponent, u).coeff_monomial(u**2), sp.Poly(exponent, u).coeff_monomial(u))
        spread = 1 + 2 * rate * s**2
        weight, s = sp.exp(tilt**2 * s**2 / (2 * spread)) / sp.sqrt(spread), s / sp.sqrt(spread)
        if tilt != 0:
            if step or rest != 1:
                raise ValueError(f"no moment is known of {factor}")
            b = sp.Dummy()
            generating = sp.exp(b**2 * s**2 / 2)
            shifted = generating.diff(b, n).subs(b, tilt) / generating.subs(b, tilt)
            return weight * sp.expand(shifted)
    if rest == 1:
        half = sp.Rational(2) ** sp.Rational(n - 2, 2) * sp.gamma(sp.Rational(n + 1, 2)) * s**n
        return weight * half / sp.sqrt(sp.pi) * (1 if step else 1 + (-1) ** n)
    if isinstance(rest, sp.erf) and not step:
        if n % 2 == 0:
            return sp.S.Zero
        k, t = rest.args[0] / u, sp.Dummy()
        # With t = v / sqrt(1 - 2 s^2 v^2) the integrand is a polynomial in v.
        end = k / sp.sqrt(1 + 2 * k**2 * s**2)
        inner = sp.integrate(sp.expand((1 - 2 * s**2 * t**2) ** ((n - 1) // 2)), (t, 0, end))
        return weight * 2 / sp.sqrt(sp.pi) * sp.factorial2(n) * s ** (n + 1) * inner
    if rest.has(sp.erf):
        scales = _erf_scales(rest, u)
        if step:
            (k,) = scales
            plain = _stein_moment(n, 0, k, None, s**2, s**2, s**2)
            return weight * (plain + _stein_moment(n, 0, sp.oo, k, s**2, s**2, s**2)) / 2
        k, h = scales
        return weight * _stein_moment(n, 0, k, h, s**2, s**2, s**2)
    order = int(rest.args[1]) if len(rest.args) > 1 else 0
    if sp.DiracDelta(u, order) != rest or n or step or exponent != 0:
        raise ValueError(f"no moment is known of {factor}")
    density = sp.exp(-(u**2) / (2 * s**2)) / (sp.sqrt(2 * sp.pi) * s)
    return (-1) ** order * density.diff(u, order).subs(u, 0)
