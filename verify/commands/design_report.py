"""What `gluntk design` found, as JSON and as text: the profile, the catalogue's best, and activations with that profile."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from derivations.learning import Teacher, activation_expression, profile_expansion
from derivations.learning.design import Design
from derivations.learning.profile import hermite_coefficients
from derivations.networks import MOST_GATES
from verify.catalogue import WIDTHS_OVER_DIMENSION, Candidate
from verify.commands.comparison_remarks import WIDTH
from verify.commands.comparison_report import described
from verify.commands.tables import aligned
from verify.commands.values import SCHEMA, number, readable
from verify.gradient_descent import MeasuredErrors

LISTED = 8
"""Networks of the catalogue in the text."""
NONE = 5e-4
"""Shares that the text leaves out."""
_WIDTH = 110


@dataclass(frozen=True)
class Report:
    """What the command found.

    Attributes
    ----------
    best : Design
    pure : tuple of Design
        rho^j: the last one has the least condition number.
    ranked : tuple of Candidate
        The catalogue, best first.
    n, d : int
    width : int or None
        None: free.
    steps : int
    teacher : Teacher
    gates : int or None
        None: free.
    draws, seed : int
    free : str
        The status of the derivation that every such kernel is that of an activation, re-checked.
    measured : tuple of MeasuredErrors
        Of the design, then of `chosen`; empty if not asked for.
    """

    best: Design
    pure: tuple[Design, ...]
    ranked: tuple[Candidate, ...]
    n: int
    d: int
    width: int | None
    steps: int
    teacher: Teacher
    gates: int | None
    draws: int
    seed: int
    free: str
    measured: tuple[MeasuredErrors, ...] = ()

    @property
    def nearest(self) -> Candidate:
        """The network whose degrees are most like the design's."""
        return min(self.ranked, key=lambda one: one.distance)

    @property
    def chosen(self) -> tuple[Candidate, ...]:
        """The best of the catalogue, and the nearest if that is another one."""
        best = self.ranked[0]
        return (best,) if self.nearest is best else (best, self.nearest)

    @property
    def activation_width(self) -> int:
        """The width of the activations that are written out: any would do."""
        return self.width or self.d

    @property
    def activations(self) -> dict[int, str]:
        """By the number of gates, expressions of activations with the design's kernel; constants are no activations."""
        lowest = int(np.flatnonzero(self.best.coefficients)[0])
        possible = range(min(lowest, MOST_GATES) + 1) if self.gates is None else (self.gates,)
        found = {
            g: activation_expression(self.best.coefficients, g, self.d, self.activation_width)
            for g in possible
        }
        return {g: expression for g, expression in found.items() if "z" in expression}

    def cost(self, error: float) -> float:
        """How much more an error is than the design's, relative."""
        return error / self.best.error - 1 if self.best.error > 0 else np.inf

    def shown_cost(self, error: float, digits: int = 1) -> str:
        """For people: in per cent, or as a factor."""
        cost = self.cost(error)
        return f"{cost:+.{digits}%}" if cost < 1 else f"x {readable(1 + cost, 3)}"


def as_json(report: Report) -> str:
    """One JSON object with the public keys."""
    expansion = profile_expansion(report.best.coefficients, report.d)
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "n": report.n,
        "d": report.d,
        "width": report.width,
        "steps": report.steps,
        "teacher": list(report.teacher.energies),
        "noise": report.teacher.noise,
        "gates": report.gates,
        "seed": report.seed,
        "design": _design(report.best)
        | {
            "reached_by_an_activation": report.free,
            "shares": (expansion.masses / expansion.total).tolist(),
            "activations": [
                {
                    "gates": g,
                    "width": report.activation_width,
                    "expression": expression,
                    "hermite": hermite_coefficients(
                        report.best.coefficients, g, report.d, report.activation_width
                    ).tolist(),
                }
                for g, expression in report.activations.items()
            ],
        },
        "best_of_catalogue": _candidate(report, report.ranked[0]),
        "nearest_of_catalogue": _candidate(report, report.nearest),
        "best_condition_number": _design(report.pure[-1])
        | {"cost": number(report.cost(report.pure[-1].error))},
        "pure_degrees": [_design(one) for one in report.pure],
        "catalogue": [_candidate(report, one) for one in report.ranked],
        "measured": [
            {"of": name, "mean": number(found.mean[0]), "standard_error": number(found.standard_error[0])}
            for name, found in zip(_names(report), report.measured, strict=False)
        ],
    }
    return json.dumps(content, indent=2)


def _design(found: Design) -> dict[str, object]:
    return {
        "coefficients": list(found.coefficients),
        "test_error": number(found.error),
        "condition_number": number(found.condition_number),
    }


def _candidate(report: Report, one: Candidate) -> dict[str, object]:
    return {
        "network": one.network.name,
        "gates": one.network.gates,
        "width": one.width,
        "test_error": number(one.error),
        "cost": number(report.cost(one.error)),
        "distance": number(one.distance),
    }


def _names(report: Report) -> list[str]:
    return ["the design", *(one.network.name for one in report.chosen)]


