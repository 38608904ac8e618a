r"""Sets that hold the values of an expression on a half-strip, an unbounded set that no ball can hold.

The regions are \(\{x + iy: |y| \le W\}\) and its parts \(x \ge X\), \(x \le -X\). They and every expression
here are symmetric under conjugation, so are all sets. Every number kept is a rounded-outward end of a ball.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import acb, arb

from derivations.arguments import shown
from derivations.certified.program import Instruction, UnprovedError


@dataclass(frozen=True)
class Region:
    r"""The part of the strip \(|y| \le W\) with \(x \ge X\) (side 1), \(x \le -X\) (side -1) or all (0).

    `base` is a number b with \(b \ge 1\) and \(b \ge W\), so that \(|z| \le b + |x|\).
    """

    half_width: arb
    base: arb
    side: int
    start: arb


@dataclass(frozen=True)
class Growth:
    r"""The bound \(C\,(b + |x|)^p\,e^{g|x|}\) on a region with base b."""

    constant: arb
    power: int
    rate: arb

    @property
    def is_flat(self) -> bool:
        """Whether the bound is C everywhere."""
        return self.power == 0 and self.rate == 0

    @property
    def supremum(self) -> arb:
        """The bound's supremum, C or infinity."""
        return self.constant if self.is_flat else arb.pos_inf()


@dataclass(frozen=True)
class Enclosure:
    r"""What is known of a function f on a region.

    \(\mathrm{Re} f \in\) [low, high], \(|\mathrm{Im} f| \le\) imaginary, \(|f| \ge\) modulus,
    \(|\arg f| \le\) angle, \(|\arg(-f)| \le\) opposite (pi or more: nothing is known), \(|f| \le\) growth.
    """

    low: arb
    high: arb
    imaginary: arb
    modulus: arb
    angle: arb
    opposite: arb
    growth: Growth


def flat(bound: arb) -> Growth:
    """A bound that is the same everywhere."""
    return Growth(bound.upper(), 0, arb(0))


def smaller(f: arb, g: arb) -> arb:
    """One of two ends that is the smaller one, where balls tell."""
    return f if f <= g else g


def larger(f: arb, g: arb) -> arb:
    """One of two ends that is the larger one, where balls tell."""
    return f if f >= g else g


def _times(f: arb, g: arb) -> arb:
    """A product of ends, where 0 times infinity is 0."""
    return arb(0) if f == 0 or g == 0 else f * g


def sharpened(
    growth: Growth,
    low: arb | None = None,
    high: arb | None = None,
    imaginary: arb | None = None,
    modulus: arb | None = None,
    angle: arb | None = None,
    opposite: arb | None = None,
) -> Enclosure:
    """Round outward, and let each thing known sharpen the others."""
    top, whole = growth.supremum, arb.pi().upper()
    low = -top if low is None else larger(low.lower(), -top)
    high = top if high is None else smaller(high.upper(), top)
    imaginary = top if imaginary is None else smaller(imaginary.upper(), top)
    modulus = arb(0) if modulus is None else modulus.lower()
    angle = whole if angle is None else smaller(angle.upper(), whole)
    opposite = whole if opposite is None else smaller(opposite.upper(), whole)
    if low > 0:
        modulus = larger(modulus, low)
        angle = smaller(angle, _aperture(imaginary, low))
    if high < 0:
        modulus = larger(modulus, -high)
        opposite = smaller(opposite, _aperture(imaginary, -high))
    if angle < arb.pi() / 2:
        low = larger(low, (modulus * angle.cos()).lower())
    if opposite < arb.pi() / 2:
        high = smaller(high, (-modulus * opposite.cos()).upper())
    return Enclosure(low, high, imaginary, modulus, angle, opposite, growth)


def _aperture(imaginary: arb, real: arb) -> arb:
    return ((imaginary / real).atan() if imaginary.is_finite() else arb.pi() / 2).upper()


def of_ball(w: acb) -> Enclosure:
    """The enclosure of the values in a ball and of their conjugates."""
    bound = flat(w.abs_upper())
    return sharpened(bound, w.real.lower(), w.real.upper(), abs(w.imag).upper(), w.abs_lower())


