r"""C2: kernels of activations with p linear gates, block by block, and their alpha, beta and gamma.

Random neurons measure every block of the kernel by itself (readout, weights of the activation, each gate), so
that an error in one block is not hidden in the noise of the others:

.. math:: K = \sum_{\text{blocks } b} K^b, \qquad
          K^b_{ij} = m\, E\big[\nabla_b z(x_i) \cdot \nabla_b z(x_j)\big],

z the contribution of one neuron.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
import sympy as sp

from derivations import derive, kernel_function, network
from derivations.expansion import on_diagonal
from derivations.gaussian import expectation as exact_expectation
from derivations.identity import vanishes
from derivations.kernel_derivation import KernelDerivation
from derivations.normal_form import from_expression
from derivations.rules import rewrite
from derivations.sources import STATEMENTS, Statement
from derivations.sources.gate_expansions import GATES, MARKERS, SLOPE_SQUARE, SQUARE
from derivations.sources.glu_condition_numbers import GRAM, PHI_PHI, SLOPE_SLOPE
from derivations.symbols import (
    KERNEL,
    Coefficient,
    Expectation,
    Hermite,
    Phi,
    alpha,
    beta,
    d,
    gamma,
    j,
    l,
    m,
    r_i,
    u_1,
    u_2,
    x,
    y,
    z,
)
from verify.activations import ACTIVATIONS, Array
from verify.cells import Cell
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.entries import ROUNDING
from verify.finite import FiniteNetwork, Weights
from verify.joint_test import hotelling, smallest_detectable
from verify.moments import EntryMoments
from verify.products import add_row_products, empty_triangle, symmetric
from verify.quadrature import expectation
from verify.streams import draw_neurons

# A width that is neither the dimension nor 1: m in the place of d, or left out, shows.
WIDTH, DIMENSION = 3, 2
ORDER = 4

_BLOCKS = ("readout", "weights of the activation", "gate 1", "gate 2")
_COSINES = (-0.99, -0.4, 0.0, 0.3, 0.8, 1.0)
# Quadrature is right to 1e-13 of sqrt(K_ii K_jj), kernel functions to 1e-12.
_QUADRATURE = 1e-11


@dataclass(frozen=True)
class GateCell:
    r"""Blocks of the kernel of one network on four inputs, measured as `verify.cells.Cell` measures kernels.

    The inputs are those of `Cell`, of squared length d times `variance`.

    Attributes
    ----------
    activation : str
    gates : int
        p, the number of linear gates.
    thousands : int
        Neurons in multiples of 1024, in the quick profile.
    variance : float
        Of the preactivation.
    """

    activation: str
    gates: int
    thousands: int
    variance: float = 1.0

    @property
    def name(self) -> str:
        """Key of the cell's random numbers."""
        return f"blocks/{self.activation}/p={self.gates}"

    @property
    def d(self) -> int:
        """The dimension of the inputs."""
        return DIMENSION

    @property
    def X(self) -> Array:
        """The rows : (4, d)."""
        return Cell(self.activation, "ntk", DIMENSION, WIDTH, 1).X * np.sqrt(self.variance)

    @property
    def network(self) -> FiniteNetwork:
        """The network whose gradients are measured."""
        phi, dphi = ACTIVATIONS[self.activation]
        return FiniteNetwork(self.name, phi, dphi, self.gates)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> EntryMoments:
        """Mean of the entries i <= j of every block, ((2 + p) 10,), and its covariance."""
        X, finite = self.X, self.network
        count = max(2, round(self.thousands * 1024 * factor))
        key = np.random.SeedSequence(
            seed.entropy, spawn_key=(*seed.spawn_key, zlib.crc32(self.name.encode()))
        )
        pilot: Array | None = None
        size = (2 + self.gates) * 10
        total, squares = np.zeros(size), empty_triangle(size)
        for weights in draw_neurons(finite, len(X), DIMENSION, WIDTH, count, 1, key):
            terms = block_terms(finite, weights, X, WIDTH)
            if pilot is None:  # about 0, what hardly varies would lose its variance to cancellation
                pilot = terms.mean(axis=1, keepdims=True)
            terms -= pilot
            total += terms.sum(axis=1)
            add_row_products(squares, terms)
        assert pilot is not None  # there is at least one neuron
        shift = total / count
        scatter = symmetric(squares) - count * np.outer(shift, shift)
        return EntryMoments(
            WIDTH * (pilot[:, 0] + shift), WIDTH**2 / (count * (count - 1.0)) * scatter, WIDTH, count
        )


