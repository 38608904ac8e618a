"""`gluntk regimes`: where a published statement holds over n and d, in words, as data and as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from derivations.arguments import check_choice
from derivations.errors import InputError
from verify.claims import CLAIMS
from verify.claims.corrections import correction
from verify.commands.early_regimes import early_regimes
from verify.commands.map_request import MapRequest, empty_figure, statement_lines, table, whole_numbers
from verify.commands.progress import progress
from verify.commands.values import SCHEMA, number, readable
from verify.output import write_figure, write_text
from verify.regimes import early
from verify.regimes.formulas import IDS, ORDER, ORDERING, SHARE, formulas_of
from verify.regimes.maps import Regime, regime_map
from verify.regimes.plots import draw_regimes, heading
from verify.regimes.summary import Summary, summaries

DIMENSIONS = (2, 3, 5, 10, 20, 50, 100, 200, 500)
SAMPLES = (3, 5, 10, 20, 50, 100, 200, 400)
"""By default; `MORE_SAMPLES` where no networks are drawn."""
MORE_SAMPLES = (1000, 2000, 5000, 10_000)
WIDTH, NARROW = 1000, 10
"""By default; A9 is a matter of m/d, its orders are those of the largest eigenvalue where m is well above d."""


MAPPED = tuple(sorted((*IDS, early.CLAIM), key=lambda id: int(id[1:])))
"""Claims that have a map."""


def regimes(
    request: MapRequest, plot: str | None, output: str | None, force: bool, format: str, quiet: bool
) -> str:
    """The report of a map; its data go to `output`, its picture to `plot`."""
    if request.claim in CLAIMS and request.claim not in MAPPED:
        raise InputError(f"{request.claim} has no map; `gluntk show {request.claim}` has its evidence")
    check_choice(request.claim, "claim", MAPPED)
    if request.seed < 0:
        raise InputError(f"seed must be a whole number, 0 or larger, got {request.seed}")
    if request.claim == early.CLAIM:
        return early_regimes(request, plot, output, force, format)
    rung, data = request.rung or "exact", request.data or "gaussian"
    more = () if rung == "finite" else MORE_SAMPLES
    samples = whole_numbers(request.samples, "n") or (*SAMPLES, *more)
    dimensions = whole_numbers(request.dimensions, "d") or DIMENSIONS
    figure = empty_figure(plot, output, force, len(formulas_of(request.claim)))
    with progress(quiet, "sizes") as bar:
        found = regime_map(
            request.claim,
            samples,
            dimensions,
            width=_width(request),
            width_per_dimension=request.width_per_dimension,
            rung=rung,
            data=data,
            tolerance=request.tolerance,
            rng=request.seed,
            progress=bar,
        )
    if not found:
        raise InputError(f"n must be larger than d somewhere: of other sizes {request.claim} says nothing")
    if output is not None:
        write_text(output, as_csv(found), force)
    if plot is not None and figure is not None:
        draw_regimes(*figure, found)
        write_figure(plot, figure[0], force)
    return as_json(found, request.seed) if format == "json" else as_text(found, request.seed, plot, output)


def _width(request: MapRequest) -> int | None:
    widths = whole_numbers(request.widths, "width")
    if len(widths) > 1:
        raise InputError(f"width must be one number for {request.claim}, got {request.widths}")
    if widths:
        return widths[0]
    if request.width_per_dimension is not None:
        return None
    return NARROW if request.claim == "A9" else WIDTH


def as_csv(regimes: Sequence[Regime]) -> str:
    """A table with a row for every size and formula; `holds` is true, false or empty where it is not known."""
    return table([asdict(regime) for regime in regimes])


def as_json(regimes: Sequence[Regime], seed: int) -> str:
    """The public JSON object."""
    first = regimes[0]
    statement = CLAIMS[first.claim].statement
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "claim": first.claim,
        "title": statement.title,
        "source": statement.source,
        "rung": first.rung,
        "data": first.data,
        "seed": seed,
        "formulas": [_summary_json(summary, regimes) for summary in summaries(regimes)],
        "correction": correction(first.claim, first.rung),
        "rows": [_row_json(regime) for regime in regimes],
    }
    return json.dumps(content, indent=2)


def _summary_json(summary: Summary, regimes: Sequence[Regime]) -> dict[str, Any]:
    some = next(regime for regime in regimes if regime.formula == summary.formula)
    return {
        "formula": summary.formula,
        "relation": some.relation,
        "tolerance": some.tolerance,
        "sizes": summary.sizes,
        "holds": summary.holds,
        "fails": summary.fails,
        "undecided": summary.undecided,
        "unknown": summary.unknown,
        "share": number(summary.share),
        "counterexample": _row_json(summary.counterexample),
        "farthest": _row_json(summary.farthest),
        "regions": [
            {"d": d, "ranges": [{"verdict": word, "n": list(ends)} for word, ends in ranges]}
            for d, ranges in summary.regions
        ],
    }


def _row_json(regime: Regime | None) -> dict[str, Any] | None:
    if regime is None:
        return None
    return {
        key: number(value) if isinstance(value, float) else value for key, value in asdict(regime).items()
    }


def as_text(regimes: Sequence[Regime], seed: int, plot: str | None, output: str | None) -> str:
    """The report for people."""
    id = regimes[0].claim
    lines = [*statement_lines(CLAIMS[id].statement), "", f"{heading(regimes)}, seed {seed}"]
    if regimes[0].relation == SHARE:
        lines += [
            "It is stated of every data set: mapped is the share of data sets where it is so, and not a mean over them"
        ]
    for summary in summaries(regimes):
        lines += ["", *_summary_lines(summary, regimes)]
    said = correction(id, regimes[0].rung)
    lines += ["", f"What holds: {said.removeprefix('instead: ')}"] if said else []
    lines += [f"Wrote {path}" for path in (output, plot) if path is not None]
    return "\n".join(lines)


def _summary_lines(summary: Summary, regimes: Sequence[Regime]) -> list[str]:
    formula = next(f for f in formulas_of(regimes[0].claim) if f.name == summary.formula)
    some = next(regime for regime in regimes if regime.formula == summary.formula)
    meaning = {
        ORDERING: "on average over the data",
        ORDER: f"within a factor of {1 + some.tolerance:g}",
        SHARE: f"in {1 - some.tolerance:.0%} of all data sets or more",
    }.get(formula.relation, f"to {some.tolerance:.0%}")
    lines = [
        f"{summary.formula}: {formula.shown}, {meaning}",
        f"  of {summary.sizes} sizes: holds at {summary.holds}, fails at {summary.fails}, undecided at {summary.undecided}, "
        f"not known at {summary.unknown}",
    ]
    if summary.counterexample:
        lines.append(f"  smallest counterexample  {_size(summary.counterexample)}")
    # A share of 0 is not off by a factor.
    if some.relation != SHARE and summary.farthest and summary.farthest != summary.counterexample:
        lines.append(f"  farthest off             {_size(summary.farthest)}")
    width = len(str(summary.regions[-1][0]))
    for d, ranges in summary.regions:
        said = "; ".join(f"{word} at n = {_range(*ends)}" for word, ends in ranges)
        lines.append(f"  d = {d:<{width}}  {said}")
    return lines


def _size(regime: Regime) -> str:
    error = f" +- {regime.error:.2g}" if regime.error else ""
    sizes = f"n = {regime.n}, d = {regime.d}, m = {regime.m}"
    if regime.relation == SHARE:
        of = f"of {regime.draws} data sets" if regime.draws else "of data sets"
        return (
            f"{sizes}: {regime.true:.0%} {of}, surely {regime.low:.1%} to {regime.high:.1%} ({regime.source})"
        )
    what = "" if regime.relation == ORDERING else f"stated {readable(regime.stated, 4)}, true "
    return f"{sizes}: {what}{readable(regime.true, 4)}{error} ({regime.source})"


def _range(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first} to {last}"
