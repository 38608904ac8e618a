r"""Strips around the real line on which an activation is proved analytic, with a bound of it there.

A strip \(|y| \le W\) is proved at once if `enclose` holds on all of it; otherwise `enclose` has to hold on
\(|x| \ge X\) for some X, and adaptive boxes cover the rest.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import acb, arb

from derivations.certified.enclosure import Enclosure, Region
from derivations.certified.growth import enclose
from derivations.certified.program import Program, UnprovedError, evaluate_on_box

_FURTHEST = 4096
_MOST_BOXES = 4000
_SMALLEST_SIDE = 2.0**-7  # of the half-width, or of X where that is 0
_SHARP_ENOUGH = 100


@dataclass(frozen=True)
class Strip:
    r"""A strip \(|\mathrm{Im} z| \le W\) with \(|\phi(x + iy)| \le C\,(b + |x|)^p\,e^{g|x|}\) on it.

    `half_width` W, `constant` C, `base` b >= 1, `power` p, `rate` g, all exact upper ends.
    """

    half_width: arb
    constant: arb
    base: arb
    power: int
    rate: arb


def analytic_strip(program: Program, half_width: float, least_base: float) -> Strip:
    """Prove that a program is analytic on a strip, and bound it there, at the current precision.

    Parameters
    ----------
    program : Program
        The activation.
    half_width : float
        W; 0 asks for a bound on the real line alone.
    least_base : float
        The bound's base b is at least this, 1 and W.

    Raises
    ------
    UnprovedError
        With the first thing that could not be proved.

    Examples
    --------
    >>> import sympy as sp
    >>> from derivations.certified.program import compiled
    >>> from derivations.symbols import z
    >>> strip = analytic_strip(compiled(1 / (1 + sp.exp(-z))), 3.0, 1.0)
    >>> strip.power, strip.rate == 0, strip.constant < 100
    (0, True, True)
    >>> analytic_strip(compiled(1 / (1 + sp.exp(-z))), 3.2, 1.0)
    Traceback (most recent call last):
    ...
    derivations.certified.program.UnprovedError: 1/(1 + exp(-z)) may have a pole
    """
    W, base = arb(half_width), arb(max(1.0, half_width, least_base))
    constants = program.constants()
    try:
        parts = [enclose(program, constants, Region(W, base, 0, arb(0)))]
        inside = arb(0)
    except UnprovedError:
        parts, start = _ends(program, constants, W, base)
        inside = _middle(program, constants, half_width, start)
    constant = inside
    for part in parts:
        constant = part.growth.constant if part.growth.constant > constant else constant
    rates = [part.growth.rate for part in parts]
    strip = Strip(
        W,
        constant,
        base,
        max(p.growth.power for p in parts),
        rates[0] if rates[0] >= rates[-1] else rates[-1],
    )
    if not (strip.constant.is_finite() and strip.rate.is_finite()):
        raise UnprovedError("its values are too large to be bounded")
    return strip


def _ends(program: Program, constants: list[arb | None], W: arb, base: arb) -> tuple[list[Enclosure], float]:
    start = 1.0
    while True:
        try:
            ends = [enclose(program, constants, Region(W, base, side, arb(start))) for side in (1, -1)]
            return ends, start
        except UnprovedError:
            if start >= _FURTHEST:
                raise
            start *= 2


def _middle(program: Program, constants: list[arb | None], half_width: float, start: float) -> arb:
    """A bound on the rectangle |x| <= start, 0 <= y <= half_width; conjugation gives the other half."""
    bound = arb(0)
    stack = [(0.0, start, 0.0, half_width), (-start, 0.0, 0.0, half_width)]
    scale = half_width or start
    obstacle = UnprovedError("its singularities come too close to the real line")
    for _ in range(_MOST_BOXES):
        if not stack:
            return bound
        left, right, bottom, top = stack.pop()
        side = max(right - left, top - bottom)
        try:
            size = _on_box(program, constants, left, right, bottom, top)
        except UnprovedError as error:
            if side < _SMALLEST_SIDE * scale:
                raise
            size, obstacle = None, error
        if size is not None and (size < _SHARP_ENOUGH or side < scale / 8):
            bound = size if size > bound else bound
        elif right - left > top - bottom:
            centre = (left + right) / 2
            stack += [(left, centre, bottom, top), (centre, right, bottom, top)]
        else:
            centre = (bottom + top) / 2
            stack += [(left, right, bottom, centre), (left, right, centre, top)]
    raise obstacle


def _on_box(
    program: Program, constants: list[arb | None], left: float, right: float, bottom: float, top: float
) -> arb:
    box = acb(arb(left).union(arb(right)), arb(bottom).union(arb(top)))
    results: list[acb | arb] = []
    for instruction, constant in zip(program.instructions, constants, strict=True):
        if constant is not None:
            results.append(constant)
        elif instruction.operation == "variable":
            results.append(box)
        else:
            results.append(evaluate_on_box(instruction, [results[i] for i in instruction.operands]))
    return acb(results[-1]).abs_upper()
