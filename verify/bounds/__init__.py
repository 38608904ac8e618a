r"""Rigorous bounds of a kernel matrix's extreme eigenvalues, for given data, that rounding cannot break.

`interval` is the entry point, `answer` what it returns. `rounding` has the a priori errors, `entries` the kernel's
blocks, `singular` tells exact zeros, `coefficients` the power series row by row, `powers` the product law, `split` puts
both together, `inner` has Rayleigh quotients, `ends` and `dense` eigenproblems with proved radii, `family` all widths from
two of them.
"""

from verify.bounds.answer import SpectrumBounds
from verify.bounds.entries import Cosines
from verify.bounds.family import WidthFamily
from verify.bounds.interval import MODES, kernel_bounds, spectrum_bounds
from verify.bounds.powers import SharedPower

__all__ = [
    "MODES",
    "Cosines",
    "SharedPower",
    "SpectrumBounds",
    "WidthFamily",
    "kernel_bounds",
    "spectrum_bounds",
]
