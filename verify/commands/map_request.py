"""What `gluntk regimes` is asked for, and what the maps of all claims share: files, tables, the statement in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from derivations.errors import InputError
from derivations.printing.text import text as expression
from verify.claim import Statement
from verify.commands.kernels import check_outputs
from verify.output import FIGURES, check_output
from verify.plots import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class MapRequest:
    """What is to be mapped; None for a default."""

    claim: str
    samples: str | None
    dimensions: str | None
    widths: str | None
    width_per_dimension: float | None
    rung: str | None
    data: str | None
    tolerance: float | None
    seed: int


def empty_figure(
    plot: str | None, output: str | None, force: bool, panels: int, columns: int | None = None
) -> tuple[Figure, tuple[Axes, ...]] | None:
    """The empty figure, and a word about files that cannot be written, before anything is computed."""
    check_outputs({"plot": plot, "output": output}, force, None, "")
    if output is not None:
        check_output(output, force, ".csv")
    if plot is None:
        return None
    check_output(plot, force, FIGURES, "plot")
    return new_figure(panels, columns)


def whole_numbers(text: str | None, name: str) -> tuple[int, ...]:
    """Whole numbers with commas between them.

    Examples
    --------
    >>> whole_numbers("3,10", "n"), whole_numbers(None, "n")
    ((3, 10), ())
    """
    if text is None:
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{name} must be whole numbers such as 10,20,50, got {text[:60]!r}") from None


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table with commas; true and false in small letters, empty for what is not known.

    Examples
    --------
    >>> print(table([{"n": 3, "holds": True}, {"n": 4, "holds": None}]), end="")
    n,holds
    3,true
    4,
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {key: str(value).lower() if isinstance(value, bool) else value for key, value in row.items()}
        )
    return stream.getvalue()


def statement_lines(statement: Statement) -> Iterator[str]:
    """What is claimed, for people."""
    yield f"{statement.id}  {statement.title}"
    yield f"  source      {statement.source}"
    yield f"  hypotheses  {statement.hypotheses}"
    for name, formula in statement.formulas:
        yield f"  {name} = {expression(formula)}"
