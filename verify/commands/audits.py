"""`gluntk verify` and `gluntk show`."""

from __future__ import annotations

from collections.abc import Sequence

from derivations.arguments import check_positive_integer
from derivations.printing.text import steps_text, text
from verify.audit import PROFILES, chosen_claims, run_audit
from verify.claims.chains import chains
from verify.commands.progress import progress
from verify.output import check_output, write_text
from verify.report import as_html, as_json, as_text


def verify(
    claims: Sequence[str],
    profile: str,
    seed: int,
    jobs: int,
    format: str,
    report: str | None,
    force: bool,
    quiet: bool,
) -> tuple[str, int]:
    """The audit's report and the exit code."""
    check_positive_integer(jobs, "jobs")
    chosen_claims(claims)
    if report is not None:
        check_output(report, force, suffix=".html", name="report")
    with progress(quiet, "measuring networks") as bar:
        audit = run_audit(claims, profile, seed, jobs, bar)
    if report is not None:
        write_text(report, as_html(audit), force, name="report")
    return (as_json(audit) if format == "json" else as_text(audit)), int(audit.unexpected > 0)


def show(id: str, jobs: int, quiet: bool, steps: bool = False) -> str:
    """A claim's statement and source, the evidence of a quick audit of it alone, and the steps behind it."""
    claim = chosen_claims([id])[0]
    statement = claim.statement
    lines = [
        f"{claim.id}  {statement.title}",
        f"  source      {statement.source}",
        f"  hypotheses  {statement.hypotheses}",
    ]
    if statement.reading:
        lines.append(f"  read as     {statement.reading}")
    lines += [f"  {name} = {text(formula)}" for name, formula in statement.formulas]
    with progress(quiet, "measuring networks") as bar:
        audit = run_audit([id], PROFILES["quick"], 0, jobs, bar)
    report = "\n".join(lines) + "\n\n" + as_text(audit)
    if not steps:
        return report
    behind = chains(id)
    if not behind:
        return report + f"\n\nNo chain of steps leads to {id}: it is judged by numbers."
    return "\n".join(
        [report, *(line for chain in behind for line in ("", chain.statement, *steps_text(chain)))]
    )
