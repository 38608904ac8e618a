r"""Derived kernels as NumPy functions. The only place where formulas become code that is run.

The kernel of an activation that is a polynomial on either side of 0 is a polynomial in the norms,
\(K = \sum_{ab} r_i^a r_j^b\, f_{ab}(\theta, \cos\theta, \sin\theta)\); others have one term, a function of norms and
angle. The profiles \(f_{ab}\) are compiled from the derived expression, and `derivations.pairwise` supplies angles that
are right near 0 and pi.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray
from sympy.codegen.cfunctions import expm1
from sympy.printing.numpy import NumPyPrinter

from derivations import pairwise
from derivations.arguments import check_choice, check_positive_integer
from derivations.duals import NAMED, duals_of_rows, ntk_from_duals
from derivations.elementwise import activation_functions
from derivations.errors import InputError
from derivations.kernel_derivation import (
    Kernel,
    KernelDerivation,
    derive,
    derive_covariance,
)
from derivations.matrix import check_matrices
from derivations.networks import TwoLayer, as_network
from derivations.symbols import d, m, r_i, r_j, rho
from derivations.threads import one_blas_thread

Kind = Literal["ntk", "nngp"]
THETA, COSINE, SINE = sp.symbols("theta cosine sine", real=True)


def profiles(kernel: sp.Expr) -> dict[tuple[int, int], sp.Expr]:
    r"""The \(f_{ab}\) of a closed-form kernel, in ``theta``, ``cosine``, ``sine``, ``m`` and ``d``.

    Of a kernel that is no polynomial in the norms there is \(f_{00}\) alone, which depends on ``r_i`` and ``r_j`` too.

    Examples
    --------
    >>> from derivations import derive, network
    >>> profiles(derive(network("relu", parametrization="ntk")).kernel.off_diagonal)
    {(1, 1): cosine*(pi - theta)/(pi*d) + sine/(2*pi*d)}
    """
    transcendental = kernel.atoms(sp.exp, sp.atan) | {e for e in kernel.atoms(sp.Pow) if not e.exp.is_Integer}
    if any(e.has(r_i, r_j) for e in transcendental) or not kernel.is_polynomial(r_i, r_j):
        return {(0, 0): _stable(kernel)}
    # pi - theta stays one symbol: multiplied out it would cancel only up to rounding at theta = pi.
    supplement = sp.Dummy("supplement")
    angular = kernel.subs({sp.acos(rho): sp.pi - supplement, sp.sqrt(1 - rho**2): SINE}).subs(rho, COSINE)
    return {
        (int(i), int(j)): sp.Add(
            *(
                sp.factor(part) * monomial.subs(supplement, sp.pi - THETA)
                for monomial, part in sp.collect(
                    sp.expand(factor), [supplement, SINE], evaluate=False
                ).items()
            )
        )
        for (i, j), factor in sp.Poly(angular, r_i, r_j).terms()
    }


def grows(term: sp.Expr) -> bool:
    """Whether it has an exponential that grows with the norms: its exponent then wants more digits than float64's."""
    at = {THETA: 0, COSINE: 1, SINE: 0, r_i: 1, r_j: 1, d: 1}
    return any(e.args[0].subs(at) > 0 for e in term.atoms(sp.exp, expm1))


class ExtendedPrinter(NumPyPrinter):
    """Fractions that float64 does not hold in ``longdouble``."""

    def _print_Rational(self, expression: sp.Rational) -> str:
        if expression.q & (expression.q - 1) == 0:
            return super()._print_Rational(expression)
        return f"({self._module_format(self._module + '.longdouble')}({expression.p})/{expression.q})"


def _stable(kernel: sp.Expr) -> sp.Expr:
    """Formulas that keep their digits: 1 - cos^2 as sin^2, exponents and differences of exponentials near 0."""
    kernel = kernel.xreplace({1 - rho**2: SINE**2, sp.acos(rho): THETA})
    if kernel.has(sp.exp):
        kernel = _exponentials(sp.powsimp(sp.expand(kernel), combine="exp"))
    return kernel.subs(rho, COSINE)


def _exponentials(kernel: sp.Expr) -> sp.Expr:
    """A sum of multiples of exponentials, each once; a difference of two, e^E = 1 + expm1(E), of small numbers."""
    factors: dict[sp.Expr, list[sp.Expr]] = defaultdict(list)
    for term in sp.Add.make_args(kernel):
        factor, exponential = term.as_independent(sp.exp, as_Add=False)
        if not isinstance(exponential, sp.exp):
            return kernel
        factors[exponential.args[0]].append(factor)
    everywhere = [factor for group in factors.values() for factor in group]
    total = sp.S.Zero
    for exponent, group in factors.items():
        stable = _stable_exponent(exponent)
        differences = [factor for factor in group if -factor in everywhere]
        sums = [factor for factor in group if -factor not in everywhere]
        total += sp.Add(*differences) * expm1(stable) + sp.factor(sp.Add(*sums)) * sp.exp(stable)
    return total


