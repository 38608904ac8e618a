r"""C3: the gradient of one hidden unit in its input, plain and gated.

The statement names a gradient's terms; \(c_w\phi'(u)(v\cdot x)w + c_v\phi(u)v\) has the second moment \(c_w^2\) times the
gate path's, \(c_v^2\) times the linear path's and \(c_wc_v\) times the cross term. Random units measure it with gradients
written by hand.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
import sympy as sp

from derivations.identity import vanishes
from derivations.input_gradient import GENERAL, SLOPE_SQUARE, SQUARE, InputGradient, input_gradient
from derivations.rules import rewrite
from derivations.sources import STATEMENTS, Statement
from derivations.symbols import Phi, d, gate_values, gate_weights, l, s_1, sigma_v, sigma_w, u_1, w
from verify.activations import ACTIVATIONS, Array
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.entries import ROUNDING
from verify.joint_test import hotelling, smallest_detectable
from verify.moments import EntryMoments, entry_moments
from verify.streams import seed_sequence

# The plain units of the statement: those that saturate, and the one they are compared with.
SATURATING, COMPARED = ("sigmoid", "tanh"), "relu"

UNITS = (("relu", 1.0), ("sigmoid", 2.0), ("sigmoid", 8.0), ("tanh", 2.0), ("silu", 2.0), ("gelu", 2.0))
"""Activation, and standard deviation s of its argument, of every measured plain and gated unit."""

_CHUNK = 4096


@dataclass(frozen=True)
class UnitCell:
    r"""The squared lengths of the input gradients of random units, measured as `verify.cells.Cell` measures kernels.

    Weights are N(0, 1/d), the inputs \(s\,(1, ..., 1)\). All units share their weights: contrasts are known better than
    any single entry.

    Attributes
    ----------
    d : int
    thousands : int
        Draws of the weights in multiples of 1024, in the quick profile.
    """

    d: int
    thousands: int

    @property
    def name(self) -> str:
        """Key of the cell's random numbers."""
        return f"input gradient/d={self.d}"

    @property
    def X(self) -> Array:
        """The direction of the inputs, of squared length d : (1, d)."""
        return np.ones((1, self.d))

    def measure(self, seed: np.random.SeedSequence, factor: float) -> EntryMoments:
        """Mean of `unit_entries` and its covariance, over `factor` times the cell's draws."""
        draws = max(2, round(self.thousands * 1024 * factor))

        def entries(chunk: int) -> Array:
            stream = seed_sequence(seed, zlib.crc32(self.name.encode()), chunk)
            rng = np.random.Generator(np.random.SFC64(stream))
            count = min(_CHUNK, draws - chunk * _CHUNK)
            activation, gate = rng.standard_normal((2, self.d, count)) / np.sqrt(self.d)
            return unit_entries(activation, gate, self.X[0])

        return entry_moments(map(entries, range(ceil(draws / _CHUNK))))


def unit_entries(activation: Array, gate: Array, x: Array) -> Array:
    r"""\(|\nabla_x h|^2\) of the plain and of the gated units with these weights at s x, then their control variates.

    A control variate is an entry of mean 0 whatever phi is: it carries the part of the variance that comes from v alone,
    or from |w| alone, out of the entries that phi makes interesting, and is tested as they are:

    .. math:: |\nabla h|^2 - E\big[|\nabla h|^2 \,\big|\, w\big], \qquad
              \phi'(u)^2 \big(|w|^2 - E[|w|^2 \mid u]\big)

    Parameters
    ----------
    activation, gate : (d, b) float
        w and v of b units, from N(0, 1/d).
    x : (d,) float
        Of squared length d.

    Returns
    -------
    (4 len(UNITS), b) float

    Source
    ------
    Derived here (the chain rule).

    Examples
    --------
    >>> entries = unit_entries(np.array([[2.0]]), np.array([[3.0]]), np.array([1.0]))
    >>> entries[[0, 6]].ravel()  # relu: 2 x and (2 x) (3 x) at x = 1
    array([  4., 144.])
    """
    dimension = len(x)
    inner, linear = x @ activation, x @ gate
    length = _squared_length(activation)
    given_inner = inner**2 / dimension + (dimension - 1) / dimension
    plain, gated, gate_control, length_control = entries = np.empty((4, len(UNITS), inner.size))
    for row, (name, scale) in enumerate(UNITS):
        phi, dphi = ACTIVATIONS[name]
        assert dphi is not None  # none of them jumps
        value, slope = phi(scale * inner), dphi(scale * inner)
        plain[row] = _squared_length(slope * activation)
        gated[row] = _squared_length((slope * (scale * linear)) * activation + value * gate)
        given_w = scale**2 * slope**2 * length + value**2 + 2 * value * slope * scale * inner / dimension
        gate_control[row] = gated[row] - given_w
        length_control[row] = slope**2 * (length - given_inner)
    return entries.reshape(-1, inner.size)


