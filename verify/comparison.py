"""Networks side by side: coefficients, degrees, spectrum and what they learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derivations import derive
from derivations.errors import InputError
from derivations.expansion import Coefficients
from derivations.learning import LearningCurve, Teacher, learning_curve
from derivations.networks import GATED, MOST_GATES, TwoLayer
from derivations.networks import network as parse_network
from derivations.spectrum.problem import problem
from derivations.symbols import d as d_
from derivations.symbols import m as m_
from verify.gradient_descent import MeasuredErrors
from verify.spectrum import NetworkSpectrum, network_spectrum

SHARES = 4
"""Degrees 0..3 have a share of their own, higher ones one together."""
DIGITS = 15
"""Of certified coefficients."""


@dataclass(frozen=True)
class Comparison:
    """One network.

    Attributes
    ----------
    network : TwoLayer
    activation : str
        Of the network without its gates.
    alpha, beta, gamma : float or None
        Of the simplified matrix, None where they cannot be derived.
    shares : (5,) tuple of float
        Of the kernel's diagonal in spherical harmonics of degree 0, 1, 2, 3 and above, on the sphere.
    spectrum : NetworkSpectrum
    curve : LearningCurve or None
    refusal : str or None
        Why there is no curve.
    measured : MeasuredErrors or None
        By real gradient descent, at the steps of the curve.
    """

    network: TwoLayer
    activation: str
    alpha: float | None
    beta: float | None
    gamma: float | None
    shares: tuple[float, ...]
    spectrum: NetworkSpectrum
    curve: LearningCurve | None
    refusal: str | None
    measured: MeasuredErrors | None = None


def compare_network(
    network: TwoLayer, n: int, d: int, width: int | None, steps: Sequence[int], teacher: Teacher, data: str
) -> Comparison:
    """What is known of one network.

    Raises
    ------
    InputError
        If the law of the spectrum does not cover it.

    Examples
    --------
    >>> from derivations import network
    >>> found = compare_network(network("reglu"), 800, 50, 1000, (10,), Teacher((0.5, 0.5)), "sphere")
    >>> found.activation, round(found.beta, 4), round(found.curve.errors[0], 3)
    ('relu', 0.0668, 0.373)
    """
    asked = problem(network, n, d, width, data)
    masses = [float(mass / asked.expansion.total) for mass in asked.expansion.masses[:SHARES]]
    curve, refusal = None, None
    try:
        curve = learning_curve(network, n, d, width, steps, teacher, data)
    except InputError as error:
        refusal = str(error)
    return Comparison(
        network,
        network.activation.name,
        *_simplified(network, d, width),
        shares=(*masses, max(0.0, 1 - sum(masses))),
        spectrum=network_spectrum(network, n, d, width, data),
        curve=curve,
        refusal=refusal,
    )


def _simplified(
    network: TwoLayer, d: int, width: int | None
) -> tuple[float | None, float | None, float | None]:
    try:
        found: Coefficients = derive(network, network.gates + 1, DIGITS).coefficients
    except InputError:  # no closed form and not analytic, say
        return None, None, None
    at = {d_: d} | ({} if width is None else {m_: width})
    alpha, beta, gamma = (float(value.subs(at)) for value in (found.alpha, found.beta, found.gamma))
    return alpha, beta, gamma


def with_all_gates(networks: Sequence[TwoLayer]) -> list[TwoLayer]:
    """Every network's activation with 0, 1 and 2 linear gates, by their names where they have one.

    Examples
    --------
    >>> from derivations import network
    >>> [found.name for found in with_all_gates([network("geglu")])]
    ['gelu', 'geglu', 'gelu with 2 linear gates']
    """
    found: dict[str, TwoLayer] = {}
    for network in networks:
        for member in family(network):
            found.setdefault(member.name, member)
    return list(found.values())


def family(network: TwoLayer) -> Iterator[TwoLayer]:
    """The network's activation with each number of gates."""
    base = network.activation.name
    chosen = network.parametrization.name
    named = {gates: name for name, (activation, gates) in GATED.items() if activation == base}
    for gates in range(MOST_GATES + 1):
        if gates == network.gates:
            yield network
        elif gates in named:
            yield parse_network(named[gates], parametrization=chosen)
        else:
            yield _with_gates(network, gates, chosen)


def _with_gates(network: TwoLayer, gates: int, parametrization: str) -> TwoLayer:
    try:
        return parse_network(network.activation.name, gates=gates, parametrization=parametrization)
    except InputError:
        return parse_network(expression=network.activation.name, gates=gates, parametrization=parametrization)


def grouped(rows: Sequence[Comparison]) -> list[Comparison]:
    """By activation in the order of appearance, fewer gates first."""
    order = list(dict.fromkeys(row.activation for row in rows))
    return sorted(rows, key=lambda row: (order.index(row.activation), row.network.gates))


def ranking(rows: Sequence[Comparison], index: int) -> list[tuple[float, str]]:
    """Predicted errors and names at one of the numbers of steps, best first."""
    return sorted((row.curve.errors[index], row.network.name) for row in rows if row.curve is not None)
