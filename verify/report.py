"""The audit's outcome as text, JSON and a page."""

from __future__ import annotations

import io
import json
from importlib.metadata import version

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verify.audit import PLANTED, Audit
from verify.claim import Verdict

SCHEMA = 1
_STYLES = {
    Verdict.PROVED: "bold green",
    Verdict.CONFIRMED: "green",
    Verdict.REFUTED: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
}


def as_json(audit: Audit) -> str:
    """The public JSON object."""
    claims = [
        {
            "id": claim.id,
            "source": claim.statement.source,
            "rungs": {
                result.rung: {
                    "verdict": str(result.evidence.verdict),
                    "expected": str(result.expected),
                    "detail": result.evidence.detail,
                    "samples": result.evidence.samples,
                    "smallest_detectable": result.evidence.smallest_detectable,
                }
                for result in results
            },
        }
        for claim, results in audit.claims
    ]
    caught = sum(bool(control.refuted_on) for control in audit.controls)
    finite = sum("finite" in control.refuted_on for control in audit.controls)
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "profile": audit.profile.name,
        "seed": audit.seed,
        "false_alarm_rate": audit.profile.alpha,
        "claims": claims,
        "controls": {"planted": len(audit.controls), "caught": caught, "caught_by_networks_alone": finite},
        "unexpected": audit.unexpected,
        "seconds": audit.seconds,
    }
    return json.dumps(content, indent=2)


def as_text(audit: Audit) -> str:
    """Verdict table, then the evidence, for a terminal or a file."""
    return _console(audit, width=110).export_text().rstrip()


def as_html(audit: Audit) -> str:
    """The same as a page."""
    return _console(audit, width=130).export_html()


def _console(audit: Audit, width: int) -> Console:
    console = Console(record=True, file=io.StringIO(), width=width, force_terminal=True)
    table = Table(
        title=f"gluntk audit, profile {audit.profile.name}, seed {audit.seed}", title_justify="left"
    )
    for heading in ("claim", "rung", "verdict", "pinned", "sees errors from", "about"):
        table.add_column(heading)
    for claim, results in audit.claims:
        for index, result in enumerate(results):
            evidence = result.evidence
            mark = "" if result.as_expected else "  <- not as pinned"
            seen = "" if evidence.smallest_detectable is None else f"{evidence.smallest_detectable:.2%}"
            table.add_row(
                claim.id if index == 0 else "",
                result.rung,
                f"[{_STYLES[evidence.verdict]}]{evidence.verdict}[/]{mark}",
                str(result.expected),
                seen,
                escape(claim.statement.title) if index == 0 else "",
                end_section=result is results[-1],
            )
    console.print(table)
    console.print("[bold]Evidence[/]")
    for claim, results in audit.claims:
        console.print(
            f"[bold]{claim.id}[/] {escape(claim.statement.source)}; {escape(claim.statement.hypotheses)}"
        )
        if claim.statement.reading:
            console.print(f"   read as: {escape(claim.statement.reading)}")
        for result in results:
            console.print(f"   {result.rung}: {escape(result.evidence.detail)}", highlight=False)
    for line in _summary(audit):
        console.print(line, highlight=False)
    return console


def _summary(audit: Audit) -> list[str]:
    missed = [control.label for control in audit.controls if not control.refuted_on]
    finite = sum("finite" in control.refuted_on for control in audit.controls)
    controls = (
        f"Controls: {len(audit.controls)} statements with one coefficient off by {float(PLANTED):.1%}, "
        f"{len(audit.controls) - len(missed)} refuted ({finite} by finite networks alone)"
        if audit.controls
        else "Controls: none, for nothing that was judged states a formula"
    )
    lines = [
        "",
        controls,
        *(f"   NOT REFUTED: {escape(label)}" for label in missed),
        f"A true statement is refuted in at most {audit.profile.alpha:.1%} of runs; {audit.seconds:.0f} s",
    ]
    good = "every verdict is as pinned" + (", every planted error was caught" if audit.controls else "")
    lines.append(f"Unexpected: {audit.unexpected}" + (f" ({good})" if audit.unexpected == 0 else ""))
    return lines
