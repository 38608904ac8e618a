"""What `gluntk spectrum` found, as JSON and as text that says what its columns mean and when not to trust them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np

from derivations.spectrum.law import LARGEST_FLUCTUATION, LARGEST_PAIR
from verify.activations import Array
from verify.commands.data import DataRequest
from verify.commands.values import SCHEMA, number, readable
from verify.neighbourhoods import SIZE
from verify.published import HYPOTHESES, SOURCE
from verify.spectrum import Estimates, NetworkSpectrum

QUANTITIES = {
    "lambda_max": "lambda_max",
    "lambda_min": "lambda_min",
    "condition_number": "condition number",
}
COLUMNS = ("published", "sharp", "exact")
DIFFERENT = 0.1
"""Relative difference of published and exact values that is told."""
_WIDTH, _DIGITS = 110, 5


@dataclass(frozen=True)
class Report:
    """What the command found.

    Attributes
    ----------
    spectra : dict of str to NetworkSpectrum
    request : DataRequest
    n, d : int
    width : int or None
    parametrization : str
    X : (n, d) float or None
        The rows of the exact values: the input, or the sample that was drawn.
    """

    spectra: dict[str, NetworkSpectrum]
    request: DataRequest
    n: int
    d: int
    width: int | None
    parametrization: str
    X: Array | None


def as_json(report: Report) -> str:
    """One JSON object with the public keys."""
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "n": report.n,
        "d": report.d,
        "width": report.width,
        "parametrization": report.parametrization,
        "data": report.request.source or report.request.distribution,
        "prepare": report.request.prepare,
        "seed": report.request.seed,
        "networks": {
            name: {
                quantity: {key: _numbers(value) for key, value in asdict(getattr(found, quantity)).items()}
                for quantity in ("lambda_max", "lambda_min", "condition_number")
            }
            for name, found in report.spectra.items()
        },
        "reliability": {name: _reliability(found) for name, found in report.spectra.items()},
    }
    return json.dumps(content, indent=2)


def _reliability(found: NetworkSpectrum) -> dict[str, object]:
    names = ("nearest_pair", "fluctuation", "reliable", "outlier")
    return {name: getattr(found.law, name, None) for name in names} | {
        "refusal": found.refusal,
        "lambda_min_at_most": _numbers(found.lambda_min_at_most),
    }


def _numbers(value: float | tuple[float, float] | None) -> object:
    if isinstance(value, tuple):
        return [number(side) for side in value]
    return None if value is None else number(value)


def as_text(report: Report, plot: str | None) -> str:
    """A table, what its columns are, and what to beware of."""
    width = "" if report.width is None else f", width {report.width}"
    lines = [
        f"Extreme eigenvalues of infinite-width kernels (NTK), {report.parametrization} parametrization{width}",
        f"  data  {_data(report)}: n = {report.n}, d = {report.d}",
        "",
        *_table(report),
        "",
    ]
    for remark in _remarks(report):
        lines += textwrap.wrap(remark, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if plot is not None:
        lines.append(f"  figure written to {plot}")
    return "\n".join(lines)


def _data(report: Report) -> str:
    request = report.request
    if request.source is None:
        return f"{request.distribution} rows"
    return f"{request.source} ({request.prepare})"


def _table(report: Report) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("", "", *COLUMNS)]
    for name, found in report.spectra.items():
        for index, (quantity, title) in enumerate(QUANTITIES.items()):
            cells = (_cell(getattr(getattr(found, quantity), column)) for column in COLUMNS)
            rows.append((name if index == 0 else "", title, *cells))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        # Names to the left, numbers to the right.
        cells = (f"{cell:{'<' if i < 2 else '>'}{widths[i]}}" for i, cell in enumerate(row))
        yield "  " + "  ".join(cells).rstrip()


def _cell(value: float | tuple[float, float] | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        low, high = value
        return _cell(low) if low == high else f"{_cell(low)} to {_cell(high)}"
    return readable(value, _DIGITS)


def _remarks(report: Report) -> Iterator[str]:
    yield from _legend(report)
    for name, found in report.spectra.items():
        given = _of_given(found) if report.request.source is not None else ()
        for remark in (*_trust(found), *_differences(found), *given):
            yield f"{name}: {remark}"
    if report.request.source is not None and report.X is not None:
        yield from _of_input(report.X)


def _legend(report: Report) -> Iterator[str]:
    spectra = report.spectra.values()
    stated = [name for found in spectra if found.published for name in found.published.statements]
    if stated:
        yield f"published: {', '.join(stated)} of {SOURCE}; they are about {HYPOTHESES}; ReLU"
    if any(found.law for found in spectra):
        given = " (here: of these lengths)" if report.request.source is not None else ""
        yield (
            f"sharp: the law of many random rows{given} with uniform independent directions, at infinite width: "
            "typical values"
        )
    if any(found.eigenvalues is not None for found in spectra):
        of = "these data" if report.request.source is not None else f"a sample (seed {report.request.seed})"
        yield f"exact: eigenvalues of the kernel matrix of {of}"


def _trust(found: NetworkSpectrum) -> Iterator[str]:
    """When not to believe the law."""
    law = found.law
    if law is None:
        yield f"the law does not cover this: {found.refusal}"
        return
    if law.nearest_pair > LARGEST_PAIR:
        yield (
            f"do not rely on the sharp lambda_min: the nearest two rows decide it, not all of them (kappa = "
            f"{law.nearest_pair:.2f}, above {LARGEST_PAIR}); the true one tends to be smaller"
        )
    if law.fluctuation > LARGEST_FLUCTUATION:
        yield (
            f"do not rely on the sharp lambda_min: it varies by {law.fluctuation:.0%} from draw to draw, more than "
            f"{LARGEST_FLUCTUATION:.0%}"
        )
    if law.reliable and law.n > 1:
        yield f"the law is reliable here if directions are uniform (kappa = {law.nearest_pair:.2f})"


def _differences(found: NetworkSpectrum) -> Iterator[str]:
    """Where the published values are wrong, and singular kernels."""
    for quantity, title in QUANTITIES.items():
        estimates: Estimates = getattr(found, quantity)
        value, of = (estimates.exact, "exact") if estimates.exact is not None else (estimates.sharp, "sharp")
        if value is None or estimates.published is None or (of == "sharp" and not _is_trusted(found)):
            continue
        low, high = estimates.published
        wrong = low if low > (1 + DIFFERENT) * value else high if high < (1 - DIFFERENT) * value else None
        if wrong is not None:
            bound = "" if low == high else " lower bound of" if wrong == low else " upper bound of"
            yield f"the published{bound} {title}, {_cell(wrong)}, is {_ratio(wrong, value)} the {of} one, {_cell(value)}"
    if found.condition_number.exact == np.inf:
        yield "the kernel is singular to rounding: its smallest eigenvalue is 0, its condition number infinite"
    elif found.eigenvalues is None and found.condition_number.sharp == np.inf:
        yield "the kernel is singular: its harmonics span fewer dimensions than there are rows"


def _of_given(found: NetworkSpectrum) -> Iterator[str]:
    """How far the law is from data whose directions are not uniform."""
    for quantity, title in QUANTITIES.items():
        estimates: Estimates = getattr(found, quantity)
        sharp, exact = estimates.sharp, estimates.exact
        if sharp is not None and exact and exact < np.inf and abs(sharp / exact - 1) > DIFFERENT:
            yield f"the sharp {title} is {_ratio(sharp, exact)} the exact one: directions are not uniform"
    if found.lambda_min_at_most is not None:
        yield f"lambda_min is at most {_cell(found.lambda_min_at_most)}: {SIZE} neighbouring rows alone have that"


def _is_trusted(found: NetworkSpectrum) -> bool:
    return found.law is not None and found.law.reliable


def _ratio(one: float, other: float) -> str:
    if other in (0, np.inf):
        return "far from"
    return f"{one / other:.3g} times"


def _of_input(X: Array) -> Iterator[str]:
    yield "The law takes directions as uniform; those of real data are not, and exact values may be far from it."
    zero = int(np.count_nonzero(~X.any(axis=1)))
    if zero:
        yield f"{zero} of {len(X)} rows are zero."
    equal = len(X) - len(np.unique(X, axis=0))
    if equal:
        yield (
            f"{equal} of {len(X)} rows repeat another one exactly: lambda_min is 0 and the condition number infinite, "
            "whatever a law says."
        )
