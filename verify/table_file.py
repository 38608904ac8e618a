"""A data matrix from a text table, .csv or .tsv: numbers in rows of equal length under an optional header."""

import csv
import math
from array import array
from collections.abc import Iterator
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from derivations.arguments import shown
from derivations.errors import InputError

# A first line of only numbers and these is a sample with a gap. As a header it would be dropped in silence.
_MISSING = frozenset(("na", "n/a", "#n/a", "null", "none", "?", "-"))


def read_table(path: str, delimiter: str, name: str) -> NDArray[np.float64]:
    """Return the numbers in a text table.

    A first line without any number is a header and is skipped; one of numbers only is data; one of both is
    refused, since a sample with a slip in it would be dropped in silence. Cells may be quoted, the file may
    begin with a byte order mark and end with blank lines.

    Parameters
    ----------
    path : str
        A regular file of UTF-8 text.
    delimiter : str
        What separates cells: a comma or a tab.
    name : str
        What error lines call the file. Lines and columns in them count from 1, as editors do.

    Returns
    -------
    (n, d) float64
        Finite numbers.

    Raises
    ------
    InputError
        When the file has no rows, a first line of numbers and words, a row of another length than the first, a
        blank line before the last row, or a cell that is not a finite decimal number.
    OSError
        When the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     print('height,"width"', "1.5,2", sep=chr(10), file=file, flush=True)
    ...     read_table(file.name, ",", "input 'a.csv'")
    array([[1.5, 2. ]])
    """
    values = array("d")
    width = first = 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            for line, cells in _rows(stream, delimiter, name):
                if not width:
                    width, first = len(cells), line
                    if _is_header(cells, line, name):
                        continue
                if len(cells) != width:
                    raise InputError(
                        f"{name} line {line} has {len(cells)} cells, expected {width} as in line {first}"
                    )
                values.extend(
                    _number(cell, line, j, delimiter, name) for j, cell in enumerate(cells, start=1)
                )
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{name} must be UTF-8 text, got the byte 0x{byte:02x}; save it as UTF-8") from error
    if not values:
        content = "only a header line" if width else "an empty file"
        raise InputError(f"{name} must have at least one row of numbers, got {content}")
    return np.frombuffer(values, dtype=np.float64).reshape(-1, width)


def _rows(stream: TextIO, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    blank = 0
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{name} line {line} must be a row of cells, got malformed text: {error}"
            ) from error
        if not "".join(cells).strip() and len(cells) <= 1:
            blank = blank or line
        elif blank:
            raise InputError(
                f"{name} line {blank} is blank, expected a row; blank lines may only end the file"
            )
        else:
            yield line, cells
        # A quoted cell may span lines: the next row starts where the reader stopped.
        line = reader.line_num + 1


def _as_float(cell: str) -> float | None:
    # float() also reads 1_000 and digits of every script, which in a table are more likely damage.
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _is_header(cells: list[str], line: int, name: str) -> bool:
    words = [cell for cell in cells if _as_float(cell) is None]
    for j, cell in enumerate(cells, start=1):
        if not cell.strip():
            # Also the mark of a table written with its row numbers, which would pass for a feature.
            raise InputError(
                f"{name} line {line}, column {j} is empty, expected a number or a column name "
                "(row names are not data: leave them out)"
            )
    names = [word for word in words if word.strip().lower() not in _MISSING]
    if names and len(words) < len(cells):
        raise InputError(
            f"{name} line {line}, column {cells.index(names[0]) + 1} is {shown(names[0])} beside numbers, expected "
            "numbers only (data) or names only (a header)"
        )
    return bool(names)


def _number(cell: str, line: int, column: int, delimiter: str, name: str) -> float:
    value = _as_float(cell)
    if value is not None and math.isfinite(value):
        return value
    place = f"{name} line {line}, column {column}"
    if not cell.strip():
        raise InputError(f"{place} is empty, expected a number")
    if value is not None:
        raise InputError(
            f"{place} is {shown(cell)}, which is not finite in float64, expected a finite number"
        )
    separator = "tabs" if delimiter == "\t" else "commas"
    raise InputError(
        f"{place} is {shown(cell)}, expected a number with a decimal point; {separator} separate the cells"
    )