def block_terms(finite: FiniteNetwork, weights: Weights, X: Array, width: int) -> Array:
    r"""What some neurons contribute to the entries i <= j of every block of the kernel.

    .. math:: \xi^a_{ij} = \partial_a z(x_i)\, \partial_a z(x_j), \qquad
              \xi^w_{ij} = \nabla_w z(x_i) \cdot \nabla_w z(x_j), \qquad
              \xi^{v_l}_{ij} = \nabla_{v_l} z(x_i) \cdot \nabla_{v_l} z(x_j)

    Parameters
    ----------
    finite : FiniteNetwork
    weights : Weights
        Of b neurons.
    X : (n, d) float
    width : int

    Returns
    -------
    ((2 + p) n (n + 1) / 2, b) float
        Readout, weights of the activation, gates; the pairs in the order of `numpy.triu_indices`.

    Raises
    ------
    InputError
        If the activation has no derivative.

    Source
    ------
    Derived here (the chain rule, in `FiniteNetwork.factors`).

    Examples
    --------
    >>> from verify.finite import finite_network
    >>> one = Weights(np.array([2.0]), np.array([[3.0]]), np.array([[[5.0]]]))
    >>> block_terms(finite_network("reglu"), one, np.array([[1.0]]), 1).ravel()  # of z(x) = a max(w x, 0) v x
    array([225., 100.,  36.])
    """
    factors = finite.factors(weights, X, width)
    n, count = factors.readout.shape
    gram = X @ X.T
    pairs = n * (n + 1) // 2
    terms = np.empty((1 + factors.gradient.shape[1], pairs, count))
    stop = 0
    for row in range(n):
        start, stop = stop, stop + n - row
        np.multiply(factors.readout[row], factors.readout[row:], out=terms[0, start:stop])
        for block in range(factors.gradient.shape[1]):
            left = factors.gradient[row, block] * gram[row, row:, None]
            np.multiply(left, factors.gradient[row:, block], out=terms[1 + block, start:stop])
    return terms.reshape(-1, count)


# Neurons (in 1024s) at which every term of every block and coefficient is seen to half a percent.
CELLS = (
    GateCell("gelu", 0, 8_192),
    GateCell("silu", 0, 8_192),
    GateCell("sigmoid", 0, 8_192),
    GateCell("gelu", 1, 16_384),
    GateCell("silu", 1, 35_840),
    GateCell("sigmoid", 1, 10_752),
    GateCell("identity", 1, 14_336),
    GateCell("relu", 2, 65_536),
)


@lru_cache(maxsize=64)
def derived(activation: str, gates: int) -> KernelDerivation:
    """The derivation of a network's kernel and its expansion to degree `ORDER`, every step checked.

    Raises
    ------
    InputError
        If the activation is unknown or jumps.

    Examples
    --------
    >>> derived("relu", 2).coefficients.alpha
    3/(4*d**2) + m/(4*d**3)
    """
    result = derive(network(activation, gates=gates), order=ORDER)
    result.check()
    return result


@lru_cache(maxsize=64)
def exact_moments(activation: str, gates: int) -> dict[sp.Expr, sp.Expr]:
    r"""Hermite coefficients \(a_k\), second moments of phi and phi': closed, or middles of enclosures.

    Examples
    --------
    >>> exact_moments("relu", 1)[Hermite(1)], exact_moments("relu", 1)[SQUARE]
    (1/2, 1/2)
    """
    result = derived(activation, gates)
    if not result.is_closed:
        return {name: ball.args[0] for name, ball in result.enclosures.items()}
    values = {}
    for k in range(ORDER + 1):
        weighted = from_expression(sp.expand(result.network.activation.phi * sp.hermite_prob(k, z)))
        values[Hermite(k)] = exact_expectation(weighted, sp.S.One) / sp.sqrt(sp.factorial(k))
    for order, name in enumerate((SQUARE, SLOPE_SQUARE)):
        dual = rewrite(Expectation(Phi(order, u_1) * Phi(order, u_2)), result.steps)
        values[name] = on_diagonal(dual).subs(r_i, sp.sqrt(d))
    return values


