"""A7, A8, A10, A11: formulas for extreme eigenvalues, on every rung."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from derivations.sources import STATEMENTS, Statement
from verify.claim import RUNGS, Claim, Evidence, Rung, Setting, Verdict
from verify.claims.spectrum.asymptotics import (
    Finding,
    by_law,
    describe,
    finding,
    refuted_ratios,
    within,
    worst_measured,
)
from verify.claims.spectrum.cells import SpectrumCell
from verify.claims.spectrum.composition import Composition, composed, contradiction
from verify.claims.spectrum.ladders import CELLS, FURTHER_CELLS
from verify.claims.spectrum.quantities import LOWER, RATIO, UPPER, Quantity, compiled, mean_of
from verify.claims.spectrum.trend import together

QUANTITIES = {
    "A7": (Quantity("lambda_1", RATIO, "relu", "largest"),),
    "A8": (Quantity("lower", LOWER, "reglu", "largest"), Quantity("upper", UPPER, "reglu", "largest")),
    "A10": (Quantity("lambda_n", RATIO, "relu", "smallest"),),
    "A11": (Quantity("lambda_n", RATIO, "reglu", "smallest"),),
    "A13": (Quantity("difference", RATIO, "difference", "smallest"),),
}
"""What the formulas speak of."""

PRACTICAL = SpectrumCell(2000, 100, 1000, 4, ("exact",))
"""A size of the kind the source has in mind, at which the law is always evaluated."""

_LARGEST_PLAIN = (
    "at every m the slope in n is (m + 1) (d/(4 pi)) (Gamma(d/2)/Gamma((d + 1)/2))^2 of the infinite-width kernel, "
    "(m + 1)/(2 pi) for large d: the stated m n/(2 pi) is half of it at m = 1"
)
_NORM_OF_GRAM = (
    "instead: lambda_1(X X^T) is (sqrt n + sqrt d)^2, not n + d, so that the upper bound lacks 2 sqrt(n d) times "
    "(m + d)/(2 pi d)"
)
_EDGES = (
    "rows of unequal lengths and the higher degrees of the kernel, which the statement leaves out, cost "
    "sqrt(log(n)/d) and sqrt(n)/d: the sharp law has both"
)
_NETWORKS = (
    "instead: by Jensen's inequality E lambda_n lies below the infinite-width kernel's, and at fixed n/m by a factor "
    "that does not tend to 1"
)
REMARKS = {
    ("A7", "exact"): _LARGEST_PLAIN,
    ("A7", "finite"): _LARGEST_PLAIN,
    ("A8", "simplified"): _NORM_OF_GRAM,
    ("A8", "exact"): _NORM_OF_GRAM,
    ("A8", "finite"): f"{_NORM_OF_GRAM}; by Jensen's inequality E lambda_1 of networks is larger still",
    ("A10", "simplified"): "rows of unequal lengths cost sqrt(log(n)/d)",
    ("A10", "exact"): _EDGES,
    ("A10", "finite"): _NETWORKS,
    ("A11", "simplified"): "rows of unequal lengths cost sqrt(log(n)/d)",
    ("A11", "exact"): _EDGES,
    ("A11", "finite"): _NETWORKS,
}
"""What holds instead, or how the statement comes true."""


def judge(rung: str, compose: Callable[[], Composition], statement: Statement, setting: Setting) -> Evidence:
    """All formulas of the statement along all ladders; on the simplified rung also term by term."""
    if rung == "simplified":
        difference = contradiction(statement, compose())
        if difference:
            return Evidence(
                Verdict.REFUTED,
                f"not the sum of its terms in the simplified matrix: {difference}",
                by_terms=True,
            )
    findings = findings_of(statement, rung, setting)
    samples = sum(
        len(setting.measured[cell].smallest(rung, "relu"))
        for cell in CELLS + FURTHER_CELLS
        if cell in setting.measured
    )
    parts = [sentence(found, rung) for found in findings]
    if rung == "exact" and statement.id != "A13":
        parts.insert(0, _practical(statement, setting))
    parts += [REMARKS[statement.id, rung]] if (statement.id, rung) in REMARKS else []
    return Evidence(together(*(found.verdict for found in findings)), "; ".join(parts), samples)


def findings_of(statement: Statement, rung: str, setting: Setting) -> list[Finding]:
    """Of every formula."""
    return [
        finding(quantity, compiled(statement.formula(quantity.formula)), rung, setting, statement.id == "A13")
        for quantity in QUANTITIES[statement.id]
    ]


def sentence(found: Finding, rung: str) -> str:
    """What the ladders say of one formula."""
    name, worst = found.quantity.formula, worst_measured(found)
    if found.disagreement:
        return f"{name}: {found.disagreement}"
    if found.verdict == Verdict.REFUTED:
        grounds = (
            "the sharp law" if rung != "finite" else "networks, against the exact kernel of the same data,"
        )
        if rung == "finite" and found.quantity.relation == UPPER:
            grounds = "the sharp law of the exact kernel"
        return (
            f"{name}: smallest counterexample {found.counterexample}; by {grounds} stated / true does not tend "
            f"to 1 at {refuted_ratios(found)}"
        )
    text = f"{name}: {describe(found)}"
    if rung != "finite":
        size = within(found, 0.1)
        text = f"{name}: by the sharp law, {describe(found)}" + (f"; {size}" if size else "")
    open_ = [ratios for ratios, trend in found.trends.items() if trend.verdict == Verdict.INCONCLUSIVE]
    text += f"; undecided at {len(open_)} pairs of ratios" if open_ else ""
    return text + (f"; measured, farthest off: {worst}" if worst else "")


def _practical(statement: Statement, setting: Setting) -> str:
    """The statement at a size as in practice."""
    at = PRACTICAL.n, PRACTICAL.d, PRACTICAL.width
    parts = []
    for quantity in QUANTITIES[statement.id]:
        stated = compiled(statement.formula(quantity.formula))
        point = by_law(quantity, stated, "exact", at)
        text = f"{quantity.formula} stated {point.stated:.4g}, by the law {point.true:.4g}"
        if PRACTICAL in setting.measured:
            mean = mean_of(quantity.measured("exact", setting.measured[PRACTICAL]))
            text += f", measured {mean.mean:.4g} +- {mean.error:.1g}"
        parts.append(f"{text}, ratio {point.stated / point.true:.2f}")
    return f"at n = {at[0]}, d = {at[1]}, m = {at[2]}: " + ", ".join(parts)


_EXPECTED = {
    "A7": (Verdict.CONFIRMED, Verdict.CONFIRMED, Verdict.CONFIRMED),
    "A8": (Verdict.REFUTED, Verdict.REFUTED, Verdict.REFUTED),
    "A10": (Verdict.CONFIRMED, Verdict.CONFIRMED, Verdict.REFUTED),
    "A11": (Verdict.CONFIRMED, Verdict.CONFIRMED, Verdict.REFUTED),
}


def _rung(id: str, name: str, expected: Verdict) -> Rung:
    further = (*FURTHER_CELLS, PRACTICAL) if name == "exact" else FURTHER_CELLS
    return Rung(name, expected, partial(judge, name, composed), CELLS, further)


CLAIMS = tuple(
    Claim(
        STATEMENTS[id],
        tuple(_rung(id, name, expected) for name, expected in zip(RUNGS, verdicts, strict=True)),
    )
    for id, verdicts in _EXPECTED.items()
)
