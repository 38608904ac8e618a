"""Derivations as text, LaTeX, a Python module, C and JSON."""

from __future__ import annotations

from importlib import import_module

import sympy as sp

from derivations.errors import InputError
from derivations.kernel_derivation import KernelDerivation

FORMATS = ("text", "latex", "json", "python", "c")
MOST_DIGITS = 1000


def render(result: KernelDerivation, format: str = "text", steps: bool = False, digits: int = 30) -> str:
    """`result` in one of `FORMATS`.

    Parameters
    ----------
    result : KernelDerivation
        From `derivations.kernel_derivation.derive`.
    format : str
        ``text``, ``latex`` (a document), ``json``, ``python`` (a module that needs NumPy alone) or ``c`` (C99).
    steps : bool
        Whether text and LaTeX show every step, after checking it. JSON always does, code never.
    digits : int
        Decimals of the Hermite coefficients in JSON, 1 to 1000.

    Examples
    --------
    >>> from derivations import derive, network
    >>> print(render(derive(network("relu", parametrization="ntk"))).splitlines()[0])
    The NTK of relu in the ntk parametrization
    """
    if format not in FORMATS:
        raise InputError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    if steps and format in ("python", "c"):
        raise InputError(f"steps can be shown in text, latex or json, got format {format!r}")
    if format in ("python", "c") and result.is_closed and result.kernel.off_diagonal.has(sp.Integral):
        raise InputError(
            f"format must be text, latex or json for {result.network.name}: its kernel has an integral, which "
            "kernel_function evaluates"
        )
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise InputError(f"digits must be a whole number from 1 to {MOST_DIGITS}, got {digits!r}")
    if steps or format == "json":
        result.check()
    module = import_module(f"derivations.printing.{format}")
    match format:
        case "json":
            return module.render(result, digits)
        case "text" | "latex":
            return module.render(result, steps)
        case _:
            return module.render(result)
