"""Claims, the rungs they are judged on, evidence and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from derivations.sources import Statement

if TYPE_CHECKING:
    import numpy as np

Measurement = TypeVar("Measurement", covariant=True)


class Verdict(StrEnum):
    """What a rung says of a claim."""

    PROVED = "PROVED"
    CONFIRMED = "CONFIRMED"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"


RUNGS = ("simplified", "exact", "finite")
"""The source's own truncated matrix; the infinite-width kernel; real networks of finite width."""


@dataclass(frozen=True)
class Evidence:
    """A verdict and what it rests on.

    Attributes
    ----------
    verdict : Verdict
    detail : str
        One line for people; for a refutation, the counterexample.
    samples : int or None
        Independent neurons behind it, where it is statistical.
    smallest_detectable : float or None
        Relative error in a single coefficient that the check catches with the profile's power.
    by_terms : bool
        Of a refutation, whether a formula's terms are wrong: the only kind that tells a planted error where the true
        statement is refuted too.
    """

    verdict: Verdict
    detail: str
    samples: int | None = None
    smallest_detectable: float | None = None
    by_terms: bool = False


class Sampled(Protocol[Measurement]):
    """What the audit measures once and hands to every judge that needs it; hashable, equal if measured alike.

    What it yields is the affair of the judges that ask for it: moments of entries, or extreme eigenvalues.

    Attributes
    ----------
    name : str
        Key of its random numbers and what progress reports call it.
    thousands : int
        Samples in units of 1024, or work alike, in the quick profile: the longest measurements are begun first.
    """

    @property
    def name(self) -> str: ...

    @property
    def thousands(self) -> int: ...

    def measure(self, seed: np.random.SeedSequence, factor: float) -> Measurement:
        """What `factor` times the samples say, by `seed` and `name` alone; it can be pickled."""
        ...


@dataclass(frozen=True)
class Setting:
    """What a judge may use besides the statement.

    Attributes
    ----------
    measured : mapping of Sampled
        To what each of them yields; shared by all claims.
    alpha : float
        False-alarm rate of one check.
    power : float
        Probability with which the smallest detectable error is caught.
    needed : float
        Relative error in one coefficient that a check must be able to catch; else it is inconclusive.
    """

    measured: Mapping[Sampled[Any], Any]
    alpha: float
    power: float
    needed: float


@dataclass(frozen=True)
class Rung:
    """One way to judge a claim, the verdict that is pinned for it, and the measurements it needs.

    Attributes
    ----------
    name : str
        One of `RUNGS`.
    expected : Verdict
    judge : callable
        Without `cells` it may be called before anything is measured.
    cells : tuple of Sampled
        Measured in every profile.
    further : tuple of Sampled
        More of the kind, measured where the profile says so; the judge uses what it finds.
    """

    name: str
    expected: Verdict
    judge: Callable[[Statement, Setting], Evidence]
    cells: tuple[Sampled[Any], ...] = ()
    further: tuple[Sampled[Any], ...] = ()


@dataclass(frozen=True)
class Claim:
    """A published statement and the rungs that apply to it."""

    statement: Statement
    rungs: tuple[Rung, ...]

    @property
    def id(self) -> str:
        """The statement's permanent name."""
        return self.statement.id
