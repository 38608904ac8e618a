"""`gluntk regimes A16`: the smallest n of the early stage over d and m, in words, as data and as a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from derivations.dynamics import early_stage, truncated_stage
from derivations.dynamics.initial import INITIAL, Initial
from derivations.errors import InputError
from derivations.printing.text import text as expression
from verify.claims import CLAIMS
from verify.commands.map_request import MapRequest, empty_figure, statement_lines, table, whole_numbers
from verify.commands.tables import aligned
from verify.commands.values import SCHEMA, number
from verify.output import write_figure, write_text
from verify.regimes.early import (
    CLAIM,
    DIMENSION,
    ROWS,
    RUNGS,
    EarlySize,
    EarlySummary,
    early_map,
    early_summaries,
)
from verify.regimes.early_plots import draw_early

DIMENSIONS = (2, 3, 4, 5, 7, 10, 20, 50, 100, 200, 500)
WIDTHS: tuple[int | None, ...] = (*(10**power for power in range(7)), None)
ON = {"simplified": "simplified matrices", "exact": "infinite-width kernels"}
OUTPUTS = {"kernel": "outputs of covariance K at the start", "nngp": "outputs of a real network at the start"}
JUDGED = (
    "What is judged: that the plain loss also falls faster. That it is ahead as eta k -> 0 is true at every n, d and m and",
    "without any hypothesis, for its first loss is smaller, E Tr C_0 < E Tr C~_0 (on the sphere equal for a real network's",
    "outputs, and at outputs of zero everywhere: there who falls faster decides).",
)


def early_regimes(request: MapRequest, plot: str | None, output: str | None, force: bool, format: str) -> str:
    """The report of a map of the early stage; its data go to `output`, its picture to `plot`."""
    _check(request)
    dimensions = whole_numbers(request.dimensions, "d") or DIMENSIONS
    widths = _widths(request.widths)
    rungs = RUNGS if request.rung is None else (request.rung,)
    figure = empty_figure(plot, output, force, 2 * len(rungs), 2)
    found = early_map(dimensions, widths, rungs)
    if output is not None:
        write_text(output, table([_row(size) for size in found]), force)
    if plot is not None and figure is not None:
        draw_early(*figure, found)
        write_figure(plot, figure[0], force)
    return as_json(found) if format == "json" else as_text(found, plot, output)


def _check(request: MapRequest) -> None:
    """Refuse what has no meaning for expectations over Gaussian rows at all n."""
    if request.rung not in (None, *RUNGS):
        raise InputError(f"rung must be one of {', '.join(RUNGS)} for {CLAIM}, got {request.rung!r}")
    if request.data not in (None, "gaussian"):
        raise InputError(f"data must be gaussian for {CLAIM}, got {request.data!r}")
    unused = {
        "n": request.samples,
        "width-per-dimension": request.width_per_dimension,
        "tolerance": request.tolerance,
    }
    for name, value in unused.items():
        if value is not None:
            raise InputError(
                f"{name} must be left out for {CLAIM}, which is mapped over d and m, got {value}"
            )


def _widths(text: str | None) -> tuple[int | None, ...]:
    if text is None:
        return WIDTHS
    finite = [part for part in text.split(",") if part.strip() != "inf"]
    numbers = whole_numbers(",".join(finite), "width") if finite else ()
    return (*numbers, *([None] if len(finite) < len(text.split(",")) else []))


def _row(size: EarlySize) -> dict[str, Any]:
    """A row of a table: no n and the limit of large widths are infinite."""
    limits = {key: "inf" for key in ("m", "rows") if getattr(size, key) is None}
    return {"claim": CLAIM} | asdict(size) | limits


def as_json(sizes: Sequence[EarlySize]) -> str:
    """The public JSON object."""
    statement = CLAIMS[CLAIM].statement
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "claim": CLAIM,
        "title": statement.title,
        "source": statement.source,
        "data": "gaussian",
        "maps": [_summary_json(summary) for summary in early_summaries(sizes)],
        "rows": [_row(size) for size in sizes],
    }
    return json.dumps(content, indent=2)


def _summary_json(summary: EarlySummary) -> dict[str, Any]:
    return asdict(summary) | {
        "share": number(summary.share),
        "counterexample": None if summary.counterexample is None else _row(summary.counterexample),
        "some_rows": _thresholds(summary.some_rows),
        "published_rows": _thresholds(summary.published_rows),
    }


def _thresholds(widths: Sequence[tuple[int, int | None]]) -> list[dict[str, Any]]:
    return [{"d": d, "m": "inf" if m is None else m} for d, m in widths]


def as_text(sizes: Sequence[EarlySize], plot: str | None, output: str | None) -> str:
    """The report for people."""
    lines = [
        *statement_lines(CLAIMS[CLAIM].statement),
        "",
        *JUDGED,
        "",
        "The smallest n from which the loss of ReLU falls faster than that of ReGLU, in expectation over Gaussian rows",
    ]
    for summary in early_summaries(sizes):
        own = [size for size in sizes if (size.rung, size.initial) == (summary.rung, summary.initial)]
        lines += ["", *_table_lines(summary, own)]
    lines += ["", *_corrected(list(dict.fromkeys(size.rung for size in sizes)))]
    lines += [f"Wrote {path}" for path in (output, plot) if path is not None]
    return "\n".join(lines)


def _table_lines(summary: EarlySummary, sizes: Sequence[EarlySize]) -> Iterator[str]:
    yield f"{ON[summary.rung]}, {OUTPUTS[summary.initial]}"
    dimensions = [d for d, _ in summary.some_rows]
    widths = list(dict.fromkeys(size.m for size in sizes))
    found = {(size.d, size.m): size.rows for size in sizes}
    rows = [["", f"d = {dimensions[0]}", *map(str, dimensions[1:])]]
    for width in widths:
        name = "m to infinity" if width is None else f"m = {width}"
        rows.append([name, *(_or(found[d, width], "never") for d in dimensions)])
    rows.append(["some n is enough from m", *(_or(m, "none") for _, m in summary.some_rows)])
    rows.append([f"n = {ROWS} is enough from m", *(_or(m, "none") for _, m in summary.published_rows)])
    yield from aligned(rows, names=1)
    if summary.claimed:
        yield f"  published for d >= {DIMENSION}, n >= {ROWS}: right at {summary.holds} of these {summary.claimed} d and m"
    if summary.counterexample is not None:
        size = summary.counterexample
        what = "no n is enough" if size.rows is None else f"n = {size.rows} is the first that is enough"
        yield f"  smallest counterexample  d = {size.d}, m = {_or(size.m, 'infinity')}: {what}"
    yield f"  not published, though true of some n: {summary.unclaimed} of {len(sizes)} sizes"


def _or(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else str(value)


def _corrected(rungs: Sequence[str]) -> Iterator[str]:
    """What holds in place of the published number of rows, in the limits that are simple."""
    yield "What holds: at d >= 4 some n is enough, from some m on, at d <= 3 none; how many depends on d and m, as"
    yield "`derivations.dynamics.early_stage` has it exactly for simplified matrices. In the limit of large d:"
    for initial in INITIAL:
        yield f"  {OUTPUTS[initial]}"
        limits = [_limits(rung, initial) for rung in rungs]
        for same in zip(*limits, strict=True):
            if len(set(same)) == 1:
                yield f"    {same[0]}"
            else:
                yield from (f"    {line} ({ON[rung]})" for rung, line in zip(rungs, same, strict=True))


def _limits(rung: str, initial: Initial) -> tuple[str, ...]:
    stage = early_stage(initial) if rung == "simplified" else truncated_stage(initial)
    return (
        f"at m = t d     n >= {expression(stage.proportional)}",
        f"at n = {ROWS}     m >= {float(stage.smallest_ratio(ROWS)):.3g} d",
        f"at constant m  n/d >= {expression(stage.narrow)}",
    )
