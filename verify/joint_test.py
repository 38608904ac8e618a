"""Test a whole measured kernel against a claimed one: all entries at once, correlations included."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.inputs import shown
from verify.statistics import check_rate, check_vector

# Eigenvalues of a correlation matrix of p entries carry rounding errors of about p . 1e-16. A direction with
# less variance than this is not resolved, and is tested as if it had no variance at all.
RESOLUTION = 1e-12

# An unresolved direction may still fluctuate with a variance of up to RESOLUTION. It is granted this many
# standard deviations, so that it raises a false alarm with probability 1e-15.
UNRESOLVED_DEVIATIONS = 8.0


class JointTest(NamedTuple):
    """Outcome of `hotelling`: chi-square statistic, its degrees of freedom, and the p-value."""

    statistic: float
    degrees: int
    p_value: float


def hotelling(
    mean: ArrayLike, covariance: ArrayLike, claimed: ArrayLike, deterministic_tolerance: ArrayLike
) -> JointTest:
    r"""Test a claimed mean against a measured one, in all directions at once.

    .. math:: T^2 = (\bar x - \mu)^T \Sigma^{+} (\bar x - \mu) \sim \chi^2_{r},
              \qquad r = \operatorname{rank} \Sigma

    Samples are so many that the covariance counts as known: chi-square, not F. Where the covariance has no
    variance, or less than rounding produces, the difference must be rounding as well, or the p-value is 0.

    Parameters
    ----------
    mean, claimed : (p,) float
    covariance : (p, p) float
        Covariance of `mean`.
    deterministic_tolerance : float or (p,) float
        Largest difference of an entry that rounding explains, in the units of the entries; not negative.

    Returns
    -------
    JointTest

    Raises
    ------
    InputError
        If the shapes do not fit.

    Source
    ------
    H. Hotelling, The generalization of Student's ratio, Ann. Math. Statist. 2 (1931), with the number of
    samples going to infinity; the deterministic directions are derived here.

    Examples
    --------
    >>> import numpy as np
    >>> hotelling([0.1, 0.0], np.eye(2) / 100, [0.0, 0.0], 1e-12)
    JointTest(statistic=1.0, degrees=2, p_value=0.606...)
    >>> hotelling([0.1, 1e-9], np.diag([0.01, 0.0]), [0.0, 0.0], 1e-12).p_value
    0.0
    """
    from scipy.special import chdtrc

    directions = _Directions.of(covariance, deterministic_tolerance)
    difference = check_vector(mean, "mean", directions.size) - check_vector(
        claimed, "claimed", directions.size
    )
    random = directions.random @ difference
    statistic, degrees = float(random @ random), random.size
    if np.any(np.abs(directions.fixed @ difference) > directions.bounds):
        return JointTest(statistic, degrees, 0.0)
    return JointTest(statistic, degrees, float(chdtrc(degrees, statistic)) if degrees else 1.0)


def smallest_detectable(
    covariance: ArrayLike,
    direction: ArrayLike,
    alpha: float,
    power: float,
    deterministic_tolerance: ArrayLike = 0.0,
) -> float:
    r"""Smallest eps such that `hotelling` refutes a discrepancy of eps times `direction`.

    .. math:: P\big[\chi^2_r(\epsilon^2\, v^T \Sigma^{+} v) > \chi^2_{r, \alpha}\big] = \text{power}

    with a non-central chi-square. With the claimed mean as direction, eps is a relative discrepancy.

    Parameters
    ----------
    covariance : (p, p) float
        Covariance of the measured mean.
    direction : (p,) float
        v.
    alpha : float
        False-alarm rate of the test.
    power : float
        Probability of catching the discrepancy, between alpha and 1.
    deterministic_tolerance : float or (p,) float
        As in `hotelling`.

    Returns
    -------
    float
        Infinite for a direction of zeros.

    Raises
    ------
    InputError
        If a rate is out of range or the shapes do not fit.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> import numpy as np
    >>> round(smallest_detectable(np.eye(1), [1.0], alpha=0.05, power=0.5), 3)  # the two-sided 5 % quantile
    1.96
    """
    from scipy.special import chdtri, chndtrinc

    check_rate(alpha, "alpha")
    if not alpha < power < 1:
        raise InputError(f"power must lie between alpha = {alpha} and 1, got {shown(power)}")
    directions = _Directions.of(covariance, deterministic_tolerance)
    v = check_vector(direction, "direction", directions.size)
    candidates = [inf]
    random = directions.random @ v
    if random.any():
        degrees = random.size
        needed = float(chndtrinc(chdtri(degrees, alpha), degrees, 1.0 - power))
        candidates.append(sqrt(needed / float(random @ random)))
    fixed = np.abs(directions.fixed @ v)
    # A direction that rounding alone makes leave the range of the covariance proves nothing.
    visible = fixed > 1e-9 * directions.lengths * np.linalg.norm(v)
    candidates.extend(directions.bounds[visible] / fixed[visible])
    return float(min(candidates))


@dataclass(frozen=True)
class _Directions:
    """A covariance, split into directions with a variance and directions without.

    Attributes
    ----------
    random : (r, p) float
        Maps a difference to r independent unit normals.
    fixed : (p - r, p) float
        Maps a difference to numbers that must be rounding, not larger than `bounds`.
    bounds, lengths : (p - r,) float
        Those bounds, and the norms of the rows of `fixed`.
    """

    random: Array
    fixed: Array
    bounds: Array
    lengths: Array

    @property
    def size(self) -> int:
        """p."""
        return self.random.shape[1]

    @classmethod
    def of(cls, covariance: ArrayLike, tolerance: ArrayLike) -> _Directions:
        """Split a covariance whose entries carry rounding errors of up to `tolerance`."""
        matrix = np.asarray(covariance, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
            raise InputError(f"covariance must be a finite square matrix, got shape {matrix.shape}")
        p = matrix.shape[0]
        rounding = np.broadcast_to(np.asarray(tolerance, dtype=np.float64), (p,))
        if not (rounding >= 0.0).all():
            raise InputError(f"deterministic_tolerance must not be negative, got {shown(tolerance)}")
        deviations = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
        # Entries differ by orders of magnitude where rows of X do: only correlations compare directions.
        varies = deviations > rounding
        entries = np.eye(p)[varies] / deviations[varies, None]
        values, vectors = np.linalg.eigh(entries @ matrix @ entries.T)
        unresolved = RESOLUTION * values.max(initial=0.0)
        scaled = vectors.T @ entries
        noise = np.abs(scaled) @ rounding
        resolved = values > np.maximum(unresolved, np.square(noise))
        fixed = np.vstack([scaled[~resolved], np.eye(p)[~varies]])
        slack = UNRESOLVED_DEVIATIONS * sqrt(unresolved)
        return cls(
            random=scaled[resolved] / np.sqrt(values[resolved, None]),
            fixed=fixed,
            bounds=np.concatenate([noise[~resolved] + slack, rounding[~varies]]),
            lengths=np.linalg.norm(fixed, axis=1),
        )
