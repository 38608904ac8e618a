r"""Expected traces of powers of a simplified kernel over Gaussian rows, as polynomials in n, d and the coefficients.

With \(h = g + 1\) the simplified kernel \(K = \alpha G^{\circ h} + \beta\,(rr^T)\circ G^{\circ g} + \gamma D^h\) has
\(K_{ii} = (\alpha+\beta+\gamma)|x_i|^{2h}\), and sums over all indices split into those over different ones:

\[ \operatorname{Tr} K^2 = \sum_i K_{ii}^2 + \sum_{i\ne j} K_{ij}^2,\qquad
   \operatorname{Tr} K^3 = \sum_i K_{ii}^3 + 3\sum_{i\ne j} K_{ii}K_{ij}^2 + \sum_{i\ne j\ne k\ne i} K_{ij}K_{jk}K_{ki}. \]

One of \(G^{\circ h}\), \(G^{\circ g}\) is odd in every row, so mixed products have expectation 0 and all norms come squared.

Source: derived here, by Isserlis' theorem.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from derivations.arguments import shown
from derivations.errors import InputError
from derivations.gaussian import isserlis
from derivations.kernel_derivation import derive
from derivations.networks import TwoLayer, as_network, check_gates
from derivations.symbols import alpha, beta, d, gamma, m, n

HIGHEST_POWER = 3
_P, _Q, _C = sp.symbols("p q c")


@cache
def trace_polynomial(gates: int, power: int) -> sp.Expr:
    r"""\(E \operatorname{Tr} K^p\) of n rows \(N(0, I_d)\) in ``alpha``, ``beta``, ``gamma``, ``n`` and ``d``.

    Parameters
    ----------
    gates : int
        0, 1 or 2.
    power : int
        p: 1, 2 or 3.

    Raises
    ------
    InputError
        For other numbers of gates or powers.

    Source: derived here.

    Examples
    --------
    >>> trace_polynomial(0, 1)
    d*n*(alpha + beta + gamma)
    >>> trace_polynomial(0, 2)
    d*n*(alpha**2 + beta**2*d)*(n - 1) + d*n*(d + 2)*(alpha + beta + gamma)**2
    """
    check_gates(gates)
    if isinstance(power, bool) or power not in range(1, HIGHEST_POWER + 1):
        raise InputError(f"power must be 1, 2 or {HIGHEST_POWER}, got {shown(power)}")
    h, on = gates + 1, alpha + beta + gamma
    # Off the diagonal K is a sum of coefficient * (x.y)^j (|x| |y|)^a.
    terms = ((alpha, h, 0), (beta, gates, 1))
    total = n * on**power * _norm(0, h * power)
    if power == 2:
        total += n * (n - 1) * sp.factor(sum(f**2 * _pair(2 * j, a, a) for f, j, a in terms))
    if power == 3:
        total += 3 * n * (n - 1) * on * sp.factor(sum(f**2 * _pair(2 * j, h + a, a) for f, j, a in terms))
        total += n * (n - 1) * (n - 2) * sp.factor(sum(f**3 * _triangle(j, a) for f, j, a in terms))
    return total


def _norm(degree: int, a: int) -> sp.Expr:
    r"""\(E[|x|^{2a} P(x)] / E[P(x)]\) for a form P of this degree: |x| is independent of x/|x|."""
    return sp.Mul(*(d + degree + 2 * i for i in range(a)))


def _pair(j: int, a: int, b: int) -> sp.Expr:
    r"""\(E[(x.y)^j |x|^{2a} |y|^{2b}]\): given y, x.y is N(0, |y|^2)."""
    return _norm(j, a) * isserlis(j, 0, sp.S.One, 0, 0) * _norm(0, b + j // 2)


def _triangle(j: int, a: int) -> sp.Expr:
    r"""\(E[(x.y\;y.z\;z.x)^j (|x||y||z|)^{2a}]\): given y and z, (x.y, x.z) is a Gaussian pair."""
    given = sp.Poly(isserlis(j, j, _P, _Q, _C), _P, _Q, _C)
    return _norm(2 * j, a) * sp.Add(
        *(factor * _pair(c + j, a + p, a + q) for (p, q, c), factor in given.terms())
    )


@cache
def expected_trace(network: TwoLayer | str, power: int) -> sp.Expr:
    r"""\(E \operatorname{Tr} K^p\) of a network's simplified kernel, in ``n``, ``d`` and ``m``.

    Parameters
    ----------
    network : TwoLayer or str
        In the standard parametrization, of an activation that is homogeneous of degree 1.
    power : int
        1, 2 or 3.

    Raises
    ------
    InputError
        For other networks or powers.

    Examples
    --------
    >>> sp.expand(expected_trace("relu", 1)), sp.factor(expected_trace("reglu", 1))
    (d*n/2 + m*n/2, n*(d + 2)*(2*d + m)/(2*d))
    """
    described = derive(network, order=as_network(network).gates + 1)
    chosen = described.network.parametrization
    if not described.simplified_everywhere or chosen.name != "standard":
        raise InputError(
            "network must be in the standard parametrization, without biases and with an activation homogeneous of "
            f"degree 1 for traces over Gaussian rows, got {described.network.name}"
        )
    found = described.coefficients
    values = {alpha: found.alpha, beta: found.beta, gamma: found.gamma}
    return sp.Add(
        *(term.subs(values) for term in sp.Add.make_args(trace_polynomial(described.network.gates, power)))
    )


def expected_trace_with_outputs(network: TwoLayer | str, power: int) -> sp.Expr:
    r"""\(E \operatorname{Tr}[K^p C_0]\), \(C_0\) the covariance of the outputs at initialisation, p = 0, 1 or 2.

    K is affine in the width and \(C_0\) its slope, so that
    \(\operatorname{Tr}[K^p C_0] = \frac1{p+1}\,\partial_m \operatorname{Tr} K^{p+1}\).

    Source: derived here.

    Examples
    --------
    >>> expected_trace_with_outputs("relu", 0), sp.factor(expected_trace_with_outputs("reglu", 0))
    (n/2, n*(d + 2)/(2*d))
    """
    return sp.expand(sp.diff(sp.expand(expected_trace(network, power + 1)), m) / (power + 1))
