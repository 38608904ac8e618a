"""`gluntk design`: the kernel with the least test error after T steps, and what the catalogue has instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.learning import Teacher, best_profile, free_design
from derivations.learning.design import Design, evaluated
from derivations.numeric import kernel_function
from verify.activations import Array
from verify.catalogue import Candidate, candidates
from verify.commands.design_plots import draw_design
from verify.commands.design_report import Report, as_json, as_text
from verify.commands.kernels import check_outputs
from verify.commands.learning import LearningRequest
from verify.commands.progress import progress
from verify.gradient_descent import Kernel
from verify.output import FIGURES, write_figure
from verify.plots import new_figure


def design(
    asked: LearningRequest,
    gates: int | None,
    degrees: int,
    plot: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The report; the figure goes to `plot`."""
    n, d = asked.check()
    teacher, steps = asked.energies(), asked.numbers_of_steps()
    if len(steps) != 1:
        raise InputError(f"steps must be one number, got {asked.steps!r}")
    (T,) = steps
    check_positive_integer(degrees, "degrees")
    if plot is not None:
        check_outputs({"plot": plot}, force, None, FIGURES)
        panels = new_figure(3)
    with progress(quiet, "best profile"):
        best = best_profile(n, d, T, teacher, gates or 0, degrees)
    pure = _pure(n, d, T, teacher, gates or 0, degrees)
    with progress(quiet, "catalogue") as bar:
        ranked = candidates(best.coefficients, n, d, asked.width, T, teacher, gates, bar)
    if not ranked:
        raise InputError(
            "n and d must be such that the law covers a network of the catalogue; none is covered here"
        )
    reached = free_design(gates or 0)
    reached.check()
    free = reached.status
    report = Report(
        best, pure, tuple(ranked), n, d, asked.width, T, teacher, gates, asked.draws, asked.seed, free
    )
    if asked.draws:
        with progress(quiet, "gradient descent"):
            report = replace(report, measured=tuple(asked.measure(_kernels(best, report.chosen))))
    if plot is not None:
        with progress(quiet, "figure"):
            draw_design(*panels, report)
        write_figure(plot, panels[0], force)
    return as_json(report) if format == "json" else as_text(report, plot)


def _pure(n: int, d: int, steps: int, teacher: Teacher, gates: int, degrees: int) -> tuple[Design, ...]:
    """The kernels rho^j, from the lowest degree that may be there."""
    unit = np.eye(degrees + 1)
    return tuple(evaluated(unit[j], n, d, steps, teacher) for j in range(max(gates, 1), degrees + 1))


def _kernels(best: Design, chosen: tuple[Candidate, ...]) -> list[Kernel]:
    """Of the design, as a polynomial of the cosine, and of the networks named beside it."""

    def designed(X: Array, Y: Array) -> Array:
        cosine = (X @ Y.T) / X.shape[1]
        return np.asarray(np.polynomial.polynomial.polyval(cosine, best.coefficients))

    return [designed, *(kernel_function(one.network, width=one.width) for one in chosen)]
