"""What `gluntk compare` found, as JSON and as tables: what each gate buys, and which network is best where."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np

from derivations.learning import Teacher
from verify.commands.comparison_remarks import best_names, cell, remarks
from verify.commands.tables import aligned
from verify.commands.values import SCHEMA, number, readable
from verify.comparison import SHARES, Comparison
from verify.spectrum import Estimates

QUANTITIES = ("lambda_max", "lambda_min", "condition_number")
_WIDTH = 110


@dataclass(frozen=True)
class Report:
    """What the command found; `rows` by activation, fewer gates first."""

    rows: tuple[Comparison, ...]
    n: int
    d: int
    width: int | None
    data: str
    parametrization: str
    teacher: Teacher
    steps: tuple[int, ...]
    seed: int


def as_json(report: Report) -> str:
    """One JSON object with the public keys."""
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "n": report.n,
        "d": report.d,
        "width": report.width,
        "parametrization": report.parametrization,
        "data": report.data,
        "seed": report.seed,
        "teacher": list(report.teacher.energies),
        "noise": report.teacher.noise,
        "steps": list(report.steps),
        "rows": [_row(row, report.steps) for row in report.rows],
        "best": {str(t): best_names(report, i) for i, t in enumerate(report.steps)},
    }
    return json.dumps(content, indent=2)


def _row(row: Comparison, steps: tuple[int, ...]) -> dict[str, object]:
    content: dict[str, object] = {
        "network": row.network.name,
        "activation": row.activation,
        "gates": row.network.gates,
        "coefficients": {"alpha": row.alpha, "beta": row.beta, "gamma": row.gamma},
        "shares": dict(zip(_share_names(), row.shares, strict=True)),
    }
    for quantity in QUANTITIES:
        estimates = asdict(getattr(row.spectrum, quantity))
        content[quantity] = {key: _numbers(value) for key, value in estimates.items()}
    content["test_error"] = row.curve and _by_steps(steps, row.curve.errors)
    content["measured"] = row.measured and {
        "mean": _by_steps(steps, row.measured.mean),
        "standard_error": _by_steps(steps, row.measured.standard_error),
        "draws": row.measured.draws,
    }
    content["refusal"] = row.refusal
    return content


def _by_steps(steps: tuple[int, ...], values: object) -> dict[str, object]:
    return {str(t): number(value) for t, value in zip(steps, values, strict=True)}  # type: ignore[call-overload]


def _numbers(value: object) -> object:
    if isinstance(value, tuple):
        return [number(side) for side in value]
    return None if value is None else number(value)  # type: ignore[arg-type]


def _share_names() -> list[str]:
    return [*map(str, range(SHARES)), f">{SHARES - 1}"]


def as_text(report: Report, plot: str | None) -> str:
    """Tables, what they say, and what their columns are."""
    lines = [
        f"Which network is best: {len(report.rows)} infinite-width kernels (NTK), {about(report)}",
        f"  data     {report.data} rows: n = {report.n}, d = {report.d}",
        f"  teacher  {described(report.teacher)}",
        "",
        *_kernels(report),
        "",
        *_learning(report),
    ]
    for section in (_gains(report), _measured(report)):
        lines += ["", *section] if section else []
    lines.append("")
    for remark in remarks(report):
        lines += textwrap.wrap(remark, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if plot is not None:
        lines.append(f"  figure written to {plot}")
    return "\n".join(lines)


def about(report: Report) -> str:
    """The parametrization and the width."""
    width = "" if report.width is None else f", width {report.width}"
    return f"{report.parametrization} parametrization{width}"


def described(teacher: Teacher) -> str:
    """For people."""
    parts = [f"{energy:g} in degree {k}" for k, energy in enumerate(teacher.energies, start=1) if energy]
    noise = f"noise of variance {teacher.noise:g}" if teacher.noise else "no noise"
    return f"a random polynomial of energy {', '.join(parts)}; {noise}"


def _kernels(report: Report) -> Iterator[str]:
    yield "Kernels: coefficients of the simplified matrix, and how the diagonal is made up of degrees (in %)"
    yield from aligned(
        [
            (
                "network",
                "activation",
                "gates",
                "alpha",
                "beta",
                "gamma",
                *(f"deg {k}" for k in _share_names()),
            ),
            *(
                (
                    row.network.name,
                    row.activation,
                    str(row.network.gates),
                    *(cell(value) for value in (row.alpha, row.beta, row.gamma)),
                    *(_percent(share) for share in row.shares),
                )
                for row in report.rows
            ),
        ],
        names=2,
    )


def _learning(report: Report) -> Iterator[str]:
    yield "Spectrum, and predicted test error after t steps of gradient descent (* best)"
    columns = [key for key in ("sharp", "published", "bounds", "finite") if _any(report, key)]
    best = [best_names(report, i)[:1] for i in range(len(report.steps))]
    header = ["network", "lambda_max", "lambda_min", "condition"]
    header += [f"({key})" for key in columns[1:]] + [f"t = {t}" for t in report.steps]
    rows = [header]
    for row in report.rows:
        cells = [row.network.name, *(cell(getattr(row.spectrum, quantity).sharp) for quantity in QUANTITIES)]
        cells += [cell(getattr(row.spectrum.condition_number, key)) for key in columns[1:]]
        for i in range(len(report.steps)):
            if row.curve is None:
                cells.append("-")
            else:
                cells.append(f"{row.curve.errors[i]:.4f}{'*' if best[i] == [row.network.name] else ' '}")
        rows.append(cells)
    yield from aligned(rows, names=1)


def _any(report: Report, key: str) -> bool:
    return key == "sharp" or any(
        getattr(row.spectrum.condition_number, key) is not None for row in report.rows
    )


def _gains(report: Report) -> list[str]:
    """Of networks with gates over those of the same activation without."""
    rows = [("network", "gates", "condition", *(f"t = {t}" for t in report.steps))]
    for row in report.rows:
        plain = next((r for r in report.rows if r.activation == row.activation and not r.network.gates), None)
        if plain is None or not row.network.gates:
            continue
        errors = ["-"] * len(report.steps)
        if row.curve is not None and plain.curve is not None:
            errors = [f"{a / b:.2f}" for a, b in zip(row.curve.errors, plain.curve.errors, strict=True)]
        rows.append(
            (
                f"{row.network.name} / {plain.network.name}",
                str(row.network.gates),
                _ratio(row.spectrum.condition_number, plain.spectrum.condition_number),
                *errors,
            )
        )
    if len(rows) == 1:
        return []
    return ["What gates buy: over the network without gates (below 1 is better)", *aligned(rows, names=1)]


def _ratio(one: Estimates, other: Estimates) -> str:
    if one.sharp is None or other.sharp is None or not np.isfinite(other.sharp):
        return "-"
    return readable(one.sharp / other.sharp, 3)


def _measured(report: Report) -> list[str]:
    if all(row.measured is None for row in report.rows):
        return []
    draws = next(row.measured.draws for row in report.rows if row.measured)
    rows = [("network", *(f"t = {t}" for t in report.steps))]
    for row in report.rows:
        assert row.measured is not None
        pairs = zip(row.measured.mean, row.measured.standard_error, strict=True)
        rows.append((row.network.name, *(f"{mean:.4f} +- {error:.4f}" for mean, error in pairs)))
    title = (
        f"Test error measured: real gradient descent on {draws} draws of rows and teacher, seed {report.seed}"
    )
    return [title, *aligned(rows, names=1)]


def _percent(share: float) -> str:
    return "0" if share == 0 else readable(100 * share, 3)
