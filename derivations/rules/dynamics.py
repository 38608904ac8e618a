"""The expected loss under gradient descent on a linearised model: each rule recomputed on generic matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.dynamics_symbols import (
    EXPECTED,
    FLOW,
    LOSS,
    MATRIX,
    RESIDUAL,
    START,
    OfResidual,
    OfTargets,
    Trace,
    eigenvalue,
    energy,
    index,
    steps,
    target,
    time,
)
from derivations.identity import vanishes
from derivations.learning_symbols import eta
from derivations.matrix_symbols import IDENTITY, OUTPUTS
from derivations.rules.rule import Rule, known, rewrite
from derivations.symbols import COVARIANCE, KERNEL, Expectation, Phi, d, l, m, n, u_1, u_2, x, y

if TYPE_CHECKING:
    from derivations.derivation import Step

_DOT = sp.Sum(x[l] * y[l], (l, 1, d))
ROWS, COLUMNS = 2, 3
"""Of generic matrices: entry by entry the rules are the same sums at any size."""


def _generic(name: str, rows: int, columns: int) -> sp.Matrix:
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i}{j}", real=True))


def _symmetric(name: str) -> sp.Matrix:
    return sp.Matrix(ROWS, ROWS, lambda i, j: sp.Symbol(f"{name}{min(i, j)}{max(i, j)}", real=True))


def _gradient_step(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """By SymPy's derivatives of the squared loss of J theta + b with respect to every parameter."""
    if lhs != RESIDUAL(steps + 1):
        return False
    slope = sp.Poly(rhs, RESIDUAL(steps), IDENTITY, MATRIX)
    J, theta = _generic("J", ROWS, COLUMNS), _generic("theta", COLUMNS, 1)
    offset, Y = _generic("b", ROWS, 1), _generic("y", ROWS, 1)
    residual = J * theta + offset - Y
    loss = sum(entry**2 for entry in residual) / 2
    after = theta - eta * sp.Matrix([sp.diff(loss, parameter) for parameter in theta])
    # What the right side says, with I and K = J J^T put in for their names.
    said = sp.zeros(ROWS, 1)
    for (first, identity, kernel), factor in slope.terms():
        if first != 1 or identity + kernel != 1:
            return False
        said += factor * (J * J.T if kernel else sp.eye(ROWS)) * residual
    return all(sp.expand(entry) == 0 for entry in J * after + offset - Y - said)


