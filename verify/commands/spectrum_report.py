"""What `gluntk spectrum` found, as JSON and as text that says what its columns mean and when not to trust them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np

from derivations.spectrum.finite_width.law import CROWDED, NARROWEST
from derivations.spectrum.law import LARGEST_FLUCTUATION, LARGEST_PAIR
from verify.activations import Array
from verify.commands.data import DataRequest
from verify.commands.values import SCHEMA, interval, number, readable
from verify.published import HYPOTHESES, SOURCE
from verify.spectrum import MOST_GIVEN, UNLIKELY, Estimates, NetworkSpectrum

QUANTITIES = {
    "lambda_max": "lambda_max",
    "lambda_min": "lambda_min",
    "condition_number": "condition number",
}
COLUMNS = ("published", "bounds", "sharp", "exact", "finite")
BOUNDS = {
    "none": "without an eigenproblem",
    "shared": "from one eigenproblem of the data",
    "family": "from two eigenproblems, for all widths",
    "dense": "from the kernel's own eigenproblem",
}
"""What bounds of a mode are made from."""
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
        "lambda_min_at_most": None if found.bounds is None else _numbers(found.bounds.lambda_min[1]),
        "bounds_mode": None if found.bounds is None else found.bounds.mode,
        "singular": None if found.bounds is None else found.bounds.singular,
        "data_free": _numbers(found.data_free),
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
            estimates = getattr(found, quantity)
            cells = (
                interval(estimates.bounds, _DIGITS)
                if column == "bounds"
                else _cell(getattr(estimates, column))
                for column in COLUMNS
            )
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
    given = report.request.source is not None
    yield from _legend(report)
    for name, found in report.spectra.items():
        for remark in (*_trust(found, given), *_differences(found, given), *_smallest(found)):
            yield f"{name}: {remark}"
    if given and report.X is not None:
        yield from _of_input(report.X)


def _legend(report: Report) -> Iterator[str]:
    spectra = report.spectra.values()
    stated = [name for found in spectra if found.published for name in found.published.statements]
    if stated:
        yield f"published: {', '.join(stated)} of {SOURCE}; they are about {HYPOTHESES}; ReLU"
    if any(found.law for found in spectra):
        if report.request.source is None:
            yield "sharp: the law of many such rows, at infinite width: typical values"
        else:
            yield (
                "sharp: the law of many rows of these lengths, at infinite width, with uniform independent directions; "
                "those of real data are not, and it may be far off"
            )
    modes = sorted({found.bounds.mode for found in spectra if found.bounds})
    if modes:
        yield f"bounds: proved for these data, roundings included ({BOUNDS[modes[0]]})"
    if any(found.eigenvalues is not None for found in spectra):
        of = "these data" if report.request.source is not None else f"a sample (seed {report.request.seed})"
        yield f"exact: eigenvalues of the kernel matrix of {of}"
    if any(found.finite for found in spectra):
        of = "random network"
        if report.request.source is not None:
            of += " on these rows" if report.n <= MOST_GIVEN else f" on {_known(spectra)}"
        yield (
            f"finite: the law of one {of}, of width {report.width}, not of the infinite-width kernel: means over networks, "
            "whose scale varies by sqrt(2/m) from one to the next"
        )


def _known(spectra: Iterable[NetworkSpectrum]) -> str:
    """What the law of one network knows of many given rows."""
    if any(found.eigenvalues is None for found in spectra):
        return "rows of these lengths"
    return "these rows, the exact values times the law's ratio of one network to infinite width for these lengths"


def _trust(found: NetworkSpectrum, given: bool) -> Iterator[str]:
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
            f"the sharp lambda_min is typical only: from draw to draw it varies by {100 * law.fluctuation:.2g} % (one "
            f"standard deviation{', with the lengths given' if law.data == 'given' else ''})"
        )
    finite = found.finite
    if (
        finite is not None
        and not finite.reliable
        and (finite.width < NARROWEST or finite.n > CROWDED * finite.rank)
    ):
        yield (
            f"do not rely on the finite column: the law of one network was measured from width {NARROWEST} on, and for n "
            f"up to {CROWDED:.0%} of its kernel's rank, at most {finite.rank:.0f} here"
        )
    if law.reliable and law.n > 1:
        condition = " where directions are uniform" if given else ""
        yield (
            f"the law is reliable here{condition} (kappa = {law.nearest_pair:.2f}; lambda_min varies by "
            f"{100 * law.fluctuation:.2g} % from draw to draw)"
        )


def _differences(found: NetworkSpectrum, given: bool) -> Iterator[str]:
    """Where published values are wrong, and the law on data whose directions are not uniform."""
    exact = "exact" if found.eigenvalues is not None else "sharp"
    if exact == "exact" or (found.law is not None and found.law.nearest_pair <= LARGEST_PAIR and not given):
        wrong = _wrong(found, "published", exact)
        if wrong:
            yield f"published values differ from the {exact} ones: {wrong}"
    wrong = _wrong(found, "sharp", exact)
    if given and wrong:
        yield f"sharp values differ from the exact ones, since directions are not uniform: {wrong}"


def _wrong(found: NetworkSpectrum, column: str, exact: str) -> str:
    """What of a column is off by more than 10 per cent, and by how much."""
    told = []
    for quantity, title in QUANTITIES.items():
        estimates: Estimates = getattr(found, quantity)
        stated, true = getattr(estimates, column), getattr(estimates, exact)
        if stated is None or true is None:
            continue
        low, high = stated if isinstance(stated, tuple) else (stated, stated)
        bound = "" if low == high else ", lower bound," if low > true else ", upper bound,"
        if low > (1 + DIFFERENT) * true:
            told.append(f"{title}{bound} too high{_factor(low, true)}")
        elif high < (1 - DIFFERENT) * true:
            told.append(f"{title}{bound} too low{_factor(true, high)}")
    return "; ".join(told)


def _factor(larger: float, smaller: float) -> str:
    """By how much; nothing where one is 0 or infinite."""
    if smaller == 0 or larger == np.inf:
        return ""
    ratio = larger / smaller
    return f" by a factor of {ratio:.3g}" if ratio >= 2 else f" by {ratio - 1:.0%}"


def _smallest(found: NetworkSpectrum) -> Iterator[str]:
    """What is known for sure of the smallest eigenvalue."""
    bounds = found.bounds
    if bounds is not None and bounds.singular is not None:
        yield f"lambda_min is exactly 0 and the condition number infinite: {bounds.singular}"
        return
    if found.data_free and bounds is None:
        yield f"lambda_min is at least {_cell(found.data_free)} for all but {UNLIKELY:.0%} of such rows (proved)"
    if found.condition_number.exact == np.inf:
        yield "the kernel is singular to rounding: its smallest eigenvalue is 0, its condition number infinite"
    elif found.eigenvalues is None and found.condition_number.sharp == np.inf:
        yield "the kernel is singular, or all but that, by the law"
    finite = found.finite
    if finite is not None and finite.lambda_min == 0 and found.condition_number.sharp != np.inf:
        why = (
            f"its rank is at most {finite.rank:.0f}"
            if finite.rank <= finite.n
            else "some rows are equal, or dead in every neuron"
        )
        yield f"the kernel of one network of this width is singular: {why}"


def _of_input(X: Array) -> Iterator[str]:
    zero = int(np.count_nonzero(~X.any(axis=1)))
    if zero:
        yield f"{zero} of {len(X)} rows are zero."
    equal = len(X) - len(np.unique(X, axis=0))
    if equal:
        yield (
            f"{equal} of {len(X)} rows repeat another one exactly: lambda_min is 0 and the condition number infinite, "
            "whatever a law says."
        )