def _squared_length(vectors: Array) -> Array:
    return np.einsum("db,db->b", vectors, vectors)


# Far more than half a percent needs: with fewer draws, a reduced profile's heavy tails are not yet Gaussian.
CELLS = (UnitCell(2, 2_048), UnitCell(4, 1_536))


_derived = lru_cache(maxsize=8)(input_gradient)


@lru_cache(maxsize=8)
def _checked(name: str) -> InputGradient:
    result = _derived(name)
    result.check()
    return result


def _coefficients(statement: Statement) -> dict[str, sp.Expr]:
    """The stated coefficients of the plain gradient, and of the gate path and the linear path."""
    terms = {
        "plain": ("plain", Phi(1, u_1) * w[l]),
        "gate": ("gated", Phi(1, u_1) * gate_values(1)[0] * w[l]),
        "linear": ("gated", Phi(0, u_1) * gate_weights(1)[l]),
    }
    return {name: sp.expand(statement.formula(key)).coeff(term) for name, (key, term) in terms.items()}


def _exact(statement: Statement, _: Setting) -> Evidence:
    """The stated gradients are the derivatives, and at large scale the paths behave as stated."""
    results = {name: _checked(name) for name in (*SATURATING, COMPARED)}
    for key, derivation in (("plain", results[COMPARED].plain), ("gated", results[COMPARED].gated)):
        names = [s for s in derivation.steps if isinstance(s.lhs, sp.Sum) and s.rule == "definition"]
        gradient = next(step.rhs for step in derivation.steps if step.rule == "differentiation")
        stated, derived = statement.formula(key), rewrite(gradient, names)
        if not vanishes(stated - derived):
            detail = f"{key} unit, derivative in x_l: stated {sp.sstr(stated)}, derived {sp.sstr(derived)}"
            return Evidence(Verdict.REFUTED, detail)
    for name, result in results.items():
        kept, rest = (sp.limit(part, s_1, sp.oo) for part in (result.leading.linear, result.leading.plain))
        if not kept.is_extended_positive or (rest == 0) != (name in SATURATING):
            detail = f"{name}: at large scale the linear path tends to {kept}, the plain gradient to {rest}"
            return Evidence(Verdict.REFUTED, detail)
    return Evidence(Verdict.PROVED, _summary(results))


def _summary(results: dict[str, InputGradient]) -> str:
    """The laws at large scale, for the report."""
    parts = []
    for name in SATURATING:
        leading, numbers = results[name].leading, _numbers(name, 8.0)
        parts.append(
            f"{name}: plain {sp.sstr(leading.plain)}, linear path {sp.sstr(leading.linear)}, "
            f"gate path {sp.sstr(leading.gate)}, so that the linear path's share falls like "
            f"{sp.sstr(results[name].linear_share)} (at s = 8 E phi'^2 is {float(numbers[SLOPE_SQUARE]):.7f}, "
            f"E phi^2 {float(numbers[SQUARE]):.7f}, certified)"
        )
    relu = results[COMPARED]
    return (
        "gradients identical to the derivatives; leading terms of E|grad h|^2 as s = sigma_w |x| = s_1 grows with |x|: "
        + "; ".join(parts)
        + f"; relu at every s: plain {sp.sstr(relu.moments.plain)}, gated {sp.sstr(sp.factor(relu.moments.gated))}, "
        f"linear share {sp.sstr(relu.linear_share)}. Where s grows with sigma_w at fixed |x| instead, the plain "
        "saturating unit's second moment grows like s: it vanishes against E|w|^2 = d sigma_w^2 only"
    )


@lru_cache(maxsize=32)
def _numbers(name: str, scale: float) -> dict[sp.Expr, sp.Expr]:
    """The four expectations at this scale, to 1e-16."""
    values = _derived(name).values(sp.Rational(scale), digits=16)
    return {expectation: sp.Rational(ball.value) for expectation, ball in values.items()}


