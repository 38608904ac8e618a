"""The audit: measure every cell once, judge every claim on every rung, then judge deliberately wrong claims.

The run-wide false-alarm rate is split over all statistical checks of the run (Bonferroni). Controls are wrong
versions of each formula, each with one coefficient off by half a percent; every one of them has to be refuted,
in every run, or the audit itself has failed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import sympy as sp

from derivations.arguments import check_choice
from derivations.errors import InputError
from verify.claim import Claim, Evidence, Rung, Sampled, Setting, Statement, Verdict
from verify.claims import CLAIMS

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Profile:
    """How much an audit measures, and how sure it wants to be.

    Attributes
    ----------
    name : str
    factor : float
        Multiple of each cell's own number of neurons.
    alpha : float
        Probability, at most, that a run refutes any true statement.
    power : float
        Probability with which an error of the smallest detectable size is caught.
    needed : float
        Relative error in a single coefficient that a finite check must be able to catch.
    further : bool
        Whether to measure a rung's `further` cells too.
    """

    name: str
    factor: float
    alpha: float = 1e-3
    power: float = 0.999
    needed: float = 0.005
    further: bool = False


PROFILES = {p.name: p for p in (Profile("quick", 1.0), Profile("full", 25.0, needed=0.001, further=True))}
PLANTED = sp.Rational(1, 200)
"""Relative size of the controls' errors."""


@dataclass(frozen=True)
class RungResult:
    """One rung of one claim: what was found and what is pinned."""

    rung: str
    expected: Verdict
    evidence: Evidence

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the pinned one; inconclusive never is."""
        return self.evidence.verdict == self.expected != Verdict.INCONCLUSIVE


@dataclass(frozen=True)
class ControlResult:
    """One deliberately wrong statement and the rungs that refuted it."""

    label: str
    refuted_on: tuple[str, ...]
    finite_applies: bool


@dataclass(frozen=True)
class Audit:
    """Everything a run found."""

    profile: Profile
    seed: int
    claims: tuple[tuple[Claim, tuple[RungResult, ...]], ...]
    controls: tuple[ControlResult, ...]
    seconds: float

    @property
    def unexpected(self) -> int:
        """Verdicts that differ from their pins, or are inconclusive, and controls that were not refuted."""
        verdicts = sum(not result.as_expected for _, results in self.claims for result in results)
        return verdicts + sum(not control.refuted_on for control in self.controls)


def chosen_claims(ids: Sequence[str]) -> list[Claim]:
    """The claims with these ids, or all.

    Raises
    ------
    InputError
        For an id that is not registered.
    """
    for id in ids:
        check_choice(id, "claim", tuple(CLAIMS))
    return [claim for claim in CLAIMS.values() if not ids or claim.id in ids]


def run_audit(
    ids: Sequence[str] = (),
    profile: str | Profile = "quick",
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Audit:
    """Run the audit.

    Parameters
    ----------
    ids : sequence of str
        Claims; none means all.
    profile : str or Profile
        ``"quick"`` or ``"full"``, or one of your own.
    seed : int
        The only source of randomness: the same seed gives the same verdicts whatever `jobs` is.
    jobs : int
        Processes that measure cells.
    progress : callable, optional
        Called with what was done, how many of how many.

    Raises
    ------
    InputError
        For an unknown claim or profile, or a seed or number of jobs out of range.
    """
    started = time.perf_counter()
    if isinstance(profile, str):
        if profile not in PROFILES:
            raise InputError(f"profile must be one of {', '.join(PROFILES)}, got {profile!r}")
        profile = PROFILES[profile]
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed must be a whole number, 0 or larger, got {seed!r}")
    claims = chosen_claims(ids)
    early: dict[tuple[str, str], Evidence] = {}

    def judge_derivations(setting: Setting) -> None:
        for claim in claims:
            for rung in claim.rungs:
                if not rung.cells:
                    early[claim.id, rung.name] = rung.judge(claim.statement, setting)

    setting = measure(claims, profile, seed, jobs, progress, judge_derivations)
    results = tuple(
        (
            claim,
            tuple(
                RungResult(
                    rung.name,
                    rung.expected,
                    early.get((claim.id, rung.name)) or rung.judge(claim.statement, setting),
                )
                for rung in claim.rungs
            ),
        )
        for claim in claims
    )
    controls = tuple(control for claim, found in results for control in _controls(claim, found, setting))
    return Audit(profile, seed, results, controls, time.perf_counter() - started)


def _controls(claim: Claim, found: Sequence[RungResult], setting: Setting) -> list[ControlResult]:
    """Judge the claim with each of its coefficients off by half a percent, up and down."""
    results = []
    for error in (PLANTED, -PLANTED):
        for label, wrong in claim.statement.planted(error):
            refuted = tuple(
                rung.name
                for rung, result in zip(claim.rungs, found, strict=True)
                if _catches(rung, result.evidence.verdict, wrong, setting)
            )
            results.append(ControlResult(label, refuted, any(rung.cells for rung in claim.rungs)))
    return results


def _catches(rung: Rung, of_the_stated: Verdict, wrong: Statement, setting: Setting) -> bool:
    """Whether a rung refutes a wrong version for its error, and not for what it refutes the statement itself for."""
    evidence = rung.judge(wrong, setting)
    return evidence.verdict == Verdict.REFUTED and (of_the_stated != Verdict.REFUTED or evidence.by_terms)


def measure(
    claims: Sequence[Claim],
    profile: Profile,
    seed: int,
    jobs: int = 1,
    progress: Progress | None = None,
    meanwhile: Callable[[Setting], None] | None = None,
) -> Setting:
    """Measure every cell that any rung of `claims` needs, each once, and split the error rate over the checks.

    `meanwhile` is called once while other processes measure, with the setting that nothing is measured in yet:
    deriving takes as long as a third of the measurements, and would leave all cores but one idle.
    """
    # The longest first, so that no worker is left with it at the end.
    cells = sorted(
        {
            cell
            for claim in claims
            for rung in claim.rungs
            for cell in rung.cells + (rung.further if profile.further else ())
        },
        key=lambda cell: (-cell.thousands, cell.name),
    )
    sequence = np.random.SeedSequence(seed)
    measured: dict[Sampled[Any], Any] = {}
    checks = sum(bool(rung.cells) for claim in claims for rung in claim.rungs)
    setting = Setting(measured, profile.alpha / max(checks, 1), profile.power, profile.needed)

    def done(cell: Sampled[Any], result: Any) -> None:
        measured[cell] = result
        if progress is not None:
            progress(f"measured {cell.name}", len(measured), len(cells))

    if jobs == 1 or not cells:
        if meanwhile is not None:
            meanwhile(setting)
        for cell in cells:
            done(cell, cell.measure(sequence, profile.factor))
    else:
        with worker_pool(min(jobs, len(cells))) as pool:
            running = {pool.submit(cell.measure, sequence, profile.factor): cell for cell in cells}
            if meanwhile is not None:
                meanwhile(setting)
            for future in as_completed(running):
                done(running[future], future.result())
    return setting


@contextmanager
def worker_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes with one BLAS thread each: more threads than cores would wait for one another."""
    # A BLAS reads its number of threads when it is loaded, and forked workers would inherit a loaded one.
    wanted = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
