"""Numerical side of gluntk: finite networks, their kernels with error bars, and verdicts on published claims.

>>> import numpy as np
>>> from verify import empirical_ntk
>>> empirical_ntk("relu", np.eye(2), width=64, seeds=4).neurons
256
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Loaded on first use: `gluntk --help` must not wait for NumPy and SciPy.
_HOME = {
    "Audit": "verify.audit",
    "CLAIMS": "verify.claims",
    "Claim": "verify.claim",
    "Evidence": "verify.claim",
    "FiniteNetwork": "verify.finite",
    "KernelEstimate": "verify.montecarlo",
    "Verdict": "verify.claim",
    "empirical_ntk": "verify.montecarlo",
    "finite_network": "verify.finite",
    "neuron_moments": "verify.moments",
    "read_input": "verify.inputs",
    "run_audit": "verify.audit",
    "width_ladder": "verify.ladder",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'verify' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
