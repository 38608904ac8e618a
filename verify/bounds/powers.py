r"""Hadamard powers of the cosines against diagonals: the product law.

A certificate of degree j is a vector \(\epsilon \ge 0\) with \(R^{\circ j} \succeq I - \operatorname{diag}\epsilon\). For
positive semidefinite A, B with unit diagonals

\[ A \succeq I - \operatorname{diag}\epsilon,\; B \succeq I - \operatorname{diag}\eta \implies
   A\circ B \succeq I - \operatorname{diag}(\epsilon\eta), \]

because \(A\circ B - I + \operatorname{diag}(\epsilon\eta) = (A - I + \operatorname{diag}\epsilon)\circ
(B - I + \operatorname{diag}\eta)\) entry by entry, a Hadamard product of positive semidefinite matrices (Schur). From
above, \(B \preceq l I\) gives \(A\circ B \preceq \operatorname{diag}(\epsilon l + 1 - \epsilon)\). Certificates come from

- diagonal dominance, \(\epsilon_i = \sum_{k\ne i}|\rho_{ik}|^j v_k/v_i\) for any positive v;
- an eigenvalue, \(\epsilon_i = 1 - \alpha/t_i\), \(\alpha = \lambda_n(T^{1/2}R^{\circ q}T^{1/2})\), T = diag t;
- products of those of lower degrees.

Source: derived here (`derivations.spectrum.bounds.product_law`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from derivations.spectrum.harmonics import log_multiplicities
from verify.activations import Array
from verify.bounds.ends import largest_end, smallest_end
from verify.bounds.entries import Cosines
from verify.bounds.rounding import UNIT, gamma


@dataclass(frozen=True)
class PowerEnds:
    r"""Ends of a Hadamard power of the cosines.

    Attributes
    ----------
    degree : int
        q.
    t : (n,) float
    low : float
        At most the smallest eigenvalue of \(T^{1/2}R^{\circ q}T^{1/2}\).
    mean : float
        mu, about the mean of the entries off the diagonal.
    high : float
        \(R^{\circ q} \preceq \mu 11^T + {}\) `high` \(T^{-1}\).
    """

    degree: int
    t: Array
    low: float
    mean: float
    high: float

    @property
    def certificate(self) -> Array:
        """The vector of the lower bound, (n,)."""
        return np.maximum(1 - max(self.low, 0.0) / self.t * (1 - 4 * UNIT), 0.0) + 2 * UNIT

    @property
    def ceiling(self) -> Array:
        """What the power without its mean is below, as a diagonal, (n,)."""
        return np.asarray(self.high / self.t * (1 + 4 * UNIT))


@dataclass(frozen=True)
class SharedPower:
    """The one eigenproblem that kernels of the same rows share: of a Hadamard power of their cosines.

    It depends on the power of the norms in the kernel's entries as well; that of each power is solved once.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((30, 20))
    >>> shared = SharedPower(Cosines(X))
    >>> print(shared.degree, f"{shared.ends(0).low:.2f} {shared.ends(0).high:.2f}")
    2 0.37 1.70
    """

    cosines: Cosines
    solved: dict[int, PowerEnds] = field(default_factory=dict)

    @property
    def degree(self) -> int:
        """The smallest degree of which there are more harmonics than rows, at least 2."""
        n, d = self.cosines.X.shape
        if d == 1:
            return 2
        counts = log_multiplicities(max(d, 2), 64)
        return int(np.argmax(counts[2:] > np.log(n))) + 2 if np.any(counts[2:] > np.log(n)) else 2

    def ends(self, power: int) -> PowerEnds:
        r"""With \(t_i = |x_i|^{2\,\text{power}}\), normalized."""
        if power not in self.solved:
            self.solved[power] = power_ends(self.cosines, self.degree, self._weights(power))
        return self.solved[power]

    def _weights(self, power: int) -> Array:
        lengths = np.linalg.norm(self.cosines.X, axis=1)
        t = (lengths / np.max(lengths)) ** (2 * power)
        # Rows that are much shorter would only be lost in rounding.
        return np.maximum(t, 1e-3)


def power_ends(cosines: Cosines, degree: int, t: Array) -> PowerEnds:
    """Both ends, each of one matrix."""
    n = len(t)
    power = cosines.matrix**degree
    power = (power + power.T) / 2
    # An entry is off by that of its cosine times the degree, and a rounding per factor.
    error = (1.01 * degree * cosines.error + 4 * (degree + 4) * UNIT) * (1 + gamma(n))
    root = np.sqrt(t)
    matrix = power * root[:, None] * root
    matrix = (matrix + matrix.T) / 2
    low = smallest_end(matrix).low - error * float(np.sum(t))
    mean = max(float(np.sum(power)) - n, 0.0) / max(n * (n - 1), 1)
    rest = (power - mean) * root[:, None] * root
    high = largest_end((rest + rest.T) / 2).low + (error + 2 * UNIT) * float(np.sum(t))
    return PowerEnds(degree, t, low, mean, high)


def certificates(dominance: Array, diagonal: Array, shared: PowerEnds | None) -> Array:
    r"""The best certificate of each degree that products give.

    Parameters
    ----------
    dominance : (J + 1, n) float
        Row j that of diagonal dominance.
    diagonal : (n,) float
        The kernel's: what counts is the smallest \(K_{ii}(1 - \epsilon_i)\).
    shared : PowerEnds, optional

    Returns
    -------
    (J + 1, n) float

    Examples
    --------
    >>> certificates(np.array([[9.0], [3.0], [0.5], [0.9], [0.9]]), np.ones(1), None)[:, 0]
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    best = np.ones_like(dominance)
    for j in range(1, len(dominance)):
        i = np.arange(1, j // 2 + 1)
        found = [best[:1], dominance[j : j + 1], best[i] * best[j - i] * (1 + 2 * UNIT)]
        if shared is not None and shared.degree == j:
            found.append(shared.certificate[None])
        candidates = np.concatenate(found)
        best[j] = candidates[np.argmax(np.min(diagonal * (1 - candidates), axis=1))]
    return best


def ceilings(sums: Array, best: Array, shared: PowerEnds | None) -> Array:
    r"""Numbers \(l_j\) with \(R^{\circ j} \preceq l_j I\), each the best of row sums, the eigenproblem and products.

    Parameters
    ----------
    sums : (J + 1,) float
        Largest row sums of the absolute values, the diagonal included.
    best : (J + 1, n) float
        Certificates.
    shared : PowerEnds, optional

    Examples
    --------
    >>> ceilings(np.array([9.0, 5.0, 3.0]), np.array([[1.0], [0.5], [0.25]]), None)
    array([9., 5., 3.])
    """
    most = np.max(best, axis=1)
    result = np.array(sums, float)
    if shared is not None and shared.degree < len(sums):
        whole = (float(np.max(shared.ceiling)) + shared.mean * best.shape[1]) * (1 + 4 * UNIT)
        result[shared.degree] = min(result[shared.degree], whole)
    for j in range(2, len(sums)):
        i = np.arange(1, j)
        # A largest eigenvalue is at least 1, and so epsilon l + 1 - epsilon grows with epsilon.
        level = np.maximum(result[j - i], 1.0)
        result[j] = min(result[j], float(np.min((most[i] * (level - 1) + 1) * (1 + 4 * UNIT))))
    return result
