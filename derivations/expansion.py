r"""Expansion of the kernel in the cosine, and the coefficients alpha, beta, gamma of the simplified matrix.

On the sphere \(|x|^2 = d\) the kernel is \(f(\rho) = \sum_j c_j \rho^j\) with \(c_j \ge 0\). With g linear gates

\[ K \approx \beta\,(rr^T)\circ G^{\circ g} + \alpha\,G^{\circ(g+1)} + \gamma\,D^{g+1},\qquad
   \beta = \frac{c_g}{d^{g+1}},\; \alpha = \frac{c_{g+1}}{d^{g+1}},\; \gamma = \frac{f(1)}{d^{g+1}}-\alpha-\beta, \]

so that the diagonal is exact. With biases there are lower degrees too, \(c_j\,(G/d)^{\circ j}\) for j < g, which
gamma leaves out of the diagonal as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from derivations.derivation import Step
from derivations.gaussian import expectation
from derivations.networks import Parametrization, TwoLayer
from derivations.normal_form import NormalForm
from derivations.price import dual
from derivations.symbols import (
    KERNEL,
    REMAINDER,
    SPHERE,
    Coefficient,
    alpha,
    beta,
    c,
    d,
    gamma,
    m,
    r_i,
    r_j,
    rho,
    s_1,
    s_2,
    scale_bias,
    scale_in,
    scale_out,
    sigma_a,
    sigma_b,
    sigma_v,
    sigma_w,
)


@dataclass(frozen=True)
class Coefficients:
    """alpha, beta, gamma of the simplified matrix, in ``m`` and ``d``."""

    alpha: sp.Expr
    beta: sp.Expr
    gamma: sp.Expr


@dataclass(frozen=True)
class KernelExpansion:
    r"""\(f(\rho) = \sum_{j\le J} c_j\rho^j + R\) with \(|R| \le |\rho|^{J+1}\) times `remainder`.

    `coefficients` holds c_0..c_J, `remainder` the bound's factor f(1) - sum_j c_j, all in ``m`` and ``d``.
    """

    coefficients: tuple[sp.Expr, ...]
    remainder: sp.Expr

    @property
    def order(self) -> int:
        """The degree J."""
        return len(self.coefficients) - 1


def hermite_coefficient(phi: NormalForm, k: int) -> sp.Expr:
    r"""The orthonormal Hermite coefficient \(a_k = E[\phi^{(k)}(z)]/\sqrt{k!}\), z standard normal.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> [hermite_coefficient(activation("relu").normal_form, k) for k in range(4)]
    [sqrt(2)/(2*sqrt(pi)), 1/2, 1/(2*sqrt(pi)), 0]
    """
    for _ in range(k):
        phi = phi.derivative()
    return expectation(phi, sp.S.One) / sp.sqrt(sp.factorial(k))


def taylor_coefficients(network: TwoLayer, order: int) -> tuple[sp.Expr, ...]:
    r"""Coefficients c_0..c_order of f(rho): the general kernel with the series of its factors put in.

    \[ f = m s_{out}^2\big[T\,\Gamma^g + \sigma_a^2 H\,(T'\,\Gamma^g + g\,T\,\Gamma^{g-1})\big],\quad
       \Gamma = s_{in}^2\sigma_v^2 d\rho + s_b^2\sigma_b^2,\; H = s_{in}^2 d\rho + s_b^2 \]

    (bias terms only with biases), T and T' by Price's theorem.

    Source: derived here; for ReLU Wen et al. 2026, equations 14 and 15.
    """
    chosen, g = network.parametrization, network.gates
    bias, bias_gradient = (scale_bias**2 * sigma_b**2, scale_bias**2) if chosen.has_biases else (0, 0)
    gate, gradient = [bias, scale_in**2 * sigma_v**2 * d], [bias_gradient, scale_in**2 * d]
    value, slope = _dual_series(network, order)
    gated = [value, _times(value, gate, order), _times(_times(value, gate, order), gate, order)]
    blocks = slope
    for _ in range(g):
        blocks = _times(blocks, gate, order)
    if g:
        blocks = [left + g * right for left, right in zip(blocks, gated[g - 1], strict=True)]
    blocks = _times(blocks, gradient, order)
    coefficients = (
        chosen.at(m * scale_out**2 * (readout + sigma_a**2 * block))
        for readout, block in zip(gated[g], blocks, strict=True)
    )
    return tuple(map(_collected if chosen.has_biases else sp.expand, coefficients))


def _collected(value: sp.Expr) -> sp.Expr:
    """By powers of m and d, arcs and whether there is a square root, the rest of each term factored."""
    value = _expanded(value)
    parts: dict[tuple[sp.Expr, bool], list[sp.Expr]] = defaultdict(list)
    for term in sp.Add.make_args(value):
        rest, monomial = term.as_independent(m, d, sp.asin, sp.atan, as_Add=False)
        irrational = any(not e.exp.is_Integer for e in rest.atoms(sp.Pow))
        parts[monomial, irrational].append(rest)
    return sp.Add(*(sp.factor(sp.together(sp.Add(*rest))) * key[0] for key, rest in parts.items()))


def _dual_series(network: TwoLayer, order: int) -> tuple[list[sp.Expr], list[sp.Expr]]:
    """Coefficients in rho, to this degree, of E[phi phi] and of E[phi' phi'] on the sphere |x|^2 = d."""
    chosen, phi = network.parametrization, network.activation.normal_form
    unit = (scale_in * sigma_w) ** 2
    variance, step, start = (
        sp.cancel(chosen.at(unit * part)) for part in (d + chosen.extension, d, chosen.extension)
    )
    powers = [step**j / sp.factorial(j) for j in range(order + 1)]
    if chosen.has_biases:
        at = {s_1: sp.sqrt(variance), s_2: sp.sqrt(variance), c: start}
        values = []  # derivatives in the covariance, at that of the biases
        for _ in range(order + 2):
            values.append(_factored_roots(dual(phi, phi).subs(at)))
            phi = phi.derivative()
        return [values[j] * powers[j] for j in range(order + 1)], [
            values[j + 1] * powers[j] for j in range(order + 1)
        ]
    squares = []  # derivatives in the covariance at 0: products of one-dimensional expectations
    for _ in range(order + 2):
        squares.append(expectation(phi, sp.sqrt(variance)) ** 2)
        phi = phi.derivative()
    return [squares[j] * powers[j] for j in range(order + 1)], [
        squares[j + 1] * powers[j] for j in range(order + 1)
    ]


def _factored_roots(expression: sp.Expr) -> sp.Expr:
    """Square roots with positive denominators outside."""

    def root(base: sp.Expr, exponent: sp.Rational) -> sp.Expr:
        top, bottom = sp.fraction(sp.cancel(base))
        return sp.expand(top) ** exponent / sp.powdenest(sp.factor(bottom) ** exponent, force=True)

    return expression.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer, lambda e: root(e.base, e.exp)
    )


def _times(first: Sequence[sp.Expr], second: Sequence[sp.Expr], order: int) -> list[sp.Expr]:
    """The product of two power series, to this degree."""
    return [
        sp.Add(*(first[i] * second[j - i] for i in range(j + 1) if i < len(first) and j - i < len(second)))
        for j in range(order + 1)
    ]


def at_sphere(kernel: sp.Expr, parametrization: Parametrization) -> sp.Expr:
    """`kernel` at |x|^2 = |y|^2 = d, rho from here on the cosine of x and y also where the rows were (x, e)."""
    extension = parametrization.at(parametrization.extension)
    radius = sp.sqrt(sp.factor(d + extension))
    cosine = sp.cancel((d * rho + extension) / (d + extension))
    value = kernel.subs({r_i: radius, r_j: radius, rho: cosine}, simultaneous=True)
    return _factored_roots(value) if parametrization.has_biases else value


def on_diagonal(kernel: sp.Expr) -> sp.Expr:
    """`kernel` at x = y: expanded where it is a polynomial in the norm, else factored."""
    value = kernel.subs({rho: 1, r_j: r_i})
    if value.has(sp.Integral):
        return value
    return sp.expand(value) if value.is_polynomial(r_i) else sp.factor_terms(value)


def _expanded(expression: sp.Expr) -> sp.Expr:
    """Multiplied out, except in integrals."""
    integrals = {e: sp.Dummy() for e in expression.atoms(sp.Integral)}
    return sp.expand(expression.xreplace(integrals)).xreplace({name: e for e, name in integrals.items()})


def expansion_steps(network: TwoLayer, kernel: sp.Expr, order: int) -> list[Step]:
    """Steps from the closed form `kernel` to its expansion, its remainder and alpha, beta, gamma."""
    on_sphere = at_sphere(kernel, network.parametrization)
    coefficients = taylor_coefficients(network, order)
    at_one = _expanded(on_sphere.subs(rho, 1))
    diagonal = on_diagonal(kernel)
    g = network.gates
    tidy = _collected if network.parametrization.has_biases else _expanded
    scaled = {beta: coefficients[g], alpha: coefficients[g + 1]}
    scaled[gamma] = tidy(at_one - sp.Add(*coefficients[: g + 2]))
    values = {
        name: sp.Add(*(term / d ** (g + 1) for term in sp.Add.make_args(value)))
        for name, value in scaled.items()
    }
    # With a homogeneity other than 1 the norms enter otherwise; the coefficients then describe the sphere.
    everywhere = network.activation.homogeneity == 1 and not network.parametrization.has_biases
    where = "" if everywhere else ", on the sphere |x|^2 = d"
    terms = {beta: f"(r r^T) o G^o{g}" if g else "r r^T", alpha: f"G^o{g + 1}", gamma: f"D^{g + 1}"}
    return [
        Step("Diagonal", sp.Subs(KERNEL, (rho, r_j), (1, r_i)), diagonal, "value"),
        Step("On the sphere", SPHERE, on_sphere, "sphere"),
        *(
            Step(f"Coefficient of rho^{j}", Coefficient(j), value, "Taylor")
            for j, value in enumerate(coefficients)
        ),
        Step(
            f"Remainder after degree {order}",
            REMAINDER(order),
            tidy(at_one - sp.Add(*coefficients)),
            "nonnegative coefficients",
        ),
        *(
            Step(f"{symbol}, of {terms[symbol]}{where}", symbol, value, "reading off")
            for symbol, value in values.items()
        ),
    ]