def _stable_exponent(exponent: sp.Expr) -> sp.Expr:
    """-a (r_i^2 + r_j^2)/2 + a rho r_i r_j, a square of differences, by half angles."""
    polynomial = sp.Poly(sp.expand(exponent), r_i, r_j)
    squares = {polynomial.coeff_monomial(r**2) for r in (r_i, r_j)}
    mixed = polynomial.coeff_monomial(r_i * r_j) / rho
    if len(squares) > 1 or mixed.has(rho) or len(polynomial.terms()) != 3:
        return exponent
    rate = -2 * squares.pop()
    if mixed == rate:
        return -rate * ((r_i - r_j) ** 2 / 2 + 2 * r_i * r_j * sp.sin(THETA / 2) ** 2)
    if mixed == -rate:
        return -rate * ((r_i - r_j) ** 2 / 2 + 2 * r_i * r_j * sp.cos(THETA / 2) ** 2)
    return exponent


def extended_rows(network: TwoLayer, X: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""The rows (x, e), \(e = s_b\sigma_b/(s_{in}\sigma_w)\), which biases act on like further weights; x itself without.

    Examples
    --------
    >>> from derivations import network
    >>> extended_rows(network("relu", bias_variance=2), np.array([[3.0, 4.0]]))
    array([[3., 4., 2.]])
    """
    constant = network.parametrization.constant
    return X if constant == 0 else np.hstack([X, np.full((len(X), 1), float(constant.subs(d, X.shape[1])))])


@dataclass(frozen=True)
class KernelFunction:
    """The closed-form kernel of a network as a function of data.

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> theta = kernel_function(network("relu", parametrization="ntk"))
    >>> theta([[3.0, 4.0], [-4.0, 3.0]]).round(6)
    array([[12.5     ,  1.989437],
           [ 1.989437, 12.5     ]])
    """

    network: TwoLayer
    kind: Kind
    width: int | None
    terms: tuple[tuple[tuple[int, int], sp.Expr], ...]

    def __call__(self, X: ArrayLike, Y: ArrayLike | None = None, *, threads: int = 1) -> NDArray[np.float64]:
        r"""Kernel matrix of the rows of X (with those of Y).

        Parameters
        ----------
        X : (n, d) array_like
            Real and finite.
        Y : (n', d) array_like, optional
            Without it K is the symmetric (n, n) matrix of X.
        threads : int
            Threads over blocks of rows; the result does not depend on it.

        Returns
        -------
        K : (n, n') float64
            Error at most about 1e-14 sqrt(K_ii K_jj) where the result is representable. Larger entries are
            inf, smaller ones 0. At rows of zeros the network's value is phi(0) and the kernel what follows
            from it: 0 unless there are no gates and phi(0) is not 0.

        Raises
        ------
        InputError
            For arrays that are not real, finite and of rank 2, or do not match.
        """
        X, Y = check_matrices(X, Y)
        check_positive_integer(threads, "threads")
        profile = self.profile(X.shape[1])
        X, Y = extended_rows(self.network, X), None if Y is None else extended_rows(self.network, Y)
        # Each tile is a small product.
        with one_blas_thread():
            extended = any(grows(term) for _, term in self.terms)
            return pairwise.fill(profile, X, Y, threads, extended=extended)

    def profile(self, dimension: int) -> pairwise.Profile:
        """The function of angle and norms that `derivations.pairwise.fill` evaluates, for this dimension."""
        powers = [power for power, _ in self.terms]
        functions = _compiled(tuple(term for _, term in self.terms), dimension, self.width)

        def evaluate(
            theta: pairwise.Array,
            cosine: pairwise.Array,
            sine: pairwise.Array,
            r_i: pairwise.Array,
            r_j: pairwise.Array,
        ) -> pairwise.Array:
            # The same numbers as r_i * r_j in two thirds of the time.
            s = np.einsum("i,j->ij", r_i[:, 0], r_j[0])
            total = None
            for (i, j), value in zip(powers, functions(theta, cosine, sine, r_i, r_j), strict=True):
                # One norm at a time: s**2 may overflow where value * s does not.
                for _ in range(min(i, j)):
                    value = value * s
                for _ in range(max(i - j, 0)):
                    value = value * r_i
                for _ in range(max(j - i, 0)):
                    value = value * r_j
                if total is None:
                    total = value
                else:
                    # Terms of higher degree come later: what overflows there outweighs what overflowed before.
                    with np.errstate(invalid="ignore"):
                        total = np.where(np.isinf(value), value, total + value)
            return total if total is not None else np.zeros_like(theta)

        return evaluate


@lru_cache(maxsize=64)
def _compiled(
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


_FEWEST_NODES, _MOST_NODES, _SMALL = 24, 768, 1e-60


@dataclass(frozen=True)
class SeriesKernel:
    r"""The kernel of a network whose activation has no closed form, as a function of data.

    \[ K = c^g\,[(m + g d)\,T + d\,c\,T'],\qquad c = x\cdot y/d \]

    in the standard parametrization, T = E[phi phi] and T' = E[phi' phi'] from `derivations.duals`. Biases add their
    variance to c, and (1 - d sigma_b^2) (c^g T' + g c^(g-1) T) to K: a gradient by them has 1 where x.y was.

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> theta = kernel_function(network("swiglu", parametrization="ntk"))
    >>> theta([[3.0, 4.0], [-4.0, 3.0]]).round(3)
    array([[228.515,   0.   ],
           [  0.   , 228.515]])
    """

    network: TwoLayer
    kind: Kind
    width: int | None

    def __call__(self, X: ArrayLike, Y: ArrayLike | None = None, *, threads: int = 1) -> NDArray[np.float64]:
        """Kernel matrix of the rows of X (with those of Y), as `KernelFunction` gives it.

        The error is at most 1e-12 sqrt(K_ii K_jj) for named activations, about 1e-11 for others.

        Raises
        ------
        InputError
            As `KernelFunction`, and for rows with |x|^2 / d above 1e4.
        """
        activation = self.network.activation
        chosen = activation.name if activation.name in NAMED else activation_functions(activation)
        X, Y = check_matrices(X, Y)
        gates, dimension = self.network.gates, X.shape[1]
        duals = duals_of_rows(
            chosen,  # type: ignore[arg-type]
            extended_rows(self.network, X),
            None if Y is None else extended_rows(self.network, Y),
            scale=1 / dimension,
            threads=threads,
        )
        T, slope, covariance = duals.T, duals.slope, duals.covariance
        if self.kind == "nngp":
            return covariance**gates * T
        parametrization = self.network.parametrization
        if parametrization.name == "ntk":
            return ntk_from_duals(T, slope, covariance, gates, 1, 1)
        assert self.width is not None
        K = ntk_from_duals(T, slope, covariance, gates, self.width, dimension)
        if parametrization.has_biases:
            blocks = covariance**gates * slope
            if gates:
                blocks += gates * covariance ** (gates - 1) * T
            K += (1 - dimension * float(parametrization.bias_variance)) * blocks
        return K


def kernel_function(
    network: TwoLayer | KernelDerivation | str, kind: Kind = "ntk", width: int | None = None
) -> KernelFunction | SeriesKernel:
    """The kernel of a network as a fast NumPy function: its closed form, or where there is none its series.

    Parameters
    ----------
    network : TwoLayer, KernelDerivation or str
        A network, its derivation, or its name. Parametrization ``standard`` or ``ntk``.
    kind : str
        ``"ntk"`` or ``"nngp"``.
    width : int, optional
        The width m; needed where the kernel depends on it (the NTK in the standard parametrization).

    Raises
    ------
    InputError
        If the width is missing or not a positive integer, or a variance has no value.

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> kernel_function(network("reglu"))
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: width is needed: the ntk of reglu in the standard parametrization depends on it
    """
    check_choice(kind, "kind", ("ntk", "nngp"))
    described = network.network if isinstance(network, KernelDerivation) else as_network(network)
    if kind == "nngp" and not described.activation.is_continuous:
        return closed_form(described, kind, width, derive_covariance(described).nngp)
    derivation = network if isinstance(network, KernelDerivation) else derive(described, described.gates + 1)
    if not derivation.is_closed:
        return _series_kernel(described, kind, width)
    return closed_form(described, kind, width, derivation.kernel if kind == "ntk" else derivation.nngp)


def closed_form(described: TwoLayer, kind: Kind, width: int | None, kernel: Kernel) -> KernelFunction:
    """A function of norms and angle, such as a kernel of the network or its variance, as one of data."""
    unknown = kernel.off_diagonal.free_symbols - {rho, r_i, r_j, m, d}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise InputError(f"variances must be numeric for a kernel to be evaluated, {names} have no value")
    if width is not None or kernel.off_diagonal.has(m):
        _check_width(described, kind, width)
    terms = tuple(sorted(profiles(kernel.off_diagonal).items(), key=lambda term: sum(term[0])))
    return KernelFunction(described, kind, width, terms)


def _series_kernel(network: TwoLayer, kind: Kind, width: int | None) -> SeriesKernel:
    if kind == "ntk" and network.parametrization.name == "standard":
        _check_width(network, kind, width)
    return SeriesKernel(network, kind, width)


def _check_width(network: TwoLayer, kind: Kind, width: int | None) -> None:
    if width is None:
        where = f"the {kind} of {network.name} in the {network.parametrization.name} parametrization"
        raise InputError(f"width is needed: {where} depends on it")
    check_positive_integer(width, "width")
