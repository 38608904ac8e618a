r"""The law of one network where the data are given: matrices of the kernel's own in the place of degrees.

With \(\Phi\) the readout's kernel of one neuron, and for every other block D = diag of the derivative by its
preactivation, so that its columns are \(D x_{\cdot j}\) and \(P = E[D D^T]\), the resolvent

\[ R = \Big(A\,\omega(T)\,\Phi + \frac Bd \sum_b P_b \circ X\,\omega(M_b)\,X^T - z\Big)^{-1},\qquad
   T = \mathrm{tr}(\Phi R),\quad M_b = X^T (P_b \circ R)\, X, \]

\(\omega(T) = E[c/(1 + s\,c\,T)]\) as in `derivations.spectrum.finite_width.equation`, of a matrix by its eigenvalues: the
leverage of a neuron's d columns, which is the same in all directions only where the rows' directions are uniform.
Along T > 0 z goes through its largest value, the lower edge. Nothing is assumed of the rows.

Source: derived here, heuristically.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar

from derivations.errors import InputError
from derivations.matrix import check_matrix
from derivations.networks import TwoLayer, as_network
from derivations.numeric import kernel_function
from derivations.spectrum.finite_width.blocks import kernel_blocks
from derivations.spectrum.finite_width.equation import Scales, finite_equation
from derivations.spectrum.finite_width.extremes import scales_of
from derivations.spectrum.finite_width.law import FiniteSpectrumLaw, finite_spectrum_law
from derivations.spectrum.finite_width.neurons import Loads, loads
from derivations.spectrum.finite_width.row_weights import normal_rule
from derivations.spectrum.gegenbauer import smooth_pair
from derivations.spectrum.harmonics import Array
from derivations.spectrum.law import spectrum_law
from derivations.spectrum.problem import problem

LARGEST = 2000
"""Rows: some forty eigenproblems."""
ITERATIONS, CONVERGED = 16, 1e-3
"""Of R at given T."""
AROUND, FINE = 3.0, 0.05
"""Of log T, around that of rows with uniform directions; z is flat at its largest value."""
RIGHT = 1e-7
"""Cosines taken for 0."""


@dataclass(frozen=True)
class GivenRows:
    """The equation of given rows.

    Attributes
    ----------
    X : (n, d) float
    covariance : (n, n) float
        Phi.
    blocks : tuple of ((n, n) float, Loads, int)
        P of every kind of gradient, its neurons' loads, and how many blocks are alike.
    scales : Scales
    readout_loads : Loads
    """

    X: Array
    covariance: Array
    blocks: tuple[tuple[Array, Loads, int], ...]
    scales: Scales
    readout_loads: Loads

    def z(self, trace: float, resolvent: Array) -> tuple[float, Array]:
        """z and R at this T, begun with another R."""
        z, scales = -np.inf, self.scales
        for _ in range(ITERATIONS):
            K = (
                scales.readout
                * float(self.readout_loads.weight(np.array(scales.of_readout * trace)))
                * self.covariance
            )
            for P, law, count in self.blocks:
                values, vectors = np.linalg.eigh(self.X.T @ (P * resolvent) @ self.X)
                weights = law.weight(scales.of_gradient * np.maximum(values, 0.0))
                columns = self.X @ (vectors * np.sqrt(weights))
                K = K + count * scales.gradient / scales.d * P * (columns @ columns.T)
            values, vectors = np.linalg.eigh(K)
            of_covariance = np.sum(vectors * (self.covariance @ vectors), axis=0)
            before, z = z, _below(values, np.maximum(of_covariance, 0.0), trace)
            resolvent = (vectors / (values - z)) @ vectors.T
            if abs(z - before) <= CONVERGED * abs(z):
                break
        return z, resolvent


def given_rows(network: TwoLayer, X: Array, width: int, kernel: Array) -> GivenRows:
    """The equation, from the kernel matrix of the rows X."""
    n, d = X.shape
    scales = scales_of(problem(network, n, d, width, "sphere"), width)
    gates, cosine = scales.gates, X @ X.T / d
    covariance = kernel_function(network, width=width, kind="nngp")(X)
    gradient = (kernel - (scales.readout + gates * scales.gradient) * covariance) / scales.gradient
    value, slope = smooth_pair(network.activation)
    lengths = np.sqrt(np.diagonal(cosine))
    of = [_mean(function, lengths) for function in (value, slope)]
    # What a product with x.y / d leaves out at right angles: independent factors, or another x.y.
    nothing = np.zeros((n, n))
    blocks = [
        (
            _over(gradient, cosine, nothing if gates else np.outer(of[1], of[1])),
            loads(d, gates, True, width),
            1,
        )
    ]
    if gates:
        at_right_angles = np.outer(of[0], of[0]) if gates == 1 else nothing
        blocks.append((_over(covariance, cosine, at_right_angles), loads(d, gates - 1, True, width), gates))
    return GivenRows(X, covariance, tuple(blocks), scales, loads(d, gates, False, width))


def _over(product: Array, cosine: Array, at_right_angles: Array) -> Array:
    size = np.sqrt(np.multiply.outer(np.diagonal(cosine), np.diagonal(cosine)))
    angled = np.abs(cosine) > RIGHT * size
    return np.where(angled, product / np.where(angled, cosine, 1.0), at_right_angles)


def _mean(function: Callable[[Array], Array], deviations: Array) -> Array:
    """E of the function of a centred normal with these deviations."""
    u, weight = normal_rule()
    return np.asarray(function(np.multiply.outer(deviations, u)) @ weight)


def finite_law_of_data(network: TwoLayer | str, X: ArrayLike, width: int) -> FiniteSpectrumLaw:
    """Typical extreme eigenvalues of one random network's kernel of these very rows.

    Parameters
    ----------
    network : TwoLayer or str
    X : (n, d) float
        At most 2000 rows.
    width : int

    Returns
    -------
    FiniteSpectrumLaw
        lambda_min by the equation of these rows, times what the law of such lengths has for the weights of rows and for the
        distance from the edge; lambda_max is the kernel's own times the ratio of the laws of such lengths.

    Raises
    ------
    InputError
        As `finite_spectrum_law`, and for more rows.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((60, 10))
    >>> X[1] = X[0] + 0.3 * X[2]  # two rows close to one another: no law of uniform directions knows them
    >>> from_data = finite_law_of_data("relu", X, 100)
    >>> print(f"{from_data.lambda_min:.2f} {finite_spectrum_law('relu', 60, 10, 100, X).lambda_min:.2f}")
    0.25 0.65
    """
    network = as_network(network)
    X = check_matrix(X, "X")
    n, d = X.shape
    if n > LARGEST:
        raise InputError(f"X must have at most {LARGEST} rows, got {n}")
    like = finite_spectrum_law(network, n, d, width, X)
    if n == 1:
        return like
    kernel = kernel_function(network, width=width)(X)
    values = np.linalg.eigvalsh(kernel)
    largest = float(values[-1]) * like.lambda_max / spectrum_law(network, n, d, width, X).lambda_max
    if values[0] <= n * np.finfo(float).eps * values[-1] or like.lambda_min == 0:
        return replace(like, lambda_min=0.0, lambda_max=largest)
    asked = problem(network, n, d, width, "sphere")
    uniform = finite_equation(
        kernel_blocks(network, d, asked.expansion.degrees), n, scales_of(asked, width), asked.rows, False
    )
    edge = uniform.left_edge()
    state = uniform.solve(edge.a)
    assert state is not None  # an edge is where there is one
    middle = np.log(state.traces[: len(uniform.shares) // 2] @ uniform.shares[: len(uniform.shares) // 2])
    equation, resolvent = given_rows(network, X, width, kernel), np.asarray(np.linalg.inv(kernel), float)

    def excess(x: float) -> float:
        nonlocal resolvent
        z, resolvent = equation.z(float(np.exp(x)), resolvent)
        return -z

    found = minimize_scalar(
        excess, bounds=(middle - AROUND, middle + AROUND), method="bounded", options={"xatol": FINE}
    )
    on_sphere = finite_spectrum_law(network, n, d, width)
    smallest = max(-float(found.fun), 0.0) * on_sphere.lambda_min / edge.z
    return replace(like, lambda_min=smallest, lambda_max=largest)


def _below(values: Array, numerators: Array, trace: float) -> float:
    """The z below all values with sum numerators / (values - z) = trace."""
    low, high = numerators[0] / trace / 2 + 1e-300, float(np.sum(numerators)) / trace * 2
    gaps = values - values[0]

    def difference(x: float) -> float:
        return float(np.log(np.sum(numerators / (gaps + np.exp(x))) / trace))

    return float(values[0] - np.exp(brentq(difference, np.log(low), np.log(high), xtol=1e-6)))
