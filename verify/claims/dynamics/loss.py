"""A15: the expected loss after k steps, as derived, of the exact kernels, and of networks that are trained."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import sympy as sp

from derivations.derivation import Derivation
from derivations.dynamics import expected_loss, loss_argument
from derivations.dynamics_symbols import EXPECTED, eigenvalue, index, steps, target
from derivations.learning_symbols import eta
from derivations.sources import STATEMENTS, Statement
from verify.activations import Array
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.dynamics.descents import kernels, step_size
from verify.claims.dynamics.trained import LOSS_CELLS, Trained
from verify.claims.spectrum.matrices import NETWORKS
from verify.claims.spectrum.quantities import Mean, mean_of
from verify.inputs import generate

INSTEAD = (
    "instead, for the network itself: E L_k = 1/2 sum_i (c_i + beta_i^2)(1 - eta lambda_i)^(2k) with c_i = v_i^T C_0 v_i, "
    "C_0 the covariance of its outputs (NNGP kernel)"
)
EXAMPLE, EXAMPLE_STEPS = (30, 10, 4000), (0, 30, 200)
"""n, d and m, and the steps, at which the two are compared in numbers."""


@lru_cache(maxsize=2)
def chain(initial: str) -> Derivation:
    """From the squared loss to the sum over modes, checked."""
    found = loss_argument(initial)
    found.check()
    return found


def _proved(statement: Statement, _: Setting) -> Evidence:
    """Both forms are the derived ones, up to a factor without any symbol."""
    derived = chain("kernel")
    matrix, modes = [step.rhs for step in derived.steps if step.lhs == EXPECTED(steps)][-2:]
    factor = modes.as_independent(sp.Sum)[0]
    pairs = {"matrix form": matrix, "mode": factor * modes.atoms(sp.Sum).pop().function}
    ratios = {}
    for name, expected in pairs.items():
        ratios[name] = sp.cancel(sp.expand(statement.formula(name)) / sp.expand(expected))
        if not ratios[name].is_number:
            return Evidence(
                Verdict.REFUTED, f"{name}: stated over derived is {sp.sstr(ratios[name])}, not a constant"
            )
    if len(set(ratios.values())) > 1:
        return Evidence(Verdict.REFUTED, f"the two forms differ: stated over derived is {ratios}")
    text = f"both forms are {ratios['mode']} times those derived from the loss |f - Y|^2 / 2"
    return Evidence(Verdict.PROVED, f"{text}, in {len(derived.steps)} proved steps")


def stated_loss(statement: Statement) -> Callable[[Array, Array, float, int], float]:
    """The stated sum over modes, as a function of eigenvalues, v_i^T Y, the step size and the number of steps."""
    mode = sp.lambdify((eigenvalue[index], target[index], eta, steps), statement.formula("mode"), "numpy")
    return lambda values, projections, rate, k: float(np.sum(mode(values, projections, rate, k)))


def stated_losses(statement: Statement, K: Array, Y: Array, rate: float, moments: tuple[int, ...]) -> Array:
    """After each number of steps, with the factor 1/2 of the loss : (s,) float."""
    loss = stated_loss(statement)
    values, vectors = np.linalg.eigh(K)
    return np.array([loss(values, vectors.T @ Y, rate, k) for k in moments]) / 2


def _exact(statement: Statement, _: Setting) -> Evidence:
    """The smallest counterexample in closed form, then numbers at a common size."""
    chain("nngp")
    (K, _gated), (C, _gated_outputs) = kernels("exact", np.ones((1, 1)), 1)
    ratios = []
    for label in (0.0, 1.0):
        stated = stated_losses(statement, K, np.array([label]), 0.5, (0,))[0]
        true = expected_loss(K, 0.5, [label], C).at([0])[0]
        ratios.append(stated / true)
    if np.ptp(ratios) < 1e-12 * max(ratios):
        return Evidence(Verdict.CONFIRMED, "proportional to the loss of a network with one neuron on one row")
    text = (
        f"smallest counterexample n = d = m = 1, x = 1: before the first step, stated over derived is {ratios[0]:.4g} with "
        f"Y = 0 and {ratios[1]:.4g} with Y = 1, no constant factor; {_in_numbers(statement)}; {INSTEAD} (proved)"
    )
    return Evidence(Verdict.REFUTED, text)


def _in_numbers(statement: Statement) -> str:
    n, d, width = EXAMPLE
    rng = np.random.default_rng(0)
    X, Y = generate("gaussian", n, d, rng), rng.standard_normal(n)
    (K, _), (C, _) = kernels("exact", X, width)
    rate = step_size([K])
    stated = stated_losses(statement, K, Y, rate, EXAMPLE_STEPS)
    true = expected_loss(K, rate, Y, C).at(EXAMPLE_STEPS)
    ratios = ", ".join(f"{ratio:.3g}" for ratio in stated / true)
    return f"n = {n}, d = {d}, m = {width} (relu): {ratios} after {', '.join(map(str, EXAMPLE_STEPS))} steps"


def _finite(statement: Statement, setting: Setting) -> Evidence:
    """Whether mean losses of trained networks are proportional to the stated ones, where they are to the derived ones."""
    cells = [cell for cell in LOSS_CELLS if cell in setting.measured]
    share = setting.alpha / (2 * len(cells) * len(NETWORKS))
    failing, open_, samples = [], 0, 0
    for cell in cells:
        found: Trained = setting.measured[cell]
        samples += found.losses.shape[1] * len(NETWORKS)
        matrices = kernels("exact", found.X, cell.width)[0]
        for name, losses, K, derived in zip(
            NETWORKS, found.losses, matrices, found.expected(cell.width), strict=True
        ):
            stated = stated_losses(statement, K, found.Y, found.rate, cell.steps)
            change, own = (_change(losses, by) for by in (stated, derived.at(cell.steps)))
            if abs(own.mean) > own.deviation(share) * own.error:
                open_ += (
                    1  # too narrow to follow any kernel: it says nothing of what is wrong with the statement
                )
            elif abs(change.mean) > change.deviation(share) * change.error:
                first, last = (losses[:, i].mean() / stated[i] for i in (0, -1))
                failing.append(
                    f"{name}, {cell.size}: trained over stated {first:.3g} at first and {last:.3g} after {cell.steps[-1]} "
                    f"steps ({abs(change.mean / change.error):.0f} standard errors apart, {change.draws} networks; over the "
                    f"derived loss {abs(own.mean / own.error):.1f})"
                )
    if not failing:
        verdict = Verdict.INCONCLUSIVE if open_ else Verdict.CONFIRMED
        return Evidence(verdict, "proportional to the mean losses of networks that follow a kernel", samples)
    near = "; ".join(_nearness(index, setting) for index in range(len(NETWORKS)))
    return Evidence(Verdict.REFUTED, f"{failing[-1]}; {INSTEAD}: {near}", samples)


def _change(losses: Array, expected: Array) -> Mean:
    """Of each network's own loss over the expected one, the last less the first: 0 on average if proportional."""
    return mean_of(losses[:, -1] / expected[-1] - losses[:, 0] / expected[0])


def _nearness(network: int, setting: Setting) -> str:
    """Trained over derived, by width."""
    parts = []
    for cell in LOSS_CELLS:
        if cell in setting.measured:
            found: Trained = setting.measured[cell]
            expected = found.expected(cell.width)[network].at(cell.steps)
            first, last = (mean_of(found.losses[network, :, i] / expected[i]) for i in (0, -1))
            parts.append(
                f"{first.mean:.2f} +- {first.error:.2f} at first and {last.mean:.2f} +- {last.error:.2f} after "
                f"{cell.steps[-1]} steps at m = {cell.width}"
            )
    return f"trained over that, {NETWORKS[network]}: {', '.join(parts)}"


CLAIM = Claim(
    STATEMENTS["A15"],
    (
        Rung("simplified", Verdict.PROVED, _proved),
        Rung("exact", Verdict.REFUTED, _exact),
        Rung("finite", Verdict.REFUTED, _finite, LOSS_CELLS),
    ),
)
