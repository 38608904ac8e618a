"""The finite rung: the stated entries of every block against random neurons, jointly."""

from __future__ import annotations

import numpy as np

from derivations.sources import Statement
from verify.activations import Array
from verify.blocks import DIMENSION, WIDTH, GateCell
from verify.claim import Evidence, Setting, Verdict
from verify.claims.entries import ROUNDING
from verify.claims.gates.entries import claimed
from verify.claims.gates.members import CELLS, FURTHER
from verify.joint_test import hotelling, smallest_detectable
from verify.moments import EntryMoments

_BLOCKS = ("readout", "weights of the activation", "gate 1", "gate 2")


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
    >>> from derivations.sources import STATEMENTS
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
    >>> from derivations.sources import STATEMENTS
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


def judge_finite(statement: Statement, setting: Setting) -> Evidence:
    """Joint test of all entries of all blocks in every cell, and the errors it could have missed."""
    measured = {cell: setting.measured[cell] for cell in (*CELLS, *FURTHER) if cell in setting.measured}
    share = setting.alpha / len(measured)
    samples = sum(moments.neurons for moments in measured.values())
    tests = [
        (*test, cell) for cell, moments in measured.items() for test in joint_tests(statement, cell, moments)
    ]
    p_value, what, entries, cell = min(tests, key=lambda test: test[0])
    sentence = (
        f"joint chi-square of all entries of all blocks of {len(measured)} networks: smallest p = {p_value:.2g} "
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
