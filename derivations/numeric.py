r"""Derived kernels as NumPy functions. The only place where formulas become code that is run.

A kernel of the closed-form class is a polynomial in the norms,
\(K = \sum_{ab} r_i^a r_j^b\, f_{ab}(\theta, \cos\theta, \sin\theta)\); the profiles \(f_{ab}\) are compiled from the
derived expression, and `derivations.pairwise` supplies angles that are right near 0 and pi.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import ThreadpoolController

from derivations import pairwise
from derivations.activations import Activation
from derivations.arguments import check_choice, check_positive_integer
from derivations.errors import InputError
from derivations.kernel_derivation import KernelDerivation, derive
from derivations.matrix import check_matrix
from derivations.networks import TwoLayer
from derivations.piecewise import Piecewise
from derivations.symbols import d, m, r_i, r_j, rho

Kind = Literal["ntk", "nngp"]
Elementwise = Callable[[NDArray[np.float64]], NDArray[np.float64]]
THETA, COSINE, SINE = sp.symbols("theta cosine sine", real=True)


def profiles(kernel: sp.Expr) -> dict[tuple[int, int], sp.Expr]:
    r"""The \(f_{ab}\) of a closed-form kernel, in ``theta``, ``cosine``, ``sine``, ``m`` and ``d``.

    Examples
    --------
    >>> from derivations import derive, network
    >>> profiles(derive(network("relu", parametrization="ntk")).kernel.off_diagonal)
    {(1, 1): cosine*(pi - theta)/(pi*d) + sine/(2*pi*d)}
    """
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
        X = check_matrix(X, "X")
        if Y is not None:
            Y = check_matrix(Y, "Y")
            if Y.shape[1] != X.shape[1]:
                raise InputError(f"Y must have {X.shape[1]} columns as X has, got {Y.shape[1]}")
        check_positive_integer(threads, "threads")
        profile = self.profile(X.shape[1])
        # Each tile is a small product: threads of the BLAS's own would mostly wait for one another, spinning.
        with _threadpools().limit(limits=1, user_api="blas"):
            return pairwise.fill(profile, X, Y, threads)

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
            s = r_i * r_j
            total = None
            for (i, j), value in zip(powers, functions(theta, cosine, sine), strict=True):
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


@cache
def _threadpools() -> ThreadpoolController:
    """The BLAS libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()


@lru_cache(maxsize=64)
def _compiled(
    terms: tuple[sp.Expr, ...], dimension: int, width: int | None
) -> Callable[[pairwise.Array, pairwise.Array, pairwise.Array], list[pairwise.Array]]:
    """The profiles at a given dimension and width, their constants multiplied out to one float each."""
    values = {d: sp.Integer(dimension)} | ({m: sp.Integer(width)} if width else {})
    # 17 digits name a float64; pi among them is NumPy's, so that pi - theta vanishes at opposite rows.
    numbers = [sp.N(term.subs(values), 17) for term in terms]
    return sp.lambdify((THETA, COSINE, SINE), numbers, modules="numpy", cse=True)


def kernel_function(
    network: TwoLayer | KernelDerivation | str, kind: Kind = "ntk", width: int | None = None
) -> KernelFunction:
    """The derived closed-form kernel of a network, as a fast NumPy function.

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
    derivation = network if isinstance(network, KernelDerivation) else derive(network)
    described = derivation.network
    kernel = derivation.kernel if kind == "ntk" else derivation.nngp
    unknown = kernel.off_diagonal.free_symbols - {rho, r_i, r_j, m, d}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        raise InputError(f"variances must be numeric for a kernel to be evaluated, {names} have no value")
    if width is not None:
        width = check_positive_integer(width, "width")
    elif kernel.off_diagonal.has(m):
        where = f"the {kind} of {described.name} in the {described.parametrization.name} parametrization"
        raise InputError(f"width is needed: {where} depends on it")
    terms = tuple(sorted(profiles(kernel.off_diagonal).items(), key=lambda term: sum(term[0])))
    return KernelFunction(described, kind, width, terms)


def activation_functions(activation: Activation) -> tuple[Elementwise, Elementwise | None]:
    """An activation and its derivative as NumPy functions; the derivative is None if the activation jumps.

    At the kink the derivative is 0 where phi' has a step up from 0, and in general its value for z < 0.

    Examples
    --------
    >>> from derivations import activation
    >>> phi, dphi = activation_functions(activation("relu"))
    >>> phi(np.array([-1.0, 2.0])), dphi(np.array([-1.0, 2.0]))
    (array([0., 2.]), array([0., 1.]))
    """
    form = activation.normal_form
    slope = form.derivative()
    return _elementwise(form), _elementwise(slope) if slope.is_regular else None


def _elementwise(function: Piecewise) -> Elementwise:
    degree = max(function.degree, 0)
    left, step = np.zeros(degree + 1), np.zeros(degree + 1)
    for kind, n, coefficient in function:
        (step if kind == "step" else left)[n] += float(coefficient)

    def evaluate(z: NDArray[np.float64]) -> NDArray[np.float64]:
        negative = np.polynomial.polynomial.polyval(z, left)
        return np.where(z > 0, np.polynomial.polynomial.polyval(z, left + step), negative)

    return evaluate
