"""What the outputs are before the first step, by the names that functions take."""

from __future__ import annotations

from typing import Literal

Initial = Literal["kernel", "nngp"]
InitialOrZero = Initial | Literal["zero"]

INITIAL: tuple[Initial, ...] = ("kernel", "nngp")
"""Of covariance K, as in a model that is linear in parameters of unit variance; of the NNGP covariance, as in a network."""
INITIAL_OR_ZERO: tuple[InitialOrZero, ...] = (*INITIAL, "zero")
