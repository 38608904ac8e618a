r"""All Hermite coefficients of an activation by one trapezoid sum, with proved bounds of every error.

With \(h_k = He_k/\sqrt{k!}\) and the density n of a standard normal z, the integrand is
\(F_k(x) = \phi(s x)\,h_k(x)\,n(x)\). Three errors are bounded, all in ball arithmetic:

Discretisation. If F is analytic on \(|\mathrm{Im}\,x| \le w\) and the integral of |F| over every line
there at most M, then

\[ \Big|\int F - h\sum_{j\in\mathbb Z} F(jh)\Big| \le \frac{2M}{e^{2\pi w/h} - 1}. \]

Source: Trefethen and Weideman, The exponentially convergent trapezoidal rule (2014), theorem 5.1.

Hermite polynomials off the real line. Mehler's formula, whose terms are nonnegative at conjugate arguments,

\[ \sum_k r^k h_k(z)\,h_k(\bar z)
   = (1-r^2)^{-1/2}\exp\Big(\frac{2 r z\bar z - r^2(z^2+\bar z^2)}{2(1-r^2)}\Big), \qquad 0 \le r < 1, \]

gives at z = x + iw, one term being at most the sum, for all k up to K

\[ |h_k(x+iw)|
   \le r^{-K/2}\,(1-r^2)^{-1/4}\,\exp\Big(\frac{x^2}{2}\frac{r}{1+r} + \frac{w^2}{2}\frac{r}{1-r}\Big). \]

(It holds off the real line because \(He_k(z) = E(z+iS)^k\), S standard normal, turns the sum into
\(E\exp(r(z+iS)(\bar z+iT))\), which for r < 1 converges absolutely and locally uniformly in both arguments.)
With \(|n(x+iw)| = (2\pi)^{-1/2}e^{(w^2-x^2)/2}\) the factor left of x is a Gaussian of variance 1 + r. The
strip's \(|\phi(u)| \le C(b+|\mathrm{Re}\,u|)^p e^{g|\mathrm{Re}\,u|}\), \((b+s|x|)^p \le b^p e^{ps|x|/b}\),
\(G = s(g + p/b)\) and \(E\,e^{G|X|} \le 2e^{G^2(1+r)/2}\) then give

\[ M = 2C\,b^p\,r^{-K/2}(1-r^2)^{-1/4}(1+r)^{1/2}\exp\Big(\frac{w^2}{2(1-r)} + \frac{G^2(1+r)}{2}\Big). \]

Truncation. On the real line the same bounds leave \(B(x) = A\,(b+sx)^p e^{gsx - x^2/(2(1+r))}\), log-concave:
past a point T where its logarithm has slope -L < 0 the terms fall at least geometrically, so both tails
together are at most \(2h\,B(T)/(1-e^{-Lh})\).

The rounding errors are in the balls. Source: derived here where no other is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from flint import arb, ctx, fmpq

from derivations.certified.program import Program, UnprovedError
from derivations.certified.strip import Strip, analytic_strip
from derivations.errors import InputError

PLAN_BITS = 64
"""Precision of the bounds: they need no digits, only outward rounding."""

_MOST_WORK = 200_000_000  # about three minutes
_MOST_NODES = 200_000
_MOST_BITS = 200_000
_FINE = 0.8
_NARROWINGS = (_FINE,) * 16 + (0.2,) * 12
_REFINEMENTS = 4
_ROUNDS = 8
_ADVICE = "ask for fewer digits or coefficients"


@dataclass(frozen=True)
class Rule:
    """A trapezoid rule with nodes j h, |j| <= count, and the error of everything but rounding.

    `step` is a float whose 20 leading bits alone are set, so that nodes are short exact numbers.
    """

    step: float
    count: int
    error: arb


def hermite_balls(program: Program, order: int, variance: fmpq, log_error: float) -> list[arb]:
    r"""Balls that hold a_0, ..., a_order, each of a radius below exp(log_error).

    Parameters
    ----------
    program : Program
        The activation.
    order : int
        K, at least 0.
    variance : fmpq
        Of the activation's argument.
    log_error : float
        Natural logarithm of the largest radius allowed.

    Raises
    ------
    InputError
        If no strip can be proved, or the sum would be too long or need too many bits.
    """
    with ctx.workprec(PLAN_BITS):
        rule = trapezoid_rule(program, order, arb(variance).sqrt(), log_error - math.log(4))
    # The recurrence's balls, times the density, grow to about exp(K/2) ulp where x = sqrt(K).
    bits = 40 + round((order / 2 - log_error) / math.log(2)) + rule.count.bit_length()
    for _ in range(_ROUNDS):
        work = rule.count * (order + 1 + 10 * len(program.instructions)) * max(1.0, bits / 1000)
        if not (0 < bits <= _MOST_BITS and work <= _MOST_WORK):
            break
        with ctx.workprec(bits):
            balls = _sums(program, order, variance, rule)
            worst = max(_log(ball.rad()) if ball.is_finite() else math.inf for ball in balls)
        if worst < log_error:
            return balls
        bits += 20 + (round((worst - log_error) / math.log(2)) if math.isfinite(worst) else bits)
    raise InputError(f"activation at this variance needs {rule.count} nodes of {bits} bits: {_ADVICE}")


def _sums(program: Program, order: int, variance: fmpq, rule: Rule) -> list[arb]:
    """The sums for every k, by the recurrence He_{k+1} = x He_k - k He_{k-1} at all nodes at once."""
    s, step = arb(variance).sqrt(), arb(rule.step)
    nodes = [j * step for j in range(rule.count + 1)]
    scaled = [s * x for x in nodes]
    right, left = program(scaled), program([-u for u in scaled])
    front = step / (2 * arb.pi()).sqrt()
    density = [front * (-x * x / 2).exp() for x in nodes]
    density[0] /= 2  # the node 0 is its own mirror image
    parts = (
        [(p + q) * n for p, q, n in zip(right, left, density, strict=True)],
        [(p - q) * n for p, q, n in zip(right, left, density, strict=True)],
    )
    previous, current = [arb(0)] * len(nodes), [arb(1)] * len(nodes)
    balls, norm = [], arb(1)
    error = arb(0, rule.error)
    for k in range(order + 1):
        total = sum(map(arb.__mul__, current, parts[k % 2]), arb(0))
        balls.append(total * norm.rsqrt() + error)
        following = [x * p - k * q for x, p, q in zip(nodes, current, previous, strict=True)]
        previous, current = current, following
        norm *= k + 1
    return balls


def trapezoid_rule(program: Program, order: int, deviation: arb, log_error: float) -> Rule:
    """The rule with the fewest nodes found whose error is proved to be below exp(log_error).

    Raises
    ------
    InputError
        If the activation cannot be proved analytic, or the rule would be too long.
    """
    s = float(deviation)
    strip = widest_step(program, order, s, log_error - math.log(2))
    try:
        line = analytic_strip(program, 0.0, 3 * s)
    except UnprovedError:
        line = strip
    step = _short(step_width(strip, order, s, log_error - math.log(2)))
    end = _truncation(line, order, s, step, log_error - math.log(2))
    if not end / step <= _MOST_NODES:
        raise InputError(
            f"activation at this variance needs {end / step:.2g} nodes, with the proved strip's half-width "
            f"{float(strip.half_width):.2g}: {_ADVICE}"
        )
    count = math.ceil(end / step)
    error = discretisation_error(strip, order, deviation, arb(step))
    error += truncation_error(line, order, deviation, arb(step), arb(step) * (count + 1))
    if not _log(error) < log_error:
        raise InputError("activation is too large for its errors to be planned in floating point")
    return Rule(step, count, error.upper())


def widest_step(program: Program, order: int, s: float, log_error: float) -> Strip:
    """The proved strip that allows the widest step, among a geometric range of half-widths.

    The range starts where it is best for an entire function of slow growth: exp(w^2/2 - 2 pi w/h) is least at
    w = sqrt(-2 log error). From the first strip that is proved on the search goes where the step gets longer,
    up to the singularity.
    """
    best: Strip | None = None
    longest, reason = 0.0, "its bounds are infinite"

    def improves(half_width: float) -> bool:
        nonlocal best, longest, reason
        try:
            strip = analytic_strip(program, half_width, 3 * s)
        except UnprovedError as error:
            reason = str(error)
            return False
        step = step_width(strip, order, s, log_error)
        longer = step > longest
        if longer:
            best, longest = strip, step
        return longer

    width, failed = 1.2 * s * math.sqrt(2 * (1 - log_error)), None
    for narrowing in _NARROWINGS:
        if improves(width):
            break
        failed, width = width, width * narrowing
    if best is None:
        raise InputError(
            "activation must be analytic in a strip around the real line and grow at most like exp(b |z|): "
            + reason
        )
    if failed is None:
        while improves(width / _FINE):
            width /= _FINE
    if width == float(best.half_width) and improves(_FINE * width):
        width *= _FINE
        while improves(_FINE * width):
            width *= _FINE
    elif failed is not None:
        for _ in range(_REFINEMENTS):
            middle = math.sqrt(width * failed)
            width, failed = (middle, failed) if improves(middle) else (width, middle)
    return best


def step_width(strip: Strip, order: int, s: float, log_error: float) -> float:
    """The step at which the discretisation error is exp(log_error), in floating point and with a margin."""
    w = float(strip.half_width) / s
    size = _log(2 * strip.constant) + strip.power * math.log(float(strip.base))
    rate = s * (float(strip.rate) + strip.power / float(strip.base))
    log_m = size + _least(lambda r: _log_edge(order, w, rate, r), order)[1]
    return 2 * math.pi * w / (log_m - log_error + 2)


def _log_edge(order: int, w: float, rate: float, r: float) -> float:
    return _log_mehler(order, r) + math.log1p(r) / 2 + w * w / (2 * (1 - r)) + rate * rate * (1 + r) / 2


def _log_mehler(order: int, r: float) -> float:
    return -(order / 2 * math.log(r) if order else 0.0) - math.log1p(-r * r) / 4


def discretisation_error(strip: Strip, order: int, deviation: arb, step: arb) -> arb:
    """2 M/(exp(2 pi w/h) - 1), in balls."""
    w = (strip.half_width / deviation).lower()
    rate = deviation * (strip.rate + strip.power / strip.base)
    r = arb(_least(lambda r: _log_edge(order, float(w), float(rate), r), order)[0])
    M = 2 * strip.constant * strip.base**strip.power * _mehler(order, r) * (1 + r).sqrt()
    M *= (w * w / (2 * (1 - r)) + rate * rate * (1 + r) / 2).exp()
    return 2 * M / (2 * arb.pi() * w / step).expm1()


def _mehler(order: int, r: arb) -> arb:
    front = (-arb(order) / 2 * r.log()).exp() if order else arb(1)
    return front / (1 - r * r).sqrt().sqrt()


def _truncation(line: Strip, order: int, s: float, step: float, log_error: float) -> float:
    """A point past which the sums' tails stay below exp(log_error), in floating point and with a margin."""
    constant, base, rate = _log(line.constant), float(line.base), float(line.rate)

    def enough(x: float) -> bool:
        size = constant + line.power * math.log(base + s * x) + rate * s * x
        r, value = _least(lambda r: _log_mehler(order, r) - x * x / (2 * (1 + r)), order)
        slope = x / (1 + r) - rate * s - line.power * s / (base + s * x)
        return slope > 0 and size + value - math.log(min(slope, 1 / step)) < log_error - 2

    low, high = 0.0, 1.0
    while not enough(high) and high < 1e12:  # no sum is as long
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def truncation_error(line: Strip, order: int, deviation: arb, step: arb, start: arb) -> arb:
    """The terms at |x| >= start, in balls."""
    x = float(start)
    r = arb(_least(lambda r: _log_mehler(order, r) - x * x / (2 * (1 + r)), order)[0])
    reach = line.base + deviation * start
    slope = start / (1 + r) - deviation * (line.rate + line.power / reach)
    if not slope > 0:
        return arb.pos_inf()
    size = line.constant * reach**line.power * _mehler(order, r) / (2 * arb.pi()).sqrt()
    size *= (line.rate * deviation * start - start * start / (2 * (1 + r))).exp()
    return 2 * step * size / -(-slope * step).expm1()


def _least(f: Callable[[float], float], order: int) -> tuple[float, float]:
    """Where in (0, 1) a function with one valley is least, and its value; at 0 where order is 0."""
    if order == 0:
        return 0.0, f(0.0)
    low, high = 1e-9, 1 - 1e-9
    for _ in range(40):
        third = (high - low) / 3
        if f(low + third) < f(high - third):
            high -= third
        else:
            low += third
    return low, f(low)


def _log(size: arb) -> float:
    """The natural logarithm of an upper bound, as a float, of numbers beyond floats too."""
    size = size.upper()
    return float(size.log().upper()) if size > 0 else -math.inf


def _short(step: float) -> float:
    """The largest float of 20 bits up to a step."""
    mantissa, exponent = math.frexp(step)
    return math.ldexp(math.floor(math.ldexp(mantissa, 20)), exponent - 20)
