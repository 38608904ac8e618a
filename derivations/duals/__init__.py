"""Dual activations that have no closed form: E[phi phi] and E[phi' phi'] as fast, accurate matrices.

`activations` has the functions by name, `features` the expansion at a few variances, `matrices` the matrices of
variances and correlations, `rows` those of data and the kernels.
"""

from derivations.duals.activations import NAMED, Smooth, smooth
from derivations.duals.matrices import dual_matrices
from derivations.duals.rows import Duals, duals_of_rows, ntk_from_duals, smooth_ntk

__all__ = [
    "NAMED",
    "Duals",
    "Smooth",
    "dual_matrices",
    "duals_of_rows",
    "ntk_from_duals",
    "smooth",
    "smooth_ntk",
]
