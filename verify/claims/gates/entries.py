"""The entries of every block: as derived, and as the stated formulas give them, term by term."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from derivations import kernel_function
from derivations.sources import Statement
from derivations.sources.gate_expansions import MARKERS
from derivations.sources.glu_condition_numbers import GRAM, PHI_PHI, SLOPE_SLOPE
from derivations.symbols import Hermite, d, m
from verify.activations import Array
from verify.blocks import DIMENSION, WIDTH, GateCell
from verify.claims.gates.members import FORMS, derived, exact_moments


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
    >>> from derivations.sources import STATEMENTS
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
