"""Tables of text: names to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], names: int, indent: str = "  ") -> Iterator[str]:
    """Lines of a table whose first columns are names.

    Examples
    --------
    >>> list(aligned([["", "t = 1"], ["relu", "0.5"]], names=1))
    ['        t = 1', '  relu    0.5']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{'<' if i < names else '>'}{widths[i]}}" for i, cell in enumerate(row))
        yield indent + "  ".join(cells).rstrip()
