"""`gluntk generalise`: how soon networks fit rows, and how far they are off on others, along descent of their kernels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from derivations.arguments import check_memory, check_positive_integer
from derivations.dynamics.loss import check_rate, logarithmic_steps
from derivations.errors import InputError
from derivations.numeric import KernelFunction, SeriesKernel, kernel_function
from verify.activations import Array
from verify.bootstrap import FEWEST
from verify.commands.data import DataRequest
from verify.commands.descent import LARGEST, Descent, distinct
from verify.commands.generalise_plots import draw_generalisation
from verify.commands.generalise_report import Report, as_json, as_text
from verify.commands.generalise_trained import train_networks
from verify.commands.kernels import NetworkRequest, check_outputs, check_representable
from verify.commands.labels import LabelRequest
from verify.commands.progress import progress
from verify.eigenvalues import extremes
from verify.generalisation import LEVELS, RowKernel, follow
from verify.output import FIGURES, write_figure
from verify.plots import COLOURS, new_figure
from verify.samples import Sample, fresh_samples, resplit

INITIAL = ("nngp", "zero")
"""Outputs before the first step, of covariances that are known between rows to train on and rows to test."""
TEACHER = "relu"
PER_DECADE = 8
"""Points of a drawn curve."""


@dataclass(frozen=True)
class GeneraliseRequest:
    """The options that say what is fitted, on how many rows, and when errors are taken."""

    target: LabelRequest
    descent: Descent
    teacher: str | None
    noise: float
    train: int
    test: int
    splits: int

    def check(self, request: DataRequest) -> None:
        """Refuse what is wrong before anything is read or computed.

        Raises
        ------
        InputError
            If options contradict each other, or one is out of range.
        """
        for name in ("train", "test", "splits"):
            check_positive_integer(getattr(self, name), name)
        if self.splits < FEWEST:
            raise InputError(f"splits must be at least {FEWEST} for intervals, got {self.splits}")
        if self.train > LARGEST:
            raise InputError(f"train must be at most {LARGEST} rows for all eigenvectors, got {self.train}")
        self.descent.check(INITIAL)
        if not 0 <= self.noise < np.inf:
            raise InputError(f"noise must be a variance, 0 or larger, got {self.noise}")
        request.check()
        self.target.check(request)
        if self.teacher is not None and self.target.labels != "network":
            raise InputError(f"teacher belongs to --labels network, got {self.teacher!r}")
        if request.source is None:
            if request.prepare != "raw":
                raise InputError(f"prepare belongs to --input, got {request.prepare!r} with --data")
        elif self.target.labels is not None or self.noise:
            raise InputError("labels and noise belong to --data; for the rows of --input give --targets")
        elif self.target.targets is None:
            raise InputError("targets are needed with the rows of a file")
        if self.descent.seeds is not None:
            self.descent.check_work(self.train, self.descent.seeds * self.splits)

    @property
    def fitted_name(self) -> str:
        """For people."""
        name = self.target.name
        return f"network ({self.teacher or TEACHER})" if name == "network" else name

    def samples(self, request: DataRequest) -> tuple[Iterator[Sample], tuple[float, float] | None]:
        """Rows with targets, and the two values of these where they are classes.

        Raises
        ------
        InputError
            If data or targets are bad, or too few.
        """
        rng = np.random.SeedSequence(request.seed, spawn_key=(8,))
        if request.source is None:
            assert request.d is not None
            assert request.distribution is not None
            drawn = fresh_samples(
                request.distribution,
                request.d,
                self.target.kind,
                self.train,
                self.test,
                self.splits,
                rng,
                teacher=NetworkRequest(self.teacher or TEACHER, None, None, "standard").finite(),
                noise=self.noise,
            )
            return drawn, (-1.0, 1.0) if self.target.kind == "signs" and not self.noise else None
        X, Y = self.target.load(request)
        values = np.unique(Y)
        classes = (float(values[0]), float(values[1])) if len(values) == 2 else None
        if self.train + self.test > len(X):
            raise InputError(
                f"train and test must have at most {len(X)} rows together, all of the input's, got {self.train} + {self.test}"
            )
        return resplit(X, Y, self.train, self.test, self.splits, rng), classes


def generalise(
    requests: Sequence[NetworkRequest],
    request: DataRequest,
    asked: GeneraliseRequest,
    plot: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The report of all networks; the figure goes to `plot`."""
    networks = distinct(requests, f"2 to {len(COLOURS)}", 2, len(COLOURS))
    asked.check(request)
    descent = asked.descent
    names = tuple(network.name for network in networks)
    # Derived before data are read: a network without a kernel is refused at once.
    kernels = [kernel_function(network, width=descent.width) for network in networks]
    starts = [
        kernel_function(network, kind="nngp") if descent.initial == "nngp" else None for network in networks
    ]
    panel = None
    if plot is not None:
        check_outputs({"plot": plot}, force, request.source, FIGURES)
        panel = new_figure(2)
    drawn, classes = asked.samples(request)
    samples = list(drawn)
    check_memory(asked.train + asked.test, asked.train + asked.test, 4 * len(names), "two kernels")
    at = descent.steps()
    curve = logarithmic_steps(max(at[-1], 1), PER_DECADE) if plot else ()
    steps = (*sorted({*at, *curve}), np.inf)
    rate = descent.rate()
    if rate is not None:
        # Before all else: the bound of every split.
        check_rate(rate, max(_largest(kernel, sample) for kernel in kernels for sample in samples))
    with progress(quiet, "splits") as bar:
        found = follow(
            [_rows_only(kernel) for kernel in kernels],
            [None if start is None else _rows_only(start) for start in starts],
            samples,
            steps,
            LEVELS,
            classes,
            None if bar is None else lambda done: bar("splits", done, asked.splits),
            rate,
        )
    trained = None
    if descent.seeds:
        with progress(quiet, "training") as bar:
            trained = train_networks(
                {name: request.finite() for name, request in zip(names, requests, strict=True)},
                samples,
                found,
                descent,
                np.random.SeedSequence(request.seed, spawn_key=(9,)),
                None if bar is None else lambda done: bar("training", done, asked.splits),
            )
    report = Report(
        names,
        found,
        (*at, np.inf),
        request,
        asked.fitted_name,
        asked.noise,
        asked.train,
        asked.test,
        descent.width,
        descent.initial,
        rate,
        descent.seeds,
        trained,
    )
    if plot is not None and panel is not None:
        draw_generalisation(*panel, report)
        write_figure(plot, panel[0], force)
    return as_json(report) if format == "json" else as_text(report, plot)


def _largest(kernel: KernelFunction | SeriesKernel, sample: Sample) -> float:
    """lambda_1 of the rows to train on."""
    return extremes(_rows_only(kernel)(sample.X[: sample.train])).largest


def _rows_only(kernel: KernelFunction | SeriesKernel) -> RowKernel:
    """With all the machine's threads, and refused where an entry is infinite."""
    threads = os.cpu_count() or 1

    def of_rows(X: Array) -> Array:
        K = kernel(X, threads=threads)
        check_representable(K)
        return K

    return of_rows
