r"""What of A7 to A14 and A17 is mapped: formulas, orders of magnitude with a constant, and orderings.

A7, A8, A10, A11 and A13 state numbers. An order \(\Theta(s(n, d, m))\) has some constant, here the one of the source's
own formulas, and is mapped as \(c\,s\): 1/(2 pi) of A7 and 1/4 of A8 for the orders of A9, 1/4 for those of A12, in
the middle of the 0.09 to 0.5 that A10 spans. It holds at a size within a factor of 4 of that (`TOLERANCES`): a single size
refutes no order, but values beyond that leave all that the source's formulas say. Orderings are mapped as ratios, stated
to be above 1. Late in training (A17) the loss of the kernel with the larger smallest eigenvalue is ahead, at the same step
size and below 1/lambda_1 of both. That is stated of every data set, and so the share of data sets is mapped where the gated
kernel has it; it holds where that is surely at least 1 less the tolerance, and fails where it is surely less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

from derivations.arguments import check_choice
from verify.claims import CLAIMS, spectrum
from verify.claims.spectrum.extremes import QUANTITIES
from verify.claims.spectrum.orders import (
    GATED_LARGEST,
    GATED_SMALLEST,
    PLAIN_LARGEST,
    PLAIN_SMALLEST,
    Order,
)
from verify.claims.spectrum.quantities import LOWER, RATIO, UPPER, Quantity, compiled
from verify.regimes.truths import ConditionAdvantage, Eigenvalue, ShareAhead, SmallestAdvantage, Truth

ORDER, ORDERING, SHARE = "order", "ordering", "share"
"""A scale times a constant; a ratio that should exceed 1; a share of data sets that should be 1."""
TOLERANCES = {RATIO: 0.1, LOWER: 0.1, UPPER: 0.1, ORDER: 3.0, ORDERING: 0.0, SHARE: 0.1}
"""By what share a formula may be off, unless asked otherwise; an ordering holds or does not. Of a share: of data sets."""
LATE = "A17"
IDS = (*(claim.id for claim in spectrum.CLAIMS), LATE)
_TEX = {"relu": "K", "reglu": r"\tilde K"}


@dataclass(frozen=True)
class Formula:
    """One formula of a claim, to be mapped.

    Attributes
    ----------
    name : str
    relation : str
        ``ratio``, ``lower``, ``upper``, ``order``, ``ordering`` or ``share``.
    stated : callable
        Of n, d and m.
    truth : Truth
    shown : str
        What it is, for a line of text.
    label : str
        What a picture shows, in TeX.
    """

    name: str
    relation: str
    stated: Callable[[int, int, int], float]
    truth: Truth
    shown: str
    label: str


def applies(id: str, n: int, dimension: int) -> bool:
    """Whether a claim speaks of this size: A13 and A14 of n > d, A9 of n >= d.

    Examples
    --------
    >>> applies("A9", 5, 5), applies("A13", 5, 5), applies("A7", 2, 5)
    (True, False, True)
    """
    return n > dimension if id in ("A13", "A14") else n >= dimension if id == "A9" else True


def formulas_of(id: str) -> tuple[Formula, ...]:
    """What is mapped of a claim.

    Raises
    ------
    InputError
        If the claim is none of `IDS`.

    Examples
    --------
    >>> [formula.name for formula in formulas_of("A13")]
    ['ordering', 'difference']
    >>> [(formula.name, formula.stated(100, 10, 50)) for formula in formulas_of("A12")]
    [('plain', 15.0), ('gated', 15.0)]
    """
    check_choice(id, "claim", IDS)
    if id == "A9":
        return (
            _order("plain", PLAIN_LARGEST, 1 / (2 * pi), "m n/(2 pi)", r"m n/(2\pi)"),
            _order("gated", GATED_LARGEST, 1 / 4, "m n/(4 d)", r"m n/(4 d)"),
        )
    if id == "A12":
        return (
            _order("plain", PLAIN_SMALLEST, 1 / 4, "(m + d)/4", r"(m + d)/4"),
            _order("gated", GATED_SMALLEST, 1 / 4, "(m + d)/4", r"(m + d)/4"),
        )
    if id == "A14":
        return (_ordering(ConditionAdvantage(), "cond(K)/cond(K~) > 1", r"cond$(K)$ / cond$(\tilde K)$"),)
    if id == LATE:
        return (_AHEAD,)
    smallest = _ordering(
        SmallestAdvantage(), "lambda_n(K~)/lambda_n(K) > 1", r"$\lambda_n(\tilde K)$ / $\lambda_n(K)$"
    )
    numbers = tuple(
        _number(quantity, compiled(CLAIMS[id].statement.formula(quantity.formula)))
        for quantity in QUANTITIES[id]
    )
    return (smallest, *numbers) if id == "A13" else numbers


def _number(quantity: Quantity, stated: Callable[[int, int, int], float]) -> Formula:
    index = "1" if quantity.end == "largest" else "n"
    plain = " - ".join(f"lambda_{index}({'K' if name == 'relu' else 'K~'})" for name in quantity.networks)
    tex = " - ".join(rf"\lambda_{index}({_TEX[name]})" for name in quantity.networks)
    kind = "" if quantity.relation == RATIO else f"{quantity.relation} bound of "
    word = "stated" if quantity.relation == RATIO else f"stated {quantity.relation} bound"
    label = rf"{word} / true ${tex}$"
    return Formula(quantity.formula, quantity.relation, stated, Eigenvalue(quantity), f"{kind}{plain}", label)


def _order(name: str, order: Order, constant: float, shown: str, tex: str) -> Formula:
    quantity = Quantity(name, ORDER, order.network, order.end)
    index = "1" if order.end == "largest" else "n"
    eigenvalue = f"lambda_{index}({'K' if order.network == 'relu' else 'K~'})"
    return Formula(
        name,
        ORDER,
        lambda *size: constant * order.scale(*size),
        Eigenvalue(quantity),
        f"{eigenvalue}, of the order {shown}",
        rf"${tex}$ / $\lambda_{index}({_TEX[order.network]})$",
    )


_AHEAD = Formula(
    "share of data sets",
    SHARE,
    lambda *size: 1.0,
    ShareAhead(),
    "lambda_n(K~) > lambda_n(K)",
    r"share with $\lambda_n(\tilde K) > \lambda_n(K)$",
)


def _ordering(truth: Truth, shown: str, label: str) -> Formula:
    return Formula("ordering", ORDERING, lambda *size: 1.0, truth, shown, label)
