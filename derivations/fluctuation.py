r"""How far the kernel of one network of width m strays from its expectation: exact variances of its entries.

The kernel is a sum of m independent terms \(\xi\), one per hidden unit, so \(\operatorname{Var} K_m = m
\operatorname{Var}\xi\). The square of \(\xi\) is a polynomial in the readout weight, the gate values and products of
\(\phi\) and \(\phi'\); independent weights factorise, Gaussian moments follow from Isserlis' theorem and the
activation's factors from Price's ladder of \(\phi^2\phi^2\), \(\phi\phi'\,\phi\phi'\) and \(\phi'^2\phi'^2\).
"""

from __future__ import annotations

import sympy as sp

from derivations.gaussian import isserlis
from derivations.kernel_derivation import Kernel, KernelDerivation
from derivations.normal_form import monomial
from derivations.price import dual
from derivations.symbols import (
    Phi,
    a,
    c,
    d,
    gate_values,
    l,
    m,
    r_i,
    r_j,
    rho,
    s_1,
    s_2,
    scale_bias,
    scale_in,
    sigma_a,
    sigma_b,
    sigma_v,
    sigma_w,
    u_1,
    u_2,
    x,
    y,
)


def kernel_variance(result: KernelDerivation) -> Kernel:
    r"""\(\operatorname{Var} K_m(x, y) = m\,(E\xi^2 - (E\xi)^2)\) of one network of width m.

    Returns
    -------
    Kernel
        In ``m``, ``d``, ``rho``, ``r_i``, ``r_j``; off the diagonal and on it.

    Source: derived here.

    Examples
    --------
    At large width the relative standard deviation on ReLU's diagonal is sqrt(5 / m):

    >>> from derivations import derive, network
    >>> from derivations.symbols import d, m, r_i
    >>> result = derive(network("relu"))
    >>> relative = kernel_variance(result).diagonal / result.kernel.diagonal**2
    >>> sp.limit(sp.cancel(relative * m), m, sp.oo)
    5
    """
    products = [step.rhs for step in result.steps if step.rule == "inner product"]
    chosen, gram = result.network.parametrization, sp.Symbol("gram")
    unit = sp.Add(*products).subs(sp.Sum(x[l] * y[l], (l, 1, d)), gram)
    second = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(unit**2)):
        second += _expectation(term, result)
    geometry = {
        s_1: scale_in * sigma_w * r_i,
        s_2: scale_in * sigma_w * r_j,
        c: scale_in**2 * sigma_w**2 * r_i * r_j * rho,
        gram: r_i * r_j * rho - chosen.extension,
    }
    off = chosen.at(second.subs(geometry))
    variance = m * off - result.kernel.off_diagonal**2 / m
    diagonal = sp.expand(variance.subs({rho: 1, r_j: r_i}))
    return Kernel(variance, diagonal)


def _products(extension: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """x.x, y.y and x.y."""
    return r_i**2 - extension, r_j**2 - extension, sp.Symbol("gram")


def _expectation(term: sp.Expr, result: KernelDerivation) -> sp.Expr:
    """E of a monomial in a, gate values and phi, phi' at u_1 and u_2, in s_1, s_2, c and ``gram``."""
    powers = term.as_powers_dict()
    value = sp.S.One
    degree = int(powers.pop(a, 0))
    value *= isserlis(degree, 0, sigma_a**2, 0, 0)
    chosen, gate_variance = result.network.parametrization, scale_in**2 * sigma_v**2
    bias = scale_bias**2 * sigma_b**2 if chosen.has_biases else sp.S.Zero
    for index in range(1, result.network.gates + 1):
        i, j = (int(powers.pop(gate, 0)) for gate in gate_values(index))
        moments = (gate_variance * product + bias for product in _products(chosen.extension))
        value *= isserlis(i, j, *moments)
    factors = {argument: monomial(0) for argument in (u_1, u_2)}
    phi = result.network.activation.normal_form
    for factor, power in list(powers.items()):
        if isinstance(factor, Phi):
            order, argument = factor.args
            function = phi.derivative() if order == 1 else phi
            for _ in range(int(power)):
                factors[argument] = factors[argument].product(function)
            del powers[factor]
    value *= dual(factors[u_1], factors[u_2])
    return value * sp.Mul(*(base**exponent for base, exponent in powers.items()))
