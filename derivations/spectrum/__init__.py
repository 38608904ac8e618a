"""The spectrum of infinite-width kernels on random data: a sharp law for sphere and Gaussian rows.

`harmonics` counts spherical harmonics, `gegenbauer` expands a kernel in them, `rows` weighs rows by their lengths,
`fixed_point` and `coupled` (of `features`) are the equations, `extremes` reads the ends of the spectrum off them,
`density` and `coupled_density` the whole, `fluctuation` and `reliability` say when to believe it, `problem` checks what
is asked, and `law` is the entry point; `data_free` bounds the smallest eigenvalue without the rows. Derivations stand
beside it: `published` reconstructs what publications state, `ordering` proves what a gate does to eigenvalues, `bounds`
what bounds of eigenvalues rest on. `finite_width` is the law of one network.
"""

from derivations.spectrum.bounds import bounds_theorems
from derivations.spectrum.data_free import data_free_bound
from derivations.spectrum.density import Density
from derivations.spectrum.finite_width import FiniteSpectrumLaw, finite_spectrum_density, finite_spectrum_law
from derivations.spectrum.gegenbauer import GegenbauerExpansion, gegenbauer_expansion
from derivations.spectrum.law import SpectrumLaw, spectrum_density, spectrum_law
from derivations.spectrum.ordering import gating_law, ordering_theorem
from derivations.spectrum.published import published_derivation

__all__ = [
    "Density",
    "FiniteSpectrumLaw",
    "GegenbauerExpansion",
    "SpectrumLaw",
    "bounds_theorems",
    "data_free_bound",
    "finite_spectrum_density",
    "finite_spectrum_law",
    "gating_law",
    "gegenbauer_expansion",
    "ordering_theorem",
    "published_derivation",
    "spectrum_density",
    "spectrum_law",
]
