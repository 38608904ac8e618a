"""Every named network as a candidate: what each one's test error is, and how near its kernel is to a wanted one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from derivations.activations import NAMED
from derivations.errors import InputError
from derivations.learning import Teacher, profile_expansion
from derivations.learning.law import curve_of
from derivations.networks import GATED, MOST_GATES, TwoLayer
from derivations.networks import network as parse_network
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.problem import problem

WIDTHS_OVER_DIMENSION = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Where the width is free: from kernels of the gradient blocks alone to those of the readout alone."""


@dataclass(frozen=True)
class Candidate:
    """A network of the catalogue.

    Attributes
    ----------
    network : TwoLayer
    width : int
    error : float
        Predicted, after the steps asked for.
    distance : float
        Half the sum of absolute differences of its degrees' shares of the diagonal from those wanted: 0 to 1.
    """

    network: TwoLayer
    width: int
    error: float
    distance: float


def members(gates: int | None) -> Iterator[TwoLayer]:
    """All named activations with all numbers of gates, or this one, by their names where they have one.

    Examples
    --------
    >>> [network.name for network in members(1)][:2]
    ['reglu', 'leaky_relu with 1 linear gate']
    """
    named = {pair: name for name, pair in GATED.items()}
    for activation in NAMED:
        for count in range(MOST_GATES + 1) if gates is None else (gates,):
            name = named.get((activation, count))
            yield parse_network(name) if name else parse_network(activation, gates=count)


def candidates(
    wanted: Sequence[float],
    n: int,
    d: int,
    width: int | None,
    steps: int,
    teacher: Teacher,
    gates: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Candidate]:
    """The catalogue, best first; without a width each network has the best one of a few.

    Parameters
    ----------
    wanted : sequence of float
        Power coefficients c_j of the kernel that distances are from.
    n, d, width, steps, teacher
    gates : int, optional
        Only networks with so many.
    progress : callable, optional

    Examples
    --------
    >>> found = candidates((0.0, 1.0), 200, 40, 64, 5, Teacher((1.0,)), gates=0)
    >>> found[0].network.name, round(found[0].distance, 6)  # a linear kernel for a linear teacher
    ('identity', 0.0)
    """
    widths = [width] if width else [max(1, round(ratio * d)) for ratio in WIDTHS_OVER_DIMENSION]
    target = _shares(profile_expansion(wanted, d))
    found = []
    networks = list(members(gates))
    for done, network in enumerate(networks):
        if progress:
            progress(network.name, done, len(networks))
        tried = [_candidate(network, n, d, m, steps, teacher, target) for m in dict.fromkeys(widths)]
        known = [one for one in tried if one is not None]
        if known:
            found.append(min(known, key=lambda one: one.error))
    return sorted(found, key=lambda one: one.error)


def _candidate(
    network: TwoLayer, n: int, d: int, width: int, steps: int, teacher: Teacher, target: np.ndarray
) -> Candidate | None:
    try:
        expansion = problem(network, n, d, width).expansion
        error = curve_of(expansion, n, (steps,), teacher).errors[0]
    except InputError:  # jumps, or has a kernel that the law does not cover
        return None
    shares = _shares(expansion)
    size = max(len(shares), len(target))
    gap = np.pad(shares, (0, size - len(shares))) - np.pad(target, (0, size - len(target)))
    return Candidate(network, width, error, float(np.sum(np.abs(gap)) / 2))


def _shares(expansion: GegenbauerExpansion) -> np.ndarray:
    """Of degree 0, 1, ..., and of what is above all degrees."""
    return np.append(expansion.masses, expansion.rest) / expansion.total
