r"""How far the kernel of one network of width m strays from its expectation: exact variances of its entries.

The kernel is a sum of m independent terms \(\xi\), one per hidden unit, so \(\operatorname{Var} K_m = m
\operatorname{Var}\xi\). The square of \(\xi\) is a polynomial in the readout weight, the gate values and products of
\(\phi\) and \(\phi'\); independent weights factorise, Gaussian moments follow from Isserlis' theorem and the
activation's factors, \(E[\phi^2\phi^2]\), \(E[\phi\phi'\,\phi\phi']\) and \(E[\phi'^2\phi'^2]\), from Price's ladder. Where
that has no closed form they are series, as the kernel of an activation that has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from derivations.closed_form import ordered, stable_root
from derivations.duals import duals_of_rows
from derivations.elementwise import squared_functions
from derivations.gaussian import isserlis
from derivations.kernel_derivation import PIECEWISE, Kernel, KernelDerivation, derive
from derivations.matrix import check_matrices
from derivations.networks import TwoLayer, as_network
from derivations.normal_form import NotInClass
from derivations.numeric import KernelFunction, closed_form, extended_rows, kernel_function
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
    x,
    y,
)

GRAM = sp.Symbol("gram", real=True)
"""x.y"""
VALUES, MIXED, SLOPES = sp.symbols("values mixed slopes", real=True)
"""E[phi^2 phi^2], E[phi phi' phi phi'] and E[phi'^2 phi'^2] at u_1 and u_2."""


def kernel_variance(result: KernelDerivation) -> Kernel:
    r"""\(\operatorname{Var} K_m(x, y) = m\,(E\xi^2 - (E\xi)^2)\) of one network of width m.

    Returns
    -------
    Kernel
        In ``m``, ``d``, ``rho``, ``r_i``, ``r_j``; off the diagonal and on it.

    Raises
    ------
    NotInClass
        If the activation's fourth moments have no closed form, as those of erf; `variance_function` evaluates them.

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
    phi = result.network.activation.normal_form
    slope = phi.derivative()
    pairs = {VALUES: phi.product(phi), MIXED: phi.product(slope), SLOPES: slope.product(slope)}
    duals = {moment: dual(function, function) for moment, function in pairs.items()}
    geometry = {
        s_1: scale_in * sigma_w * r_i,
        s_2: scale_in * sigma_w * r_j,
        c: scale_in**2 * sigma_w**2 * r_i * r_j * rho,
        GRAM: r_i * r_j * rho - result.network.parametrization.extension,
    }
    second = second_moment(result).subs(duals).subs(geometry)
    variance = m * result.network.parametrization.at(second)
    variance -= result.kernel.off_diagonal**2 / m
    # As in the kernel, for it to be evaluated: the angle in 1 - rho^2 and acos(rho) alone.
    variance = variance.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and e.base.has(rho),
        lambda e: stable_root(e.base) ** (2 * e.exp),
    )
    if phi.is_piecewise_polynomial:
        variance = ordered(variance)
    diagonal = sp.expand(variance.subs({rho: 1, r_j: r_i}))
    return Kernel(variance, diagonal)


def second_moment(result: KernelDerivation) -> sp.Expr:
    r"""\(E\xi^2\), a polynomial in `GRAM`, ``r_i``, ``r_j`` and the activation's `VALUES`, `MIXED` and `SLOPES`."""
    products = [step.rhs for step in result.steps if step.rule == "inner product"]
    unit = sp.Add(*products).subs(sp.Sum(x[l] * y[l], (l, 1, d)), GRAM)
    terms = sp.Add.make_args(sp.expand(unit**2))
    return sp.Add(*(_expectation(term, result.network) for term in terms))


