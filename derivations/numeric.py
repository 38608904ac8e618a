"""Derived kernels as functions of data: the closed form of `derivations.profiles`, or a series where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from derivations import pairwise
from derivations.arguments import check_choice, check_positive_integer
from derivations.compiled import compiled
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
from derivations.profiles import grows, profiles
from derivations.symbols import d, m, r_i, r_j, rho
from derivations.threads import one_blas_thread

Kind = Literal["ntk", "nngp"]


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
        functions = compiled(tuple(term for _, term in self.terms), dimension, self.width)

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