@lru_cache(maxsize=64)
def quadrature_moments(activation: str) -> dict[sp.Expr, float]:
    r"""\(a_0, a_1, E\phi^2, E\phi'^2\) of the activation as typed in `verify.activations`, by quadrature.

    Examples
    --------
    >>> round(quadrature_moments("relu")[Hermite(0)], 12)  # 1 / sqrt(2 pi)
    0.398942280401
    """
    phi, slope = ACTIVATIONS[activation]
    assert slope is not None  # none of them jumps
    return {
        Hermite(0): expectation(phi, np.ones_like, 1.0, 1.0, 1.0),
        Hermite(1): expectation(phi, lambda u: u, 1.0, 1.0, 1.0),
        SQUARE: expectation(phi, phi, 1.0, 1.0, 1.0),
        SLOPE_SQUARE: expectation(slope, slope, 1.0, 1.0, 1.0),
    }


def _whole(formula: sp.Expr) -> sp.Expr:
    """The sum over all blocks."""
    return formula.subs(dict.fromkeys(MARKERS, 1))


# A planted error changes one formula: what was said of the others is remembered.
@lru_cache(maxsize=4096)
def contradiction(name: str, formula: sp.Expr, activation: str, gates: int) -> str:
    """Where a stated formula differs from what is derived for a network or from quadrature; or nothing.

    Parameters
    ----------
    name : str
        ``"kernel"``, ``"alpha"``, ``"beta"``, ``"gamma"`` or ``"shift law"``.
    formula : Expr
        As in the statement, with the blocks' markers.
    activation, gates
        The network.

    Returns
    -------
    str
        Empty if both agree.

    Examples
    --------
    >>> formula = STATEMENTS["C2"].formula("beta, p = 1")
    >>> contradiction("beta", formula, "relu", 1)
    ''
    >>> contradiction("beta", 2 * formula, "identity", 1)  # 0, whatever the factor
    ''
    >>> contradiction("alpha", 2 * formula, "identity", 1)
    'alpha of identity with p = 1: stated 0, derived 2/d + m/d**2'
    """
    result = derived(activation, gates)
    where = f"{activation} with p = {gates}"
    if name == "kernel":
        return _kernel_contradiction(formula, result, where)
    known = exact_moments(activation, gates) if result.is_closed else {}
    if name == "shift law":
        for degree in range(ORDER + 1):
            stated = sp.S.Zero if degree < gates else formula.subs({j: degree, GATES: gates}).subs(known)
            found = result.result(Coefficient(degree))
            if not vanishes(stated - found):
                return f"{where}, degree {degree}: stated {_shown(stated)}, derived {_shown(found)}"
        return ""
    found = result.result({"alpha": alpha, "beta": beta, "gamma": gamma}[name])
    if not vanishes(_whole(formula).subs(known) - found):
        return f"{name} of {where}: stated {_shown(_whole(formula).subs(known))}, derived {_shown(found)}"
    at = {m: WIDTH, d: DIMENSION}
    stated = float(_whole(formula).subs(at).subs(quadrature_moments(activation)))
    coefficients = result.coefficients
    number = float(getattr(coefficients, name).subs(at))
    size = sum(
        abs(float(value.subs(at))) for value in (coefficients.alpha, coefficients.beta, coefficients.gamma)
    )
    if abs(stated - number) > _QUADRATURE * size:
        return f"{name} of {where}: by quadrature {stated:.15g}, derived {number:.15g}"
    return ""


def _kernel_contradiction(formula: sp.Expr, result: KernelDerivation, where: str) -> str:
    names = {
        Expectation(Phi(0, u_1) * Phi(0, u_2)): PHI_PHI,
        Expectation(Phi(1, u_1) * Phi(1, u_2)): SLOPE_SLOPE,
        sp.Sum(x[l] * y[l], (l, 1, d)): GRAM,
    }
    general = next(step.rhs for step in result.steps if step.title == "General kernel" and step.lhs == KERNEL)
    found = general.subs(names).subs(dict(result.network.parametrization.values))
    if not vanishes(_whole(formula) - found):
        return f"kernel of {where}: stated {_shown(_whole(formula))}, derived {_shown(found)}"
    angles = np.arccos(_COSINES)
    X = np.sqrt(DIMENSION) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    X[:, 1] *= np.abs(_COSINES) < 1  # sin(pi) is not 0
    first = np.array([[np.sqrt(DIMENSION), 0.0]])
    computed = kernel_function(result, width=WIDTH)(first, X)[0]
    phi, slope = ACTIVATIONS[result.network.activation.name]
    assert slope is not None  # none of them jumps
    value = sp.lambdify((PHI_PHI, SLOPE_SLOPE, GRAM), _whole(formula).subs({m: WIDTH, d: DIMENSION}), "numpy")
    for cosine, number in zip(_COSINES, computed, strict=True):
        duals = (expectation(f, f, 1.0, 1.0, cosine) for f in (phi, slope))
        stated = value(*duals, DIMENSION * cosine)
        if abs(stated - number) > _QUADRATURE * computed[-1]:
            return (
                f"kernel of {where} at rho = {cosine:g}: by quadrature {stated:.15g}, computed {number:.15g}"
            )
    return ""


