"""Symbolic side of gluntk: kernels of gated networks, derived from the network's definition.

>>> from derivations import derive, network
>>> derive(network("relu")).coefficients.beta
m/(2*pi*d)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Loaded on first use: `gluntk --help` must not wait for SymPy.
_HOME = {
    "InputError": "derivations.errors",
    "Activation": "derivations.activations",
    "activation": "derivations.activations",
    "parse": "derivations.activations",
    "TwoLayer": "derivations.networks",
    "Parametrization": "derivations.networks",
    "network": "derivations.networks",
    "Step": "derivations.derivation",
    "Derivation": "derivations.derivation",
    "DerivationError": "derivations.derivation",
    "derive": "derivations.kernel_derivation",
    "derive_covariance": "derivations.kernel_derivation",
    "KernelDerivation": "derivations.kernel_derivation",
    "CovarianceDerivation": "derivations.kernel_derivation",
    "KernelExpansion": "derivations.expansion",
    "dual": "derivations.price",
    "kernel_function": "derivations.numeric",
    "KernelFunction": "derivations.numeric",
    "SeriesKernel": "derivations.numeric",
    "finite_spectrum_density": "derivations.spectrum",
    "finite_spectrum_law": "derivations.spectrum",
    "spectrum_law": "derivations.spectrum",
    "spectrum_density": "derivations.spectrum",
    "certified_hermite": "derivations.certified",
    "certified_expectation": "derivations.certified",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'derivations' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