def predicted(cell: UnitCell) -> dict[str, dict[str, Array]]:
    """What every term of the derived second moments contributes to the cell's entries.

    Returns
    -------
    dict of str to dict of str to (4 len(UNITS),) float
        By part (``plain``, ``gate``, ``linear``, ``cross``) and by term of `GENERAL`'s formula for it.
    """
    weights = {sigma_w: 1 / sp.sqrt(cell.d), sigma_v: 1 / sp.sqrt(cell.d), d: cell.d}
    result: dict[str, dict[str, Array]] = {}
    for part in ("plain", "gate", "linear", "cross"):
        result[part] = {}
        for term in sp.Add.make_args(sp.expand(getattr(GENERAL, part))):
            values = [
                float(term.xreplace(_numbers(name, scale)).subs({s_1: sp.Rational(scale), **weights}))
                for name, scale in UNITS
            ]
            entries = np.zeros((4, len(UNITS)))  # the control variates' means are 0
            entries[0 if part == "plain" else 1] = values
            result[part][sp.sstr(term)] = entries.ravel()
    return result


_predicted = lru_cache(maxsize=8)(predicted)


def _finite(statement: Statement, setting: Setting) -> Evidence:
    """Joint test of all squared lengths in every cell, and the errors it could have missed."""
    stated = {name: float(value) for name, value in _coefficients(statement).items()}
    factors = {
        "plain": stated["plain"] ** 2,
        "gate": stated["gate"] ** 2,
        "linear": stated["linear"] ** 2,
        "cross": stated["gate"] * stated["linear"],
    }
    share = setting.alpha / len(CELLS)
    tests = []
    detectable: dict[str, float] = {}
    for cell in CELLS:
        moments = setting.measured[cell]
        terms = _predicted(cell)
        parts = {part: factors[part] * np.sum(list(terms[part].values()), axis=0) for part in factors}
        claimed = np.sum(list(parts.values()), axis=0)
        tolerance = ROUNDING * np.abs(moments.mean).max()
        tests.append((hotelling(moments.mean, moments.covariance, claimed, tolerance), cell, claimed))
        directions = {f"{part}: {term}": v for part in terms for term, v in terms[part].items()}
        stated_directions = {
            "plain gradient": 2 * parts["plain"],
            "gate path": 2 * parts["gate"] + parts["cross"],
            "linear path": 2 * parts["linear"] + parts["cross"],
        }
        for row, (name, scale) in enumerate(UNITS):  # also wrong for one activation alone
            only = np.tile(np.arange(len(UNITS)) == row, 4)
            directions |= {f"{k}, {name}, s = {scale:g}": v * only for k, v in stated_directions.items()}
        for label, v in directions.items():
            seen = smallest_detectable(moments.covariance, v, share, setting.power, tolerance)
            detectable[label] = min(seen, detectable.get(label, np.inf))
    samples = sum(setting.measured[cell].neurons for cell in CELLS)
    worst = max(detectable, key=lambda label: detectable[label])
    test, cell, claimed = min(tests, key=lambda entry: entry[0].p_value)
    sentence = (
        f"joint chi-square of |grad h|^2 of {2 * len(UNITS)} kinds of units in {len(tests)} cells: smallest p = "
        f"{test.p_value:.2g} (refuted below {share:.2g}); errors from {detectable[worst]:.2%} in a single "
        "coefficient would be seen"
    )
    if test.p_value < share:
        verdict, sentence = Verdict.REFUTED, f"{_counterexample(cell, claimed, setting)}; {sentence}"
    elif detectable[worst] > setting.needed:
        verdict = Verdict.INCONCLUSIVE
        sentence += f", {setting.needed:.2%} are asked for ({worst}); more units are needed"
    else:
        verdict = Verdict.CONFIRMED
    return Evidence(verdict, sentence, samples, detectable[worst])


def _counterexample(cell: UnitCell, claimed: Array, setting: Setting) -> str:
    """The unit that disagrees most, in standard errors."""
    moments = setting.measured[cell]
    errors = np.sqrt(np.diagonal(moments.covariance))
    worst = int(np.argmax(np.abs(moments.mean - claimed) / errors))
    kind = ("plain", "gated", "gated, less its mean given w,", "plain, less its mean given u,")[
        worst // len(UNITS)
    ]
    name, scale = UNITS[worst % len(UNITS)]
    return (
        f"{kind} {name} unit, d = {cell.d}, s = {scale:g}: the claim says {claimed[worst]:.6g}, units have "
        f"{moments.mean[worst]:.6g} +- {errors[worst]:.1g}"
    )


CLAIMS = (
    Claim(
        STATEMENTS["C3"],
        (
            Rung("exact", Verdict.PROVED, _exact),
            Rung("finite", Verdict.CONFIRMED, _finite, CELLS),
        ),
    ),
)
