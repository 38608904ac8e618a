r"""Sums over neurons of their kernel terms and of the squares of these, as rank updates.

With R : (n, b) the readout factors of b neurons, G_l : (n, b) their gradient factors and H = X X^T, the term
of one neuron is xi_ij = R_i R_j + H_ij sum_l G_li G_lj. H does not depend on the neuron, so

.. math:: \sum \xi   &= R R^T + H \circ \sum_l G_l G_l^T, \\
          \sum \xi^2 &= R^2 {R^2}^T + 2 H \circ \sum_l (R G_l)(R G_l)^T
                        + H^2 \circ \sum_{l, l'} (G_l G_{l'})(G_l G_{l'})^T

with elementwise powers and products: one triangle of sums per power of H, one rank update per column of
factors, and no array beyond (n, n) and (n, b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.activations import Array
from verify.finite import Factors
from verify.products import add_row_products, empty_triangle, row_products, symmetric

# Factors enter a second moment to the fourth power. Rows within 2^-40 .. 2^40 keep that inside float64 for
# every named network (relu3: 2^(40 . 3 . 4) = 2^480); rows beyond are rescaled by exact powers of two.
SAFE_EXPONENT = 40


@dataclass(frozen=True)
class FirstMoment:
    """Running sum of xi; each attribute holds the upper triangle of one power of H."""

    readout: Array
    gradient: Array

    @classmethod
    def zeros(cls, n: int) -> FirstMoment:
        """The empty sum."""
        return cls(empty_triangle(n), empty_triangle(n))

    def add(self, factors: Factors) -> None:
        """Add some neurons, in place."""
        add_row_products(self.readout, factors.readout)
        add_row_products(self.gradient, factors.gradient)

    def total(self, gram: Array) -> Array:
        """The sum of xi : (n, n) float, H = `gram`."""
        return symmetric(self.readout) + gram * symmetric(self.gradient)


@dataclass(frozen=True)
class SecondMoment:
    """Running sum of xi^2, elementwise; each attribute holds the upper triangle of one power of H."""

    readout: Array
    mixed: Array
    gradient: Array

    @classmethod
    def zeros(cls, n: int) -> SecondMoment:
        """The empty sum."""
        return cls(empty_triangle(n), empty_triangle(n), empty_triangle(n))

    def add(self, factors: Factors) -> None:
        """Add some neurons, in place."""
        readout, gradient = factors.readout, factors.gradient
        add_row_products(self.readout, np.square(readout))
        add_row_products(self.mixed, readout[:, None] * gradient, weight=2.0)
        add_row_products(self.gradient, np.square(gradient))
        for index in range(1, gradient.shape[1]):
            add_row_products(self.gradient, gradient[:, :index] * gradient[:, index, None], weight=2.0)

    def total(self, gram: Array) -> Array:
        """The sum of xi^2 : (n, n) float, H = `gram`."""
        horner = symmetric(self.mixed) + gram * symmetric(self.gradient)
        return symmetric(self.readout) + gram * horner


@dataclass(frozen=True)
class RowUnits:
    """Powers of two that bring the rows of a kernel to size 1, so that squaring its terms cannot overflow.

    Attributes
    ----------
    gram : (n, n) float
        H of the rescaled inputs.
    unit : (n,) float
        Row i of the kernel is measured in unit[i].
    slope : (n,) float
        What a gradient factor of row i is multiplied with: size of x_i over unit[i].
    trivial : bool
        All units are 1.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 2.0], [3.0e150, 0.0]])
    >>> factors = Factors(readout=X, gradient=np.ones((2, 1, 2)))
    >>> np.log2(RowUnits.measure(X, factors).unit)
    array([  1., 499.])
    """

    gram: Array
    unit: Array
    slope: Array
    trivial: bool

    @classmethod
    def measure(cls, X: Array, factors: Factors) -> RowUnits:
        """Choose the units from the inputs and from the factors of some neurons, deterministically."""
        size = _power_of_two(np.abs(X).max(axis=1))
        exponents = np.log2(size)
        if np.abs(exponents).max() <= SAFE_EXPONENT:
            one = np.ones(X.shape[0])
            return cls(row_products(X, X), one, one, True)
        gradient = size * np.abs(factors.gradient).max(axis=(1, 2), initial=0.0)
        unit = _power_of_two(np.maximum(np.abs(factors.readout).max(axis=1), gradient), default=size)
        scaled = X / size[:, None]
        return cls(row_products(scaled, scaled), unit, size / unit, False)

    def scaled(self, factors: Factors) -> Factors:
        """The factors in these units."""
        if self.trivial:
            return factors
        return Factors(factors.readout / self.unit[:, None], factors.gradient * self.slope[:, None, None])

    def restored(self, kernel: Array) -> Array:
        """A kernel (or its standard error) in units of 1."""
        return kernel if self.trivial else self.unit[:, None] * kernel * self.unit


def _power_of_two(size: Array, default: Array | float = 1.0) -> Array:
    # frexp alone would give a row of zeros the unit 0.
    return np.where(size > 0.0, np.ldexp(1.0, np.frexp(size)[1] - 1), default)
