"""What publications state of a network's extreme eigenvalues, in numbers: to compare with, never to compute with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from derivations.networks import TwoLayer
from derivations.sources.glu_spectrum import STATEMENTS
from derivations.symbols import d as d_
from derivations.symbols import m as m_
from derivations.symbols import n as n_
from derivations.symbols import z

Range = tuple[float, float]
"""Low and high; equal for a single value."""

SOURCE = STATEMENTS["A7"].source
HYPOTHESES = STATEMENTS["A7"].hypotheses
_OF_GATES = {0: ("A7", "A10"), 1: ("A8", "A11")}


@dataclass(frozen=True)
class PublishedExtremes:
    """What is stated of one network.

    Attributes
    ----------
    lambda_max, lambda_min : (low, high)
    statements : tuple of str
        The statements' names.
    """

    lambda_max: Range
    lambda_min: Range
    statements: tuple[str, ...]

    @property
    def condition_number(self) -> Range:
        """The quotients of the bounds."""
        low, high = (
            top / bottom if bottom > 0 else np.inf
            for top, bottom in zip(self.lambda_max, reversed(self.lambda_min), strict=True)
        )
        return low, high


def published_extremes(network: TwoLayer, n: int, d: int, width: int | None) -> PublishedExtremes | None:
    """A7 and A10 of a plain ReLU network, A8 and A11 of one with a gate; None where nothing is stated.

    They are stated for Gaussian rows and the standard parametrization without biases.

    Examples
    --------
    >>> from derivations import network
    >>> stated = published_extremes(network("relu"), 2000, 100, 1000)
    >>> print("{:.1f} {:.1f}".format(*stated.lambda_min), stated.statements)
    115.8 115.8 ('A7', 'A10')
    >>> published_extremes(network("swiglu"), 2000, 100, 1000) is None
    True
    """
    parametrization = network.parametrization
    if (
        network.activation.phi != sp.Max(0, z)
        or network.gates not in _OF_GATES
        or parametrization.name != "standard"
        or parametrization.variances != "numeric"
        or parametrization.has_biases
    ):
        return None
    statements = _OF_GATES[network.gates]
    largest, smallest = (_range(statement, n, d, width) for statement in statements)
    return PublishedExtremes(largest, smallest, statements)


def _range(id: str, n: int, d: int, width: int | None) -> Range:
    at = {n_: sp.Integer(n), d_: sp.Integer(d), m_: sp.Integer(width)}
    values = [float(formula.subs(at)) for _, formula in STATEMENTS[id].formulas]
    return values[0], values[-1]
