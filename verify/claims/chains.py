"""What stands behind a claim as a chain of steps: how it follows, or the theorem that holds instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from derivations import derive
from derivations.derivation import Derivation
from derivations.dynamics import (
    crossing_formula,
    crossing_theorem,
    early_argument,
    late_argument,
    late_theorem,
    loss_argument,
    reversal,
)
from derivations.input_gradient import input_gradient
from derivations.sources import STATEMENTS
from derivations.spectrum import ordering_theorem, published_derivation
from derivations.spectrum.finite_width import finite_width_derivation, network_bounds


def chains(id: str) -> tuple[Derivation, ...]:
    """The derivations behind a claim, checked; none where no chain leads to what it says.

    Examples
    --------
    >>> [chain.statement for chain in chains("A13")]
    ['The difference of the smallest eigenvalues', 'Eigenvalues with 1 linear gate and without, on the sphere |x|^2 = d']
    >>> chains("A9")
    ()
    """
    found = tuple(_BEHIND.get(id, tuple)())
    for chain in found:
        chain.check()
    return found


def _kernels(*names: str) -> Callable[[], tuple[Derivation, ...]]:
    return lambda: tuple(derive(name).derivation for name in names)


def _published(id: str) -> tuple[Derivation, ...]:
    return tuple(published_derivation(id, name) for name, _ in STATEMENTS[id].formulas)


_BEHIND: dict[str, Callable[[], tuple[Derivation, ...]]] = {
    "A1": _kernels("relu", "reglu"),
    **{id: _kernels("relu") for id in ("A2", "A3", "A5")},
    **{id: _kernels("reglu") for id in ("A4", "A6")},
    **{id: partial(_published, id) for id in ("A7", "A8", "A10", "A11")},
    "A13": lambda: (*_published("A13"), ordering_theorem(sphere=True)),
    "A14": lambda: (ordering_theorem(), ordering_theorem(sphere=True)),
    "A15": lambda: (loss_argument("kernel"), loss_argument("nngp")),
    "A16": lambda: (early_argument("kernel"), early_argument("nngp")),
    "A17": lambda: (late_argument(), late_theorem(), reversal()),
    "A18": lambda: (crossing_theorem(), *map(crossing_formula, ("kernel", "nngp"))),
    **{id: lambda: (network_bounds(0), network_bounds(1)) for id in ("F1", "F2", "F3")},
    "F4": lambda: (finite_width_derivation(0), finite_width_derivation(1)),
    "C2": _kernels("swiglu"),
    "C3": lambda: (input_gradient("sigmoid").plain, input_gradient("sigmoid").gated),
}