def _shown(expression: sp.Expr) -> str:
    return sp.sstr(expression, full_prec=False)


def _exact(statement: Statement, _: Setting) -> Evidence:
    """The stated forms are derived for every network, and quadrature agrees with the numbers."""
    for cell in CELLS:
        formulas = {name: statement.formula(f"{name}, p = {cell.gates}") for name in FORMS}
        for name, formula in (formulas | {"shift law": statement.formula("shift law")}).items():
            difference = contradiction(name, formula, cell.activation, cell.gates)
            if difference:
                return Evidence(Verdict.REFUTED, difference)
    return Evidence(Verdict.PROVED, _summary())


FORMS = ("kernel", "alpha", "beta", "gamma")


@lru_cache(maxsize=1)
def _summary() -> str:
    parts = []
    for cell in CELLS:
        result = derived(cell.activation, cell.gates)
        at = {m: WIDTH, d: DIMENSION}
        numbers = ", ".join(f"{float(getattr(result.coefficients, name).subs(at)):.6g}" for name in FORMS[1:])
        if result.is_closed:
            known = "closed"
        else:
            radius = max(float(r.subs(at)) for r in _radii(result))
            known = f"certified to {radius:.0e}"
        parts.append(f"{cell.activation} with p = {cell.gates} {numbers} ({known})")
    return (
        f"kernel, shift law to degree {ORDER}, alpha, beta and gamma identical to what is derived, every "
        f"step proved or certified, and within {_QUADRATURE:.0e} of quadrature, the kernel at rho = "
        + ", ".join(f"{cosine:g}" for cosine in _COSINES)
        + f"; alpha, beta, gamma at m = {WIDTH}, d = {DIMENSION}: "
        + "; ".join(parts)
    )


def _radii(result: KernelDerivation) -> tuple[sp.Expr, ...]:
    radius = result.coefficients_radius
    return radius.alpha, radius.beta, radius.gamma


@dataclass(frozen=True)
class Predicted:
    """What is derived of one cell's kernel.

    Attributes
    ----------
    blocks : tuple of (10,) float
        Of readout, weights of the activation, gates.
    phi_phi, slope_slope, gram : (10,) float
        E[phi phi], E[phi' phi'] and x.y of every pair; an expectation is 0 where no block depends on it.
    """

    blocks: tuple[Array, ...]
    phi_phi: Array
    slope_slope: Array
    gram: Array


@lru_cache(maxsize=128)
def predicted(cell: GateCell) -> Predicted:
    r"""The blocks that the derived kernel K and its NNGP covariance \(\Sigma\) imply.

    .. math:: K^a = m\, \Sigma, \qquad K^{v_l} = d\, \Sigma, \qquad K^w = K - (m + p d)\, \Sigma

    Source
    ------
    Derived here.

    Examples
    --------
    >>> blocks = predicted(GateCell("identity", 1, 1)).blocks
    >>> [round(float(block[0]), 12) for block in blocks]  # m, d and d where |x|^2 = d
    [3.0, 2.0, 2.0]
    """
    X, result = cell.X, derived(cell.activation, cell.gates)
    pairs = np.triu_indices(len(X))
    kernel = kernel_function(result, width=WIDTH)(X)[pairs]
    covariance = kernel_function(result, "nngp")(X)[pairs]
    weights = kernel - (WIDTH + cell.gates * DIMENSION) * covariance
    blocks = (WIDTH * covariance, weights, *[DIMENSION * covariance] * cell.gates)
    gram = (X @ X.T)[pairs]
    # At a right angle blocks with a factor gram are 0 whatever they multiply it with.
    visible = np.abs(gram) > 1e-9
    linear = np.where(visible, gram, 1.0) / DIMENSION
    phi_phi = covariance if cell.gates == 0 else np.where(visible, covariance, 0.0) / linear**cell.gates
    slope_slope = np.where(visible, weights, 0.0) / (DIMENSION * linear ** (cell.gates + 1))
    return Predicted(blocks, phi_phi, slope_slope, gram)


