"""Dual activations that have no closed form: E[phi phi] and E[phi' phi'] as fast, accurate matrices.

`activations` has the functions by name, `features` the expansion on a set of variances, `matrices` the matrices.
"""

from derivations.duals.activations import NAMED, Smooth, smooth
from derivations.duals.matrices import Duals, dual_matrices, duals_of_rows, ntk_from_duals, smooth_ntk

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
