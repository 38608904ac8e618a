"""What `gluntk dynamics` and `gluntk generalise` have in common: the options of a descent, and networks that are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derivations.arguments import check_choice, check_positive_integer
from derivations.dynamics.loss import MOST_STEPS, logarithmic_steps
from derivations.errors import InputError
from derivations.networks import TwoLayer
from verify.commands.kernels import NetworkRequest

LARGEST = 4000
"""Rows of the largest matrix of which all eigenvectors are computed."""
BEGINNINGS = {
    "nngp": "of a network that is initialised (NNGP covariance)",
    "zero": "zero outputs",
    "kernel": "of a model linear in parameters of unit variance (covariance K)",
}
"""Of the outputs before the first step."""
MOST_VALUES = 10**13
"""Neurons' values at rows, over all steps and networks: a core takes half a day."""
STEP_VALUES = 2 * 10**4
"""A step of the smallest network takes as long as so many."""


@dataclass(frozen=True)
class Descent:
    """The options that say how networks descend, from where, and when errors are taken."""

    width: int | None
    eta: str
    initial: str
    at: str
    seeds: int | None = None

    def check(self, beginnings: Sequence[str]) -> None:
        """Refuse what is wrong before anything is read or computed.

        Raises
        ------
        InputError
            If options contradict each other, or one is out of range.
        """
        if self.width is not None:
            check_positive_integer(self.width, "width")
        check_choice(self.initial, "initial", beginnings)
        if self.seeds is not None:
            check_positive_integer(self.seeds, "seeds")
            if self.width is None:
                raise InputError("width is needed with --seeds")
            if self.initial != "nngp":
                raise InputError(
                    f"initial must be nngp with --seeds: real networks begin so, got {self.initial!r}"
                )
        self.steps()
        self.rate()

    def steps(self) -> tuple[int, ...]:
        """Numbers of steps, ascending.

        Examples
        --------
        >>> Descent(None, "auto", "zero", "10,1").steps()
        (1, 10)
        """
        try:
            found = sorted({int(part) for part in self.at.split(",")})
        except ValueError:
            found = [-1]
        if found[0] < 0 or found[-1] > MOST_STEPS:
            raise InputError(f"at must be whole numbers from 0 to 10^15 separated by commas, got {self.at!r}")
        return tuple(found)

    def rate(self) -> float | None:
        """The step size, None for the automatic one."""
        if self.eta == "auto":
            return None
        try:
            return float(self.eta)
        except ValueError:
            raise InputError(f"eta must be a number or auto, got {self.eta!r}") from None

    def recorded(self, per_decade: int) -> tuple[int, ...]:
        """Steps at which errors of trained networks are taken, to be read off in between."""
        steps = self.steps()
        return tuple(sorted({*steps, *logarithmic_steps(steps[-1], per_decade)}))

    def check_work(self, n: int, networks: int) -> None:
        """Refuse training that would take days.

        Raises
        ------
        InputError
            If networks times steps are too many.

        Examples
        --------
        >>> Descent(1000, "auto", "nngp", "1000000", 1).check_work(1000, 100)
        Traceback (most recent call last):
        ...
        derivations.errors.InputError: seeds must be fewer, or at fewer steps: 100 networks of width 1000 on 1000 rows for
        1000000 steps are 2e+14 values of neurons, of which 1e+13 take a core half a day
        """
        assert self.width is not None
        last = self.steps()[-1]
        values = 2 * last * max(n * self.width * networks, STEP_VALUES)
        if values > MOST_VALUES:
            raise InputError(
                f"seeds must be fewer, or at fewer steps: {networks} networks of width {self.width} on {n} rows for {last} "
                f"steps are {values:.0e} values of neurons, of which {MOST_VALUES:.0e} take a core half a day"
            )


def diverged(names: Sequence[str], width: int, eta: float) -> InputError:
    """For networks that diverge where their mean kernel does not."""
    return InputError(
        f"eta must be smaller, or width larger, for networks of {' or '.join(names)} with m = {width}: descent diverges at "
        f"{eta:.6g}, for lambda_1 of a network's own kernel is on average larger than that of the mean kernel"
    )


def so_many(count: int) -> str:
    """So many networks, in words.

    Examples
    --------
    >>> so_many(1), so_many(20)
    ('one network', '20 networks')
    """
    return "one network" if count == 1 else f"{count} networks"


def distinct(requests: Sequence[NetworkRequest], number: str, fewest: int, most: int) -> list[TwoLayer]:
    """The networks that are named, refused if they are too few, too many or not all different ones."""
    if not fewest <= len(requests) <= most:
        raise InputError(f"networks must be {number}, got {len(requests)}")
    found = [request.symbolic() for request in requests]
    names = [network.name for network in found]
    if len(set(names)) < len(names):
        raise InputError(f"networks must differ, got {', '.join(names)}")
    return found
