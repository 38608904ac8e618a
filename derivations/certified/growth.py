r"""The functions of the whitelist on `Enclosure`s, and whole programs.

Source: derived here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from flint import acb, arb

from derivations.arguments import shown
from derivations.certified.enclosure import (
    Enclosure,
    Growth,
    Region,
    add,
    disc,
    flat,
    inverse,
    multiply,
    of_ball,
    power,
    rectangle,
    sharpened,
    smaller,
    variable,
)
from derivations.certified.program import Instruction, Program, UnprovedError, evaluate_on_box


def exponential(
    f: Enclosure, quadratic: list[Enclosure], region: Region, instruction: Instruction
) -> Enclosure:
    r"""exp f: \(|e^f| = e^{\mathrm{Re} f}\), \(\arg e^f = \mathrm{Im} f\).

    For a quadratic, \(\mathrm{Re}(a z^2 + b z + c) = a(x^2 - y^2) + b x + c\); otherwise, where Re f is not
    bounded above, \(|f| \le C (b + |x|)\) gives \(|e^f| \le e^{C b} e^{C|x|}\).
    """
    high, growth = f.high, None
    if quadratic:
        a, b, c = (part.low.union(part.high) for part in quadratic)
        if a < 0:
            high = smaller(high, (_parabola(-a, b, region) + c - a * region.half_width**2).upper())
        elif a == 0:
            growth = Growth(c.exp().upper(), 0, abs(b).upper())
    if high < arb.pos_inf():
        growth = flat(high.exp())
    elif growth is None:
        if f.growth.power > 1 or f.growth.rate != 0:
            raise UnprovedError(f"{shown(instruction.source)} may grow faster than exp(b |z|)")
        rate = f.growth.constant
        growth = Growth((rate * region.base).exp().upper(), 0, rate)
    angle = f.imaginary if f.imaginary.is_finite() else None
    return sharpened(growth, modulus=f.low.exp(), angle=angle)


def _parabola(m: arb, b: arb, region: Region) -> arb:
    """The supremum of b x - m x^2, m > 0, over the real parts x of a region."""
    x = region.side * region.start
    vertex = b / (2 * m)
    if (region.side > 0 and vertex < x) or (region.side < 0 and vertex > x):
        return b * x - m * x * x
    return b * b / (4 * m)


def logarithm(f: Enclosure, instruction: Instruction) -> Enclosure:
    r"""log f, the principal one, if f stays off \((-\infty, 0]\)."""
    if not (f.angle < arb.pi() and f.modulus > 0):
        raise UnprovedError(f"the argument of {shown(instruction.source)} may reach (-oo, 0]")
    low, size = f.modulus.log(), f.growth
    log_c = size.constant.log()
    # |log f| <= |log |f|| + pi, and log(b + |x|) <= b + |x|.
    total = abs(low) + abs(log_c) + arb.pi() + size.power + size.rate
    growth = Growth(total.upper(), 0 if size.is_flat else 1, arb(0))
    return sharpened(growth, low, log_c if size.is_flat else None, f.angle)


def square_root(f: Enclosure, instruction: Instruction) -> Enclosure:
    r"""The principal square root, if f stays off \((-\infty, 0]\)."""
    if not (f.angle < arb.pi() and f.modulus > 0):
        raise UnprovedError(f"the argument of {shown(instruction.source)} may reach (-oo, 0]")
    size = f.growth
    growth = Growth(size.constant.sqrt().upper(), (size.power + 1) // 2, (size.rate / 2).upper())
    return sharpened(growth, modulus=f.modulus.sqrt(), angle=f.angle / 2)


def hyperbolic_tangent(f: Enclosure, instruction: Instruction) -> Enclosure:
    r"""tanh f, off its poles \(i\pi(n + 1/2)\).

    For f = u + iv: with \(q = e^{-2u} < 1\), \(|\tanh f - 1| \le 2q/(1 - q)\); with \(|v| < \pi/2\),
    \(|\tanh f|^2 = (\sinh^2 u + \sin^2 v)/(\sinh^2 u + \cos^2 v) \le \max(1, \tan^2 v)\).
    """
    for side, start in ((1, f.low), (-1, -f.high)):
        if start > 0:
            q = (-2 * start).exp()
            return disc(side, 2 * q / (1 - q))
    v = f.imaginary
    if v < arb.pi() / 2:
        bound = arb(1) if v < arb.pi() / 4 else 1 + v.tan()
        return sharpened(flat(bound), imaginary=arb(0) if v == 0 else None)
    raise UnprovedError(f"{shown(instruction.source)} may have a pole")


def error_function(f: Enclosure, instruction: Instruction) -> Enclosure:
    r"""erf f, where Im f is bounded.

    Along the vertical line from u to f = u + iv, \(|\mathrm{erf} f| \le 1 + 2\pi^{-1/2} |v| e^{v^2}\). For
    u > 0 \(|\mathrm{erfc} f| = |2\pi^{-1/2} e^{-f^2}\int_0^\infty e^{-t^2 - 2tf} dt| \le e^{v^2 - u^2}\).
    """
    if not f.imaginary.is_finite():
        raise UnprovedError(f"{shown(instruction.source)} may grow faster than exp(b |z|)")
    v = f.imaginary
    everywhere = 1 + 2 * v * (v * v).exp() / arb.pi().sqrt()
    for side, start in ((1, f.low), (-1, -f.high)):
        if start > 0:
            return disc(side, smaller((v * v - start * start).exp().upper(), (everywhere + 1).upper()))
    return disc(0, everywhere)


def trigonometric(f: Enclosure, instruction: Instruction) -> Enclosure:
    r"""sin f or cos f: at most \(\cosh v\) with \(v = |\mathrm{Im} f|\), the imaginary part \(\sinh v\)."""
    if not f.imaginary.is_finite():
        raise UnprovedError(f"{shown(instruction.source)} may grow faster than exp(b |z|)")
    return sharpened(flat(f.imaginary.cosh()), imaginary=f.imaginary.sinh())


def inverse_function(f: Enclosure, instruction: Instruction) -> Enclosure:
    r"""asinh f or atan f, off their cuts \(\pm i[1, \infty)\).

    For Re f >= 0 \(1 \le |f + \sqrt{1 + f^2}| \le 1 + 2|f|\), so |asinh f| is at most log(1 + 2|f|) + pi/2;
    atan f has a real part of at most \(\pi/2\), an imaginary one of at most artanh |Im f|.
    """
    if not f.imaginary < 1 and (instruction.operation == "atan" or not (f.low > 0 or f.high < 0)):
        raise UnprovedError(f"the argument of {shown(instruction.source)} may reach i or -i")
    if instruction.operation == "atan":
        half = arb.pi() / 2
        height = f.imaginary.atanh()
        return sharpened(flat(half + height), -half, half, height)
    size = f.growth
    total = (1 + 2 * size.constant).log() + arb.pi() / 2 + size.power + size.rate
    return sharpened(Growth(total.upper(), 0 if size.is_flat else 1, arb(0)), imaginary=arb.pi() / 2)


def enclose(program: Program, constants: list[arb | None], region: Region) -> Enclosure:
    """The enclosure of a program's value on a region, where all its parts are analytic.

    Raises
    ------
    UnprovedError
        If a part may have a singularity there or grow too fast.
    """
    results: list[Enclosure] = []
    for instruction, constant in zip(program.instructions, constants, strict=True):
        if constant is not None:
            results.append(of_ball(acb(constant)))
        else:
            operands = [results[i] for i in instruction.operands]
            result = _step(instruction, operands, region)
            if operands and all(f.imaginary == 0 for f in operands):
                # Every function here is real on real arguments.
                result = replace(result, imaginary=arb(0))
            results.append(result)
    return results[-1]


def _step(instruction: Instruction, operands: list[Enclosure], region: Region) -> Enclosure:
    match instruction.operation:
        case "variable":
            return variable(region)
        case "add":
            return add(*operands)
        case "multiply":
            return multiply(*operands)
        case "power":
            return power(operands[0], int(instruction.number))
        case "inverse":
            return inverse(operands[0], instruction)
        case "exp":
            return exponential(operands[0], operands[1:], region, instruction)
        case "sqrt":
            return square_root(operands[0], instruction)
    box = rectangle(operands[0])
    if box is not None:
        # A cone may show what the rectangle around it does not.
        with suppress(UnprovedError):
            return of_ball(evaluate_on_box(instruction, [box]))
    match instruction.operation:
        case "log":
            return logarithm(operands[0], instruction)
        case "tanh":
            return hyperbolic_tangent(operands[0], instruction)
        case "erf":
            return error_function(operands[0], instruction)
        case "erfc":
            return add(disc(1, arb(0)), multiply(disc(-1, arb(0)), error_function(operands[0], instruction)))
        case "sin" | "cos":
            return trigonometric(operands[0], instruction)
    return inverse_function(operands[0], instruction)