@lru_cache(maxsize=4096)
def _contributions(name: str, formula: sp.Expr, cell: GateCell) -> tuple[tuple[str, Array], ...]:
    """The entries of every term of a stated formula, in its own block : ((2 + p) 10,) each."""
    known = predicted(cell)
    values: dict[sp.Expr, object] = {m: WIDTH, d: DIMENSION}
    if name == "kernel":
        symbols = {PHI_PHI: known.phi_phi, SLOPE_SLOPE: known.slope_slope, GRAM: known.gram}
        factor = np.ones(10)
    else:
        symbols = {}
        values |= _numbers(cell.activation, cell.gates)
        factor = DIMENSION ** (cell.gates + 1) * _shape(name, cell)
    result = []
    for term in sp.Add.make_args(sp.expand(formula)):
        (marker,) = term.free_symbols & set(MARKERS)
        block = MARKERS.index(marker)
        function = sp.lambdify(tuple(symbols), (term / marker).subs(values), "numpy")
        entries = np.zeros((2 + cell.gates, 10))
        entries[block] = function(*symbols.values()) * factor
        result.append((f"{name}, p = {cell.gates}: {term}", entries.ravel()))
    return tuple(result)


@lru_cache(maxsize=64)
def _numbers(activation: str, gates: int) -> dict[sp.Expr, sp.Expr]:
    """The derived moments, to 17 digits."""
    return {name: sp.N(value, 17) for name, value in exact_moments(activation, gates).items()}


def _shape(name: str, cell: GateCell) -> Array:
    """What alpha, beta or gamma multiplies, over the norms."""
    X = cell.X
    i, k = np.triu_indices(len(X))
    cosine = np.where(i == k, 1.0, (X @ X.T)[i, k] / DIMENSION)
    if name == "gamma":
        return np.where(i == k, 1.0, 0.0)
    return cosine ** (cell.gates + (name == "alpha"))


def _rest(cell: GateCell) -> Array:
    """What the derived blocks have off the diagonal beyond their terms of degree p and p + 1."""
    known = _numbers(cell.activation, cell.gates)
    first, second = float(known[Hermite(0)]) ** 2, float(known[Hermite(1)]) ** 2
    on = _shape("gamma", cell)
    rest = []
    for block, entries in enumerate(predicted(cell).blocks):
        weight = WIDTH if block == 0 else DIMENSION
        kept = weight * second * _shape("alpha", cell)
        if block != 1:  # the activation's weights see the slope, whose expansion begins one degree later
            kept = kept + weight * first * _shape("beta", cell)
        rest.append((1 - on) * (entries - kept))
    return np.concatenate(rest)


def claimed(
    statement: Statement, cell: GateCell
) -> Iterator[tuple[str, Array, tuple[tuple[str, Array], ...]]]:
    """The entries of the blocks as stated, by the kernel and by alpha, beta and gamma, with their terms.

    Yields
    ------
    (what, entries, terms)
        With the terms of each formula, labelled; alpha, beta and gamma only where |x|^2 = d.

    Examples
    --------
    >>> [what for what, _, _ in claimed(STATEMENTS["C2"], GateCell("exp", 1, 1, variance=0.25))]
    ['kernel']
    """
    forms = {
        name: _contributions(name, statement.formula(f"{name}, p = {cell.gates}"), cell)
        for name in (FORMS if cell.variance == 1 else FORMS[:1])
    }
    kernel = forms.pop("kernel")
    yield "kernel", np.sum([entries for _, entries in kernel], axis=0), kernel
    if forms:
        terms = tuple(term for form in forms.values() for term in form)
        yield "alpha, beta, gamma", np.sum([v for _, v in terms], axis=0) + _rest(cell), terms


def sensitivities(
    statement: Statement, cell: GateCell, moments: EntryMoments, alpha: float, power: float
) -> dict[str, float]:
    r"""The smallest relative error in each term of each formula that the joint test of one cell sees.

    .. math:: P\big[\chi^2_r(\epsilon^2\, v^T \Sigma^{+} v) > \chi^2_{r, \alpha}\big] = \text{power}

    with v the term's entries in its block (see `smallest_detectable`).

    Parameters
    ----------
    statement : Statement
    cell : GateCell
    moments : EntryMoments
        As the cell measures them.
    alpha, power : float
        False-alarm rate of the test, and probability of catching the error.

    Returns
    -------
    dict of str to float
        By name of the formula and term, without terms that are 0, as the constant coefficient of an odd
        activation.

    Raises
    ------
    InputError
        If a rate is out of range.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> cell = GateCell("sin", 0, 64)
    >>> moments = cell.measure(np.random.SeedSequence(0), 1.0)
    >>> seen = sensitivities(STATEMENTS["C2"], cell, moments, alpha=1e-3, power=0.999)
    >>> [label for label in seen if label.startswith("beta")]  # a_0 of an odd activation is 0
    []
    """
    tolerance = ROUNDING * np.abs(moments.mean).max()
    return {
        label: smallest_detectable(moments.covariance, vector, alpha, power, tolerance)
        for _, _, terms in claimed(statement, cell)
        for label, vector in terms
        if np.abs(vector).max() > 1e-15
    }