def _recurrence(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Induction: right at k = 0, and a step multiplies it as the recurrence says."""
    if lhs != RESIDUAL(steps):
        return False
    factor = known(RESIDUAL(steps + 1), earlier) / RESIDUAL(steps)
    return rhs.subs(steps, 0) == RESIDUAL(0) and sp.powsimp(rhs.subs(steps, steps + 1) / rhs - factor).equals(
        0
    )


def _squared_loss(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """|A r|^2 = r^T A^2 r for the symmetric A = (I - eta K)^k, a polynomial in K; at k = 0, 1, 2 by matrices."""
    if lhs != LOSS(steps) or not isinstance(form := (2 * rhs), OfResidual):
        return False
    power = known(RESIDUAL(steps), earlier) / RESIDUAL(0)
    kernel, r = _symmetric("K"), _generic("r", ROWS, 1)
    for k in range(3):
        step, double = (_as_matrix(e.subs(steps, k), kernel) for e in (power, form.args[0]))
        if sp.expand(((step * r).T * (step * r) - r.T * double * r)[0]) != 0:
            return False
    return True


def _as_matrix(expression: sp.Expr, kernel: sp.Matrix) -> sp.Matrix:
    """A polynomial in I and K with these put in; a constant is that multiple of I."""
    result = sp.zeros(*kernel.shape)
    for (_, power), factor in sp.Poly(sp.expand(expression), IDENTITY, MATRIX).terms():
        result += factor * kernel**power
    return result


def _expectation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """E of a quadratic form: products of outputs replaced by their moments, entry by entry."""
    form = 2 * known(LOSS(steps), earlier)
    if lhs != EXPECTED(steps) or not isinstance(form, OfResidual):
        return False
    inside = form.args[0]
    A, C = _symmetric("A"), _symmetric("C")
    f, Y = _generic("f", ROWS, 1), _generic("y", ROWS, 1)
    terms = sp.Poly(sp.expand(((f - Y).T * A * (f - Y))[0]), *f).terms()
    mean = sp.S.Zero
    for powers, factor in terms:
        rows = [i for i, power in enumerate(powers) for _ in range(power)]
        mean += factor * {0: 1, 1: 0}.get(len(rows), C[rows[0], rows[-1]] if rows else 0)
    said = (
        (2 * rhs)
        .expand()
        .xreplace({Trace(inside * START): (A * C).trace(), OfTargets(inside): (Y.T * A * Y)[0]})
    )
    return not said.has(Trace, OfTargets) and sp.expand(said - mean) == 0


def _unit_parameters(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """E[J theta (J theta)^T] with E[theta_a theta_b] = 1 where a = b, against J J^T entry by entry."""
    if lhs != START or rhs != MATRIX:
        return False
    J, theta = _generic("J", ROWS, COLUMNS), _generic("theta", COLUMNS, 1)
    outputs = J * theta
    moments = {a * b: int(a == b) for a in theta for b in theta}
    found = (outputs * outputs.T).applyfunc(lambda entry: sp.expand(entry).subs(moments))
    return all(sp.expand(entry) == 0 for entry in found - J * J.T)


def _output_covariance(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """E[phi phi] (x.y/d)^g, from the definition of the network; and what the width multiplies in its kernel."""
    if lhs != START or rhs != OUTPUTS:
        return False
    gates = sum(step.rule == "differentiation" for step in earlier) - 2
    expected = Expectation(Phi(0, u_1) * Phi(0, u_2)) * (_DOT / d) ** gates
    covariance, kernel = (rewrite(known(name, earlier), earlier) for name in (COVARIANCE, KERNEL))
    return vanishes(covariance - expected) and vanishes(sp.diff(sp.expand(kernel), m) - expected)


def _no_outputs(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return lhs == START and rhs == 0


def _put_in(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The covariance by its value; the trace of 0 is 0."""
    if lhs != EXPECTED(steps):
        return False
    value = known(START, earlier)
    before = known(lhs, earlier)
    expected = before.replace(
        Trace, lambda inside: Trace(inside.subs(START, value)) if value != 0 else sp.S.Zero
    )
    return rhs != before and sp.expand(rhs - expected) == 0


def _eigenvalue_form(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """On 2 x 2 matrices of any eigenvalues in two bases, any targets and covariance, up to the third step."""
    twice = 2 * rhs
    if lhs != EXPECTED(steps) or not isinstance(twice, sp.Sum) or twice.limits != ((index, 1, n),):
        return False
    has_trace, value = known(lhs, earlier).has(Trace), known(START, earlier)
    if has_trace != (value != 0):
        return False
    values, Y = sp.symbols("l1 l2", real=True), _generic("y", ROWS, 1)
    outputs = _symmetric("C")
    for tangent in (sp.Rational(1, 2), sp.Rational(-1, 3)):
        c, s = (1 - tangent**2) / (1 + tangent**2), 2 * tangent / (1 + tangent**2)
        vectors = sp.Matrix([[c, -s], [s, c]])
        kernel = (vectors * sp.diag(*values) * vectors.T).applyfunc(sp.expand)
        C = {MATRIX: kernel, OUTPUTS: outputs}.get(value, sp.zeros(ROWS))
        factor, power = sp.eye(ROWS) - eta * kernel, sp.eye(ROWS)
        for k in range(4):
            found = (C * power).trace() + (Y.T * power * Y)[0]
            for i in range(ROWS):
                v = vectors[:, i]
                mode = {
                    eigenvalue[index]: values[i],
                    energy[index]: (v.T * C * v)[0],
                    target[index]: (v.T * Y)[0],
                }
                found -= twice.function.xreplace(mode | {steps: sp.Integer(k)})
            if sp.expand(found) != 0:
                return False
            power = (power * factor * factor).applyfunc(sp.expand)
    return True


def _flow(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The limit of every mode as eta tends to 0 at eta k = t."""
    if lhs != FLOW(time):
        return False
    before, after = (2 * e for e in (known(EXPECTED(steps), earlier), rhs))
    if not isinstance(before, sp.Sum) or not isinstance(after, sp.Sum) or before.limits != after.limits:
        return False
    u = sp.Symbol("u", positive=True)
    mode = before.function.subs(eigenvalue[index], u)
    limit = sp.limit(mode.subs(steps, time / eta), eta, 0, "+")
    return vanishes(sp.expand(limit - after.function.subs(eigenvalue[index], u)))


RULES: dict[str, Rule] = {
    "gradient step": Rule(
        "a step of gradient descent on |f - Y|^2 / 2, f linear in the parameters with slope J and K = J J^T, multiplies "
        "f - Y by I - eta K",
        "chain rule",
        _gradient_step,
    ),
    "k gradient steps": Rule("k equal factors", "induction", _recurrence),
    "loss as a quadratic form": Rule("I - eta K is symmetric", "definition of the loss", _squared_loss),
    "mean of a quadratic form": Rule(
        "E[(f - Y)^T A (f - Y)] = Tr[A C] + Y^T A Y for f of mean 0 and covariance C",
        "linearity of the expectation",
        _expectation,
    ),
    "parameters of unit variance": Rule(
        "outputs J theta, theta of mean 0 and covariance I, have the covariance J J^T = K",
        "definition of the kernel",
        _unit_parameters,
    ),
    "covariance of the outputs": Rule(
        "the outputs of the network that is initialised have the NNGP covariance: of the kernel, what the width multiplies",
        "derived here: comparison with the derived kernel",
        _output_covariance,
    ),
    "no outputs at first": Rule("f_0 = 0", "assumption", _no_outputs),
    "covariance put in": Rule("C_0 by its value", "substitution", _put_in),
    "sum over modes": Rule(
        "in the basis of K's eigenvectors v_i: lambda_i, c_i = v_i^T C_0 v_i, beta_i = v_i^T Y",
        "spectral theorem",
        _eigenvalue_form,
    ),
    "gradient flow": Rule(
        "(1 - eta u)^(2 t / eta) tends to exp(-2 u t) as eta to 0", "definition of e", _flow
    ),
}
