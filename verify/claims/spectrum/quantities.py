"""What a formula about eigenvalues is compared with: by the law, and in measured spectra."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import sympy as sp
from scipy.special import stdtrit

from derivations.symbols import d, m, n
from verify.activations import Array
from verify.claims.spectrum.cells import Spectra
from verify.claims.spectrum.laws import law

RATIO, LOWER, UPPER = "ratio", "lower", "upper"
"""A formula that should equal an eigenvalue, or bound it."""

Size = tuple[int, int, int]
"""n, d and m."""


@dataclass(frozen=True)
class Quantity:
    """A formula of a statement, and the eigenvalue it speaks of.

    Attributes
    ----------
    formula : str
        Its name in the statement.
    relation : str
        `RATIO`, `LOWER` or `UPPER`.
    network : str
        Whose eigenvalue; of ``difference``, the gated one's less the plain one's.
    end : str
        ``smallest`` or ``largest``.
    """

    formula: str
    relation: str
    network: str
    end: str

    @property
    def networks(self) -> tuple[str, ...]:
        """Whose eigenvalues it takes; of a difference what is subtracted comes last."""
        return ("reglu", "relu") if self.network == "difference" else (self.network,)

    def by_law(self, rung: str, size: Size, data: str = "gaussian") -> float:
        """Its value by the sharp law."""
        first, *rest = (float(getattr(law(rung, name, *size, data), self.end)) for name in self.networks)
        return first - sum(rest)

    def reliable(self, rung: str, size: Size, data: str = "gaussian") -> bool:
        """Whether the law may be trusted with it."""
        return self.end == "largest" or all(law(rung, name, *size, data).reliable for name in self.networks)

    def measured(self, rung: str, spectra: Spectra) -> Array:
        """Its value in every draw : (s,) float."""
        values = getattr(spectra, self.end)
        if self.network == "difference":
            return np.asarray(values(rung, "reglu") - values(rung, "relu"))
        return np.asarray(values(rung, self.network))


class Mean(NamedTuple):
    """A mean, its standard error, and the draws behind it."""

    mean: float
    error: float
    draws: int

    def deviation(self, alpha: float) -> float:
        """Standard errors within which a mean of 0 stays with probability 1 - alpha, by Student's law."""
        return float(-stdtrit(self.draws - 1, alpha / 2))


def mean_of(values: Array) -> Mean:
    """Of independent draws.

    Examples
    --------
    >>> mean_of(np.array([1.0, 2.0, 3.0]))
    Mean(mean=2.0, error=0.577..., draws=3)
    """
    return Mean(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), len(values))


@lru_cache(maxsize=1024)
def compiled(formula: sp.Expr) -> Callable[[int, int, int], float]:
    """A stated formula as a function of n, d and m."""
    function = sp.lambdify((n, d, m), formula, [{"Max": max}, "math"])
    return lambda *size: float(function(*size))
