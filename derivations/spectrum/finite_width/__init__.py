"""The spectrum of the kernel of one random network of finite width.

`neurons` has the laws of what a neuron weighs, `blocks` the kernel's blocks apart, `equation` the equations that leaving
out a neuron gives, `row_weights` how rows differ within a network, `extremes` the ends of the spectrum, `density` the
whole, and `law` is the entry point. `matrices` is the law of given rows, `steps` derives it.
"""

from derivations.spectrum.finite_width.law import (
    FiniteSpectrumLaw,
    finite_spectrum_density,
    finite_spectrum_law,
)
from derivations.spectrum.finite_width.matrices import finite_law_of_data
from derivations.spectrum.finite_width.steps import finite_width_derivation, network_bounds

__all__ = [
    "FiniteSpectrumLaw",
    "finite_law_of_data",
    "finite_spectrum_density",
    "finite_spectrum_law",
    "finite_width_derivation",
    "network_bounds",
]