def _expectation(term: sp.Expr, network: TwoLayer) -> sp.Expr:
    """E of a monomial in a, gate values and phi, phi' at u_1 and u_2, four of the latter."""
    powers = term.as_powers_dict()
    value = isserlis(int(powers.pop(a, 0)), 0, sigma_a**2, 0, 0)
    extension = network.parametrization.extension
    bias = scale_bias**2 * sigma_b**2 if extension != 0 else sp.S.Zero
    products = (r_i**2 - extension, r_j**2 - extension, GRAM)
    for index in range(1, network.gates + 1):
        i, j = (int(powers.pop(gate, 0)) for gate in gate_values(index))
        value *= isserlis(i, j, *((scale_in * sigma_v) ** 2 * product + bias for product in products))
    # At u_2 stands what stands at u_1.
    slopes = int(powers[Phi(1, u_1)])
    constant = sp.Mul(*(base**power for base, power in powers.items() if not isinstance(base, Phi)))
    return value * (VALUES, MIXED, SLOPES)[slopes] * constant


@dataclass(frozen=True)
class VarianceSeries:
    """The variance of the kernel of one network, of an analytic activation, as a function of data."""

    derivation: KernelDerivation
    width: int

    def __call__(self, X: ArrayLike, Y: ArrayLike | None = None, *, threads: int = 1) -> NDArray[np.float64]:
        r"""Variances of the kernel's entries for the rows of X (with those of Y).

        The activation's fourth moments are duals of analytic functions: those of \(\phi^2\), of its slope
        \(2\phi\phi'\) and of \(\phi'^2\).

        Returns
        -------
        V : (n, n') float64
            Error at most about 1e-11 m sqrt(E xi_ii^2 E xi_jj^2), measured 3e-14.

        Raises
        ------
        InputError
            As the series of a kernel.
        """
        network = self.derivation.network
        values, slopes = squared_functions(network.activation)
        X, Y = check_matrices(X, Y)
        dimension, constant = X.shape[1], network.parametrization.constant
        E, F = extended_rows(network, X), None if Y is None else extended_rows(network, Y)
        first = duals_of_rows(values, E, F, scale=1 / dimension, threads=threads)
        second = duals_of_rows(slopes, E, F, scale=1 / dimension, threads=threads)
        at: dict[sp.Symbol, NDArray[np.float64]] = {
            VALUES: first.T,
            MIXED: first.slope / 4,
            SLOPES: second.T,
            GRAM: first.covariance * dimension - float(constant.subs(d, dimension)) ** 2,
            r_i: np.linalg.norm(E, axis=1)[:, None],
            r_j: np.linalg.norm(E if F is None else F, axis=1),
        }
        moment = second_moment(self.derivation).subs(dict(network.parametrization.values))
        polynomial = sp.Poly(moment.subs({m: self.width, d: dimension}), *at)
        total = np.zeros_like(first.T)
        for degrees, coefficient in polynomial.terms():
            powers = [at[name] ** degree for name, degree in zip(at, degrees, strict=True) if degree]
            total += float(coefficient) * reduce(np.multiply, powers)
        mean = kernel_function(self.derivation, width=self.width)(X, Y, threads=threads)
        return self.width * total - mean**2 / self.width


def variance_function(network: TwoLayer | str, width: int) -> KernelFunction | VarianceSeries:
    """The variance of every entry of the kernel of one network of width m, as a function of data.

    Parameters
    ----------
    network : TwoLayer or str
        A network or its name, with numeric variances.
    width : int
        The width m.

    Raises
    ------
    InputError
        As `kernel_function`, or if the activation is not analytic and its fourth moments have no closed form.

    Source: derived here.

    Examples
    --------
    >>> spread = variance_function("relu", width=50)
    >>> spread([[1.0, 0.0], [0.0, 1.0]]).round(3)
    array([[15.9  ,  2.808],
           [ 2.808, 15.9  ]])
    """
    result = derive(as_network(network))
    mean = kernel_function(result, width=width)  # refuses what it refuses
    if not result.is_closed:
        return VarianceSeries(result, width)
    try:
        return closed_form(mean.network, "ntk", width, kernel_variance(result))
    except NotInClass:
        if result.network.activation.phi.has(*PIECEWISE):
            raise
        return VarianceSeries(result, width)
