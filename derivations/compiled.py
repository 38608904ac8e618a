"""Profiles of kernels as functions of arrays, remaining integrals by Gauss's rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from derivations import pairwise
from derivations.errors import InputError
from derivations.profiles import COSINE, SINE, THETA, grows
from derivations.symbols import d, m, r_i, r_j

_FEWEST_NODES, _MOST_NODES, _SMALL = 24, 768, 1e-60


class ExtendedPrinter(NumPyPrinter):
    """Fractions that float64 does not hold in ``longdouble``."""

    def _print_Rational(self, expression: sp.Rational) -> str:
        if expression.q & (expression.q - 1) == 0:
            return super()._print_Rational(expression)
        return f"({self._module_format(self._module + '.longdouble')}({expression.p})/{expression.q})"


@lru_cache(maxsize=64)
def compiled(
    terms: tuple[sp.Expr, ...], dimension: int, width: int | None
) -> Callable[..., list[pairwise.Array]]:
    """The profiles at a given dimension and width, their constants multiplied out to one float each."""
    known = {m: sp.Integer(width)} if width else {}
    if any(map(grows, terms)):
        exact = [term.subs(known) for term in terms]
        names = (THETA, COSINE, SINE, r_i, r_j, d)
        function = sp.lambdify(names, exact, modules="numpy", printer=ExtendedPrinter, cse=True)
        return lambda *arguments: function(*arguments, np.longdouble(dimension))
    values = {d: sp.Integer(dimension)} | known
    # 17 digits name a float64; pi among them is NumPy's, so that pi - theta vanishes at opposite rows.
    numbers = [sp.N(term.subs(values), 17) for term in terms]
    if any(term.has(sp.Integral) for term in numbers):
        return _with_integrals([term.subs(values) for term in terms])
    return sp.lambdify((THETA, COSINE, SINE, r_i, r_j), numbers, modules="numpy", cse=True)


@cache
def _gauss_legendre(order: int) -> tuple[pairwise.Array, pairwise.Array]:
    from scipy.special import roots_legendre

    nodes, weights = roots_legendre(order)
    return nodes, weights


def _with_integrals(terms: list[sp.Expr]) -> Callable[..., list[pairwise.Array]]:
    """Terms with remaining integrals, by Gauss's rule in u = arcsin(t / (s_1 s_2)), doubled until it has converged.

    Measured error 1e-14 of sqrt(K_ii K_jj) for |x|^2 / d from 1e-12 to 1e3.
    """
    u_sine, u_cosine = sp.symbols("u_sine u_cosine", positive=True)
    integrals = sorted({e for term in terms for e in term.atoms(sp.Integral)}, key=sp.default_sort_key)
    values = [sp.Dummy() for _ in integrals]
    outer = [sp.N(term.xreplace(dict(zip(integrals, values, strict=True))), 17) for term in terms]
    integrands = []
    for integral in integrals:
        ((t, _, end),) = integral.limits
        product = end / COSINE  # s_1 s_2
        # As a square s_1^2 s_2^2 - t^2 keeps its digits.
        found = integral.function.xreplace({product**2 - t**2: (product * u_cosine) ** 2})
        integrands.append(sp.N(found.subs(t, product * u_sine) * product * u_cosine, 17))
    arguments = (COSINE, SINE, r_i, r_j)
    integrand = sp.lambdify((u_sine, u_cosine, *arguments), integrands, modules="numpy", cse=True)
    closed = sp.lambdify((THETA, *arguments, *values), outer, modules="numpy", cse=True)

    def summed(
        order: int, end: pairwise.Array, arguments: tuple[pairwise.Array, ...]
    ) -> list[pairwise.Array]:
        """The integrals and the sums of what their rule adds without its signs."""
        totals = [np.zeros_like(end) for _ in range(2 * len(integrals))]
        for node, weight in zip(*_gauss_legendre(order), strict=True):
            angle = end * (1 + node) / 2
            for index, value in enumerate(integrand(np.sin(angle), np.cos(angle), *arguments)):
                totals[2 * index] += weight / 2 * end * value
                totals[2 * index + 1] += np.abs(weight / 2 * end * value)
        return totals

    def evaluate(
        theta: pairwise.Array,
        cosine: pairwise.Array,
        sine: pairwise.Array,
        r_i: pairwise.Array,
        r_j: pairwise.Array,
    ) -> list[pairwise.Array]:
        # A row of zeros is the limit of small ones: what vanishes there comes out below their norm.
        arguments = cosine, sine, np.maximum(r_i, _SMALL), np.maximum(r_j, _SMALL)
        end = np.pi / 2 - theta
        with np.errstate(all="ignore"):  # what is not finite has not converged
            order = _FEWEST_NODES
            before = summed(order, end, arguments)
            while order < _MOST_NODES:
                order *= 2
                now = summed(order, end, arguments)
                errors = [np.abs(now[i] - before[i]) <= 1e-12 * now[i + 1] for i in range(0, len(now), 2)]
                if np.all(errors):
                    zero = np.minimum(r_i, r_j) == 0
                    found = closed(theta, *arguments, *now[::2])
                    return [np.where(zero & (np.abs(value) < _SMALL), 0.0, value) for value in found]
                before = now
        raise InputError(
            f"input has rows too long for the integral in this kernel: {_MOST_NODES} nodes do not resolve it"
        )

    return evaluate
