r"""Expansion of the kernel in the cosine, and the coefficients alpha, beta, gamma of the simplified matrix.

On the sphere \(|x|^2 = d\) the kernel is \(f(\rho) = \sum_j c_j \rho^j\) with \(c_j \ge 0\). With g linear gates

\[ K \approx \beta\,(rr^T)\circ G^{\circ g} + \alpha\,G^{\circ(g+1)} + \gamma\,D^{g+1},\qquad
   \beta = \frac{c_g}{d^{g+1}},\; \alpha = \frac{c_{g+1}}{d^{g+1}},\; \gamma = \frac{f(1)}{d^{g+1}}-\alpha-\beta, \]

so that the diagonal is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.derivation import Step
from derivations.gaussian import expectation
from derivations.networks import TwoLayer
from derivations.normal_form import NormalForm
from derivations.symbols import (
    KERNEL,
    REMAINDER,
    SPHERE,
    Coefficient,
    alpha,
    beta,
    d,
    gamma,
    m,
    r_i,
    r_j,
    rho,
    scale_in,
    scale_out,
    sigma_a,
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
    r"""Coefficients c_0..c_order of f(rho), from Price's theorem at c = 0.

    \[ [c^j]\,E[\phi\phi] = E[\phi^{(j)}]^2/j!, \qquad [c^j]\,E[\phi'\phi'] = E[\phi^{(j+1)}]^2/j! \]

    at \(s_1 = s_2 = s_{in}\sigma_w\sqrt d\), put into the general kernel.

    Source: derived here; for ReLU Wen et al. 2026, equations 14 and 15.
    """
    s = scale_in * sigma_w * sp.sqrt(d)
    gate = scale_in**2 * sigma_v**2 * d
    squares = []
    phi = network.activation.normal_form
    for _ in range(order + 2):
        squares.append(expectation(phi, s) ** 2)
        phi = phi.derivative()
    phi_phi = [squares[j] * s ** (2 * j) / sp.factorial(j) for j in range(order + 1)]
    slope_slope = [squares[j + 1] * s ** (2 * j) / sp.factorial(j) for j in range(order + 1)]
    g, values = network.gates, dict(network.parametrization.values)

    def coefficient(j: int) -> sp.Expr:
        total = sp.S.Zero
        if j >= g:
            total += gate**g * phi_phi[j - g]
            total += g * gate ** max(g - 1, 0) * phi_phi[j - g] * sigma_a**2 * scale_in**2 * d
        if j >= g + 1:
            total += gate**g * slope_slope[j - g - 1] * sigma_a**2 * scale_in**2 * d
        return sp.expand((m * scale_out**2 * total).subs(values))

    return tuple(coefficient(j) for j in range(order + 1))


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
    on_sphere = kernel.subs({r_i: sp.sqrt(d), r_j: sp.sqrt(d)})
    coefficients = taylor_coefficients(network, order)
    at_one = _expanded(on_sphere.subs(rho, 1))
    diagonal = on_diagonal(kernel)
    g = network.gates
    values = {
        beta: sp.expand(coefficients[g] / d ** (g + 1)),
        alpha: sp.expand(coefficients[g + 1] / d ** (g + 1)),
    }
    values[gamma] = _expanded(at_one / d ** (g + 1) - values[alpha] - values[beta])
    # With a homogeneity other than 1 the norms enter otherwise; the coefficients then describe the sphere.
    where = "" if network.activation.homogeneity == 1 else ", on the sphere |x|^2 = d"
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
            _expanded(at_one - sp.Add(*coefficients)),
            "nonnegative coefficients",
        ),
        *(
            Step(f"{symbol}, of {terms[symbol]}{where}", symbol, value, "reading off")
            for symbol, value in values.items()
        ),
    ]
