r"""Expectations under centred Gaussians: Isserlis' theorem, Stein's lemma, densities at the origin."""

from __future__ import annotations

import sympy as sp

from derivations.normal_form import Atom, NormalForm, not_in_class
from derivations.symbols import c, s_1, s_2


def isserlis(i: int, j: int, variance_1: sp.Expr, variance_2: sp.Expr, covariance: sp.Expr) -> sp.Expr:
    r"""The moment \(E[X^i Y^j]\) of a centred Gaussian pair.

    \[ E[X^iY^j] = \sum_t \frac{i!\,j!}{t!\,(\frac{i-t}2)!\,(\frac{j-t}2)!\,2^{(i+j)/2-t}}
       \kappa^t v_1^{(i-t)/2} v_2^{(j-t)/2}, \]

    the sum over all numbers t of pairs that join an X to a Y (t of the parity of i and j).

    Source: L. Isserlis, Biometrika 12 (1918) 134.

    Examples
    --------
    >>> from sympy import symbols
    >>> isserlis(2, 2, *symbols("p q c"))
    2*c**2 + p*q
    """
    if (i + j) % 2:
        return sp.S.Zero
    return sp.Add(
        *(
            sp.Rational(
                sp.factorial(i) * sp.factorial(j),
                sp.factorial(t)
                * sp.factorial((i - t) // 2)
                * sp.factorial((j - t) // 2)
                * 2 ** ((i + j) // 2 - t),
            )
            * covariance**t
            * variance_1 ** ((i - t) // 2)
            * variance_2 ** ((j - t) // 2)
            for t in range(i % 2, min(i, j) + 1, 2)
        )
    )


def expectation(f: NormalForm, deviation: sp.Expr) -> sp.Expr:
    r"""\(E[f(u)]\) for \(u \sim N(0, s^2)\), by Stein's lemma \(E[u\,g(u)] = s^2 E[g'(u)]\).

    A factor \(e^{-au^2/2+bu}\) only changes variance and mean. Powers come down two degrees at a time to
    \(E[1] = 1\), \(E[\theta] = E[\Phi] = 1/2\) (symmetry) and, for v = Var u,
    \(E[\Phi(su)\Phi(tu)] = \frac14 + \frac1{2\pi}\arctan\frac{stv}{\sqrt{1+(s^2+t^2)v}}\) (Sheppard, a
    quadrant's probability); a Dirac term is a derivative of the density at 0.

    Raises
    ------
    NotInClass
        If a term is a product of three steps and distribution functions, or one of them with a shifted mean.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> from derivations.symbols import s_1
    >>> expectation(activation("relu").normal_form, s_1)
    sqrt(2)*s_1/(2*sqrt(pi))
    """
    total = sp.Add(*(coefficient * _moment(atom, deviation) for atom, coefficient in f))
    return sp.expand(total) if total.has(sp.I) else total


def _moment(atom: Atom, s: sp.Expr) -> sp.Expr:
    if atom.kind == "dirac":
        # (-1)^n p^(n)(0) of the density p, zero for odd n.
        density = 1 / (sp.sqrt(2 * sp.pi) * s)
        return density * sp.Integer(-1) ** (atom.n // 2) * isserlis(atom.n, 0, s**-2, 0, 0)
    variance = s**2 / (1 + atom.rate * s**2)
    weight = 1 / sp.sqrt(1 + atom.rate * s**2)
    if atom.is_smooth:
        mean = atom.tilt * variance
        moment = sp.Add(
            *(
                sp.binomial(atom.n, k) * mean ** (atom.n - k) * isserlis(k, 0, variance, 0, 0)
                for k in range(atom.n + 1)
            )
        )
        return weight * sp.exp(atom.tilt**2 * variance / 2) * moment
    if atom.tilt != 0 or atom.pieces > 2:
        raise not_in_class(atom.expression(sp.Symbol("z")))
    scales = (*((None,) if atom.kind == "step" else ()), *atom.scales)
    return weight * _pieces_moment(atom.n, scales, variance)


def _pieces_moment(n: int, scales: tuple[sp.Expr | None, ...], variance: sp.Expr) -> sp.Expr:
    """E[u^n prod Phi(scale u)] for up to two factors; theta(u) is the one with scale None (an infinite one)."""
    if n == 0:
        return _quadrant(scales, variance)
    slope = sp.S.Zero
    for index, scale in enumerate(scales):
        others = scales[:index] + scales[index + 1 :]
        # E[u^(n-1) delta(u) prod others] or E[u^(n-1) scale phi(scale u) prod others]
        if scale is None:
            density = 1 / sp.sqrt(2 * sp.pi * variance) if n == 1 else sp.S.Zero
            slope += density / 2 ** len(others)
        else:
            spread = 1 + scale**2 * variance
            slope += scale / sp.sqrt(2 * sp.pi * spread) * _pieces_moment(n - 1, others, variance / spread)
    below = (n - 1) * _pieces_moment(n - 2, scales, variance) if n > 1 else sp.S.Zero
    return variance * (below + slope)


def _quadrant(scales: tuple[sp.Expr | None, ...], variance: sp.Expr) -> sp.Expr:
    """E[prod Phi(scale u)]."""
    if len(scales) < 2:
        return sp.Rational(1, 2 ** len(scales))
    s, t = scales
    assert t is not None  # theta comes first, and its square is itself
    spread = t * sp.sqrt(variance)
    tangent = spread if s is None else spread * s * sp.sqrt(variance / (1 + (s**2 + t**2) * variance))
    return sp.Rational(1, 4) + sp.atan(tangent) / (2 * sp.pi)


def origin_density(i: int, j: int) -> sp.Expr:
    r"""\(E[\delta^{(i)}(u_1)\,\delta^{(j)}(u_2)]\) for the pair with deviations \(s_1, s_2\) and covariance c.

    It is \((-1)^{i+j}\partial_1^i\partial_2^j p\) at the origin, and \(p = p(0)\,e^{-\frac12 u^T M u}\) with
    \(M = \Sigma^{-1}\), so the derivative is \(p(0)(-1)^{(i+j)/2}\) times the Isserlis sum of M.

    Examples
    --------
    >>> origin_density(0, 0)
    1/(2*pi*sqrt(-c**2 + s_1**2*s_2**2))
    """
    determinant = s_1**2 * s_2**2 - c**2
    # The sum is homogeneous in M, so its determinants come out as one power.
    moment = sp.Integer(-1) ** ((i + j) // 2) * isserlis(i, j, s_2**2, s_1**2, -c)
    return moment * determinant ** sp.Rational(-(i + j + 1), 2) / (2 * sp.pi)


def pair_expectation(f: NormalForm, g: NormalForm) -> sp.Expr:
    r"""\(E[f(u_1)g(u_2)]\) in ``s_1``, ``s_2``, ``c`` for Dirac terms and polynomials times exponentials.

    A weight \(e^{-a_1u_1^2/2-a_2u_2^2/2}\) turns the covariance matrix \(\Sigma\) into \((\Sigma^{-1}+\operatorname{diag}
    a)^{-1}\), a weight \(e^{b_1u_1+b_2u_2}\) shifts the mean; moments are Isserlis'. A Dirac term takes the density of
    \(u_1\) at 0 and what is expected of \(u_2\) near there.

    Raises
    ------
    NotInClass
        If a Dirac term meets an exponential with a linear exponent.

    Source: derived here.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> bell = activation("gaussian").normal_form
    >>> pair_expectation(bell, bell)
    1/sqrt(-c**2 + s_1**2*s_2**2 + s_1**2 + s_2**2 + 1)
    """
    total = sp.Add(*(first * second * _pair(one, other) for one, first in f for other, second in g))
    return sp.expand(total) if total.has(sp.I, sp.exp) else total


def _pair(one: Atom, other: Atom) -> sp.Expr:
    match one.kind, other.kind:
        case "dirac", "dirac":
            return origin_density(one.n, other.n)
        case "dirac", _:
            return _at_zero(one.n, other)
        case _, "dirac":
            return _at_zero(other.n, one).subs({s_1: s_2, s_2: s_1}, simultaneous=True)
    p, q = s_1**2, s_2**2
    determinant = sp.expand((1 + one.rate * p) * (1 + other.rate * q) - one.rate * other.rate * c**2)
    gap = p * q - c**2
    variance_1, variance_2 = (p + other.rate * gap) / determinant, (q + one.rate * gap) / determinant
    covariance = c / determinant
    mean_1 = variance_1 * one.tilt + covariance * other.tilt
    mean_2 = covariance * one.tilt + variance_2 * other.tilt
    exponent = sp.expand(one.tilt * mean_1 + other.tilt * mean_2) / 2
    moment = sp.Add(
        *(
            sp.binomial(one.n, k)
            * sp.binomial(other.n, l)
            * mean_1 ** (one.n - k)
            * mean_2 ** (other.n - l)
            * isserlis(k, l, variance_1, variance_2, covariance)
            for k in range(one.n + 1)
            for l in range(other.n + 1)  # noqa: E741
        )
    )
    return determinant ** sp.Rational(-1, 2) * sp.exp(exponent) * moment


def _at_zero(order: int, other: Atom) -> sp.Expr:
    r"""\(E[\delta^{(n)}(u_1)\,u_2^j e^{-au_2^2/2}]\).

    With \(D = p(1+aq)-ac^2\) the density at \(u_1 = u\) times what is expected of \(u_2\) there is
    \((2\pi D)^{-1/2} e^{-(1+aq)u^2/(2D)}\) times the moment of order j about mean \(cu/D\) with variance \((pq-c^2)/D\).
    """
    if other.tilt != 0:
        raise not_in_class(other.expression(sp.Symbol("z")))
    p, q, a = s_1**2, s_2**2, other.rate
    determinant = sp.expand(p * (1 + a * q) - a * c**2)
    variance, slope, curvature = (p * q - c**2) / determinant, c / determinant, (1 + a * q) / determinant
    total = sp.S.Zero
    for power in range(min(order, other.n) + 1):
        # u^power from the mean; the rest of the n derivatives from the Gaussian in u.
        if (order - power) % 2:
            continue
        half = (order - power) // 2
        coefficient = (
            sp.binomial(other.n, power) * slope**power * isserlis(other.n - power, 0, variance, 0, 0)
        )
        total += coefficient * sp.factorial(order) * (-curvature / 2) ** half / sp.factorial(half)
    return (-1) ** order * total / sp.sqrt(2 * sp.pi) * determinant ** sp.Rational(-1, 2)