def disc(centre: int, radius: arb) -> Enclosure:
    """The enclosure of a disc around a real integer."""
    return sharpened(flat(abs(centre) + radius), centre - radius, centre + radius, radius)


def rectangle(f: Enclosure) -> acb | None:
    """The rectangle around f if it is bounded."""
    if not (f.low.is_finite() and f.high.is_finite() and f.imaginary.is_finite()):
        return None
    return acb(f.low.union(f.high), (-f.imaginary).union(f.imaginary))


def variable(region: Region) -> Enclosure:
    """z itself."""
    low = region.start if region.side > 0 else None
    high = -region.start if region.side < 0 else None
    return sharpened(Growth(arb(1), 1, arb(0)), low, high, region.half_width)


def add(f: Enclosure, g: Enclosure) -> Enclosure:
    r"""f + g; the larger summand keeps its direction up to \(\arcsin(|g|/|f|)\)."""
    growth = Growth(
        (f.growth.constant + g.growth.constant).upper(),
        max(f.growth.power, g.growth.power),
        larger(f.growth.rate, g.growth.rate),
    )
    modulus, angles = arb(0), [arb.pi(), arb.pi()]
    quarter = arb.pi().lower() / 2
    for position, (one, two) in enumerate(((f.angle, g.angle), (f.opposite, g.opposite))):
        # A cone no wider than a half-plane is convex.
        if one <= quarter and two <= quarter:
            angles[position] = larger(one, two)
            if one + two <= quarter:
                modulus = larger(f.modulus, g.modulus)
    for large, small in ((f, g), (g, f)):
        top = small.growth.supremum
        if top < large.modulus:
            turn = (top / large.modulus).asin()
            modulus = larger(modulus, (large.modulus - top).lower())
            angles = [
                smaller(angles[0].upper(), (large.angle + turn).upper()),
                smaller(angles[1].upper(), (large.opposite + turn).upper()),
            ]
    return sharpened(
        growth, f.low + g.low, f.high + g.high, f.imaginary + g.imaginary, modulus, angles[0], angles[1]
    )


def multiply(f: Enclosure, g: Enclosure) -> Enclosure:
    """f g."""
    growth = Growth(
        (f.growth.constant * g.growth.constant).upper(),
        f.growth.power + g.growth.power,
        (f.growth.rate + g.growth.rate).upper(),
    )
    ends = [_times(p, q) for p in (f.low, f.high) for q in (g.low, g.high)]
    cross = _times(f.imaginary, g.imaginary)
    low, high = ends[0].lower(), ends[0].upper()
    for end in ends[1:]:
        low, high = smaller(low, end.lower()), larger(high, end.upper())
    widths = _times(_reach(f), g.imaginary) + _times(_reach(g), f.imaginary)
    return sharpened(
        growth,
        low - cross,
        high + cross,
        widths,
        f.modulus * g.modulus,
        smaller((f.angle + g.angle).upper(), (f.opposite + g.opposite).upper()),
        smaller((f.angle + g.opposite).upper(), (f.opposite + g.angle).upper()),
    )


def _reach(f: Enclosure) -> arb:
    return larger(-f.low, f.high)


def _square(f: Enclosure) -> Enclosure:
    """f f, whose real part is at least -(Im f)^2: `multiply` does not know that both factors are equal."""
    product = multiply(f, f)
    return sharpened(
        product.growth,
        larger(product.low, -f.imaginary * f.imaginary),
        product.high,
        product.imaginary,
        product.modulus,
        product.angle,
        product.opposite,
    )


def power(f: Enclosure, exponent: int) -> Enclosure:
    """f to a whole power from 1 on."""
    if exponent == 1:
        return f
    half = _square(power(f, exponent // 2))
    return multiply(half, f) if exponent % 2 else half


def inverse(f: Enclosure, instruction: Instruction) -> Enclosure:
    """1/f, if |f| is bounded away from 0."""
    if not f.modulus > 0:
        raise UnprovedError(f"{shown(instruction.source)} may have a pole")
    bound = flat(1 / f.modulus)
    return sharpened(bound, modulus=1 / f.growth.supremum, angle=f.angle, opposite=f.opposite)
