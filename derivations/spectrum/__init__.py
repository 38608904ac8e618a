"""The spectrum of infinite-width kernels on random data: a sharp law for sphere and Gaussian rows.

`harmonics` counts spherical harmonics, `gegenbauer` expands a kernel in them, `rows` weighs rows by their lengths,
`fixed_point` and `coupled` are the equations, `extremes` reads the ends of the spectrum off them, `density` the whole,
`reliability` says when to believe it, `problem` checks what is asked, and `law` is the entry point.
"""

from derivations.spectrum.density import Density
from derivations.spectrum.gegenbauer import GegenbauerExpansion, gegenbauer_expansion
from derivations.spectrum.law import SpectrumLaw, spectrum_density, spectrum_law

__all__ = [
    "Density",
    "GegenbauerExpansion",
    "SpectrumLaw",
    "gegenbauer_expansion",
    "spectrum_density",
    "spectrum_law",
]