def joint_tests(
    statement: Statement, cell: GateCell, moments: EntryMoments
) -> list[tuple[float, str, Array]]:
    """p-value of the joint test of all entries of all blocks, what it judges, and the entries stated.

    Parameters
    ----------
    statement, cell, moments
        As for `sensitivities`.

    Returns
    -------
    list of (float, str, ((2 + p) 10,) float)
        By the kernel, and by alpha, beta and gamma: one event if the statement is true.

    Source
    ------
    Derived here; `verify.joint_test.hotelling`.

    Examples
    --------
    >>> cell = GateCell("sin", 0, 64)
    >>> tests = joint_tests(STATEMENTS["C2"], cell, cell.measure(np.random.SeedSequence(0), 1.0))
    >>> [(what, bool(p > 0.001)) for p, what, _ in tests]
    [('kernel', True), ('alpha, beta, gamma', True)]
    """
    tolerance = ROUNDING * np.abs(moments.mean).max()
    return [
        (hotelling(moments.mean, moments.covariance, entries, tolerance).p_value, what, entries)
        for what, entries, _ in claimed(statement, cell)
    ]


def _finite(statement: Statement, setting: Setting) -> Evidence:
    """Joint test of all entries of all blocks in every cell, and the errors it could have missed."""
    share = setting.alpha / len(CELLS)
    measured = {cell: setting.measured[cast(Cell, cell)] for cell in CELLS}
    samples = sum(moments.neurons for moments in measured.values())
    tests = [
        (*test, cell) for cell, moments in measured.items() for test in joint_tests(statement, cell, moments)
    ]
    p_value, what, entries, cell = min(tests, key=lambda test: test[0])
    sentence = (
        f"joint chi-square of all entries of all blocks of {len(CELLS)} networks: smallest p = {p_value:.2g} "
        f"(refuted below {share:.2g})"
    )
    if p_value < share:
        counterexample = _counterexample(cell, entries, measured[cell])
        return Evidence(Verdict.REFUTED, f"by {what}, {counterexample}; {sentence}", samples)
    seen = {
        f"{cell.activation}, {label}": value
        for cell, moments in measured.items()
        for label, value in sensitivities(statement, cell, moments, share, setting.power).items()
    }
    worst = max(seen, key=lambda label: seen[label])
    sentence += f"; errors from {seen[worst]:.2%} in a single term of a single network would be seen"
    if seen[worst] > setting.needed:
        sentence += f", {setting.needed:.2%} are asked for ({worst}); more neurons are needed"
        return Evidence(Verdict.INCONCLUSIVE, sentence, samples, seen[worst])
    return Evidence(Verdict.CONFIRMED, sentence, samples, seen[worst])


def _counterexample(cell: GateCell, entries: Array, moments: EntryMoments) -> str:
    """The entry of a block that disagrees most, in standard errors."""
    errors = np.sqrt(np.diagonal(moments.covariance))
    worst = int(np.argmax(np.abs(moments.mean - entries) / np.maximum(errors, 1e-300)))
    i, k = np.triu_indices(4)
    X = cell.X
    pair = worst % 10
    cosine = X[i[pair]] @ X[k[pair]] / (DIMENSION * cell.variance)
    return (
        f"{cell.activation} with p = {cell.gates}, d = {DIMENSION}, m = {WIDTH}, "
        f"block {_BLOCKS[worst // 10]}, rho = {cosine:.3f}: the claim says {entries[worst]:.6g}, "
        f"networks have {moments.mean[worst]:.6g} +- {errors[worst]:.1g}"
    )


CLAIMS = (
    Claim(
        STATEMENTS["C2"],
        (
            Rung("exact", Verdict.PROVED, _exact),
            # Measured like a `Cell`: the audit only asks a cell for its name, its size and its measurement.
            Rung("finite", Verdict.CONFIRMED, _finite, cast(tuple[Cell, ...], CELLS)),
        ),
    ),
)