def as_text(report: Report, plot: str | None) -> str:
    """The profile, tables, and what to do with it."""
    gates = (
        "any number of gates"
        if report.gates is None
        else f"{report.gates} linear gate{'s' * (report.gates != 1)}"
    )
    width = "any width" if report.width is None else f"width {report.width}"
    steps = f"{report.steps} step{'s' * (report.steps > 1)}"
    lines = [
        f"The kernel with the least test error after {steps} of gradient descent, for {gates}",
        f"  data     sphere rows: n = {report.n}, d = {report.d}",
        f"  teacher  {described(report.teacher)}",
        "",
        "Design: f(rho) = sum_j c_j rho^j, f(1) = 1",
        f"  {_profile(report.best)}",
        f"  predicted test error {report.best.error:.4f}, condition number {readable(report.best.condition_number, 4)}",
        "",
        f"An activation that has it: a_k = sqrt(c_{{k+g}} / (m + (k+g) d)), at any width m ({report.free}: shift law)",
        *_activations(report),
        "",
        f"What the catalogue has instead ({width})",
        *_catalogue(report),
        "",
        "The condition number is no guide: one power of the cosine at a time",
        *_pure(report),
        "",
    ]
    for remark in _remarks(report):
        lines += textwrap.wrap(remark, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if plot is not None:
        lines.append(f"  figure written to {plot}")
    return "\n".join(lines)


def _profile(found: Design) -> str:
    return ", ".join(f"c_{j} = {c:.4f}" for j, c in enumerate(found.coefficients) if c > NONE)


def _activations(report: Report) -> Iterator[str]:
    for g, expression in report.activations.items():
        yield f'  gluntk derive --activation "{expression}" --gates {g}'
    if report.activations:
        yield f"    at d = {report.d} and width {report.activation_width}"
    else:
        yield "  none is needed: with a constant in the place of the activation the gates have this kernel"


def _catalogue(report: Report) -> Iterator[str]:
    listed = list(report.ranked[:LISTED])
    if report.nearest not in listed:
        listed.append(report.nearest)
    rows = [("network", "width", "test error", "over the design", "distance of profiles", "")]
    for one in listed:
        note = [
            word for word, this in (("best", report.ranked[0]), ("nearest", report.nearest)) if one is this
        ]
        rows.append(
            (
                one.network.name,
                str(one.width),
                f"{one.error:.4f}",
                report.shown_cost(one.error),
                f"{one.distance:.3f}",
                ", ".join(note),
            )
        )
    yield from aligned(rows, names=1)
    if len(report.ranked) > LISTED:
        yield f"  ... of {len(report.ranked)} networks"


def _pure(report: Report) -> Iterator[str]:
    rows = [("kernel", *(_power(one) for one in report.pure), "design")]
    everything = (*report.pure, report.best)
    rows.append(("condition number", *(readable(one.condition_number, 4) for one in everything)))
    rows.append(("test error", *(f"{one.error:.4f}" for one in everything)))
    yield from aligned(rows, names=1)


def _power(found: Design) -> str:
    j = int(np.argmax(found.coefficients))
    return "rho" if j == 1 else f"rho^{j}"


def _remarks(report: Report) -> Iterator[str]:
    best, nearest = report.ranked[0], report.nearest
    cost = report.shown_cost(best.error)
    yield f"using {best.network.name} (width {best.width}) instead of the design costs {cost} test error"
    if report.width is None:
        tried = ", ".join(f"{ratio:g} d" for ratio in WIDTHS_OVER_DIMENSION)
        yield f"width: the best of {tried} for each network; --width M asks for one"
    if nearest is not best:
        yield (
            f"the network with the nearest profile is {nearest.network.name} (width {nearest.width}): "
            f"{report.shown_cost(nearest.error)}"
        )
    last = report.pure[-1]
    yield (
        "minimising the condition number is degenerate: on the sphere no further factor rho raises it (Schur), so all mass "
        f"goes to the highest degree allowed; {_power(last)} has {readable(last.condition_number, 4)} and leaves "
        f"{last.error / report.teacher.energy:.0%} of the teacher's energy unlearned"
    )
    if report.best.error >= report.teacher.energy:
        yield "nothing is better than to say 0: no kernel learns this teacher from so many rows in so many steps"
    if report.measured:
        for name, found, predicted in zip(
            _names(report),
            report.measured,
            (report.best.error, *(one.error for one in report.chosen)),
            strict=True,
        ):
            mean, error = found.mean[0], found.standard_error[0]
            yield (
                f"real gradient descent, {found.draws} draws (seed {report.seed}): {name} {mean:.4f} +- {error:.4f}, "
                f"predicted {predicted:.4f}"
            )
    else:
        yield "predictions rest on a heuristic argument; to check them by real gradient descent add --draws 4"
    yield WIDTH
    yield (
        f"test error: mean squared error on fresh rows, noise not counted; {report.teacher.energy:g} is that of a network "
        "that says 0. Steps are of 1/lambda_max on the rows' squared error"
    )
