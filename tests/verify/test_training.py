"""Trained networks: descents written out by hand, independence of how the work is cut, and the kernel they settle on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations import kernel_function, network
from derivations.errors import InputError
from verify.finite import FiniteNetwork, Weights, finite_network
from verify.inputs import generate
from verify.labels import draw_labels
from verify.network_batch import draw_batch
from verify.training import TrainedLosses, kernel_losses, mean_error, train

X = generate("gaussian", 6, 3, np.random.default_rng(3))
Y = draw_labels("normal", X, 3)


def by_hand(
    seed: int, width: int, steps: int, rate: float, X: np.ndarray = X, Y: np.ndarray = Y
) -> list[float]:
    """Losses of one ReGLU network, one weight at a time: z(x) = sum_k a_k max(w_k.x, 0) (v_k.x)."""
    d = X.shape[1]
    batch = draw_batch(finite_network("reglu"), d, width, [seed], rng=0)
    a, w, v = batch.readout[0].tolist(), batch.inner[0, 0].T.tolist(), batch.inner[1, 0].T.tolist()
    losses = []
    for _ in range(steps + 1):
        errors = []
        for x, y in zip(X.tolist(), Y.tolist(), strict=True):
            z = 0.0
            for k in range(width):
                u, g = (sum(s * t for s, t in zip(row, x, strict=True)) for row in (w[k], v[k]))
                z += a[k] * max(u, 0.0) * g
            errors.append(z - y)
        losses.append(sum(e * e for e in errors) / 2)
        for k in range(width):
            da, dw, dv = 0.0, [0.0] * d, [0.0] * d
            for x, e in zip(X.tolist(), errors, strict=True):
                u, g = (sum(s * t for s, t in zip(row, x, strict=True)) for row in (w[k], v[k]))
                da += e * max(u, 0.0) * g
                for j in range(d):
                    dw[j] += e * a[k] * (u > 0) * g * x[j]
                    dv[j] += e * a[k] * max(u, 0.0) * x[j]
            a[k] -= rate * da
            w[k] = [s - rate * t for s, t in zip(w[k], dw, strict=True)]
            v[k] = [s - rate * t for s, t in zip(v[k], dv, strict=True)]
    return losses


def test_descent_is_what_one_does_by_hand():
    found = train("reglu", X, Y, width=5, steps=(0, 1, 2, 20), rate=0.02, seeds=3)
    for seed in range(3):
        expected = by_hand(seed, 5, 20, 0.02)
        # 21 passes of some hundred roundings each, on a descent that forgets them.
        np.testing.assert_allclose(found.losses[seed], [expected[t] for t in (0, 1, 2, 20)], rtol=1e-12)
    assert found.losses[:, -1].mean() < found.losses[:, 0].mean() / 2


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        (X[:1], Y[:1]),
        (X[:, :1], Y),
        (np.array([[2.0]]), Y[:1]),
        (np.vstack([X[:2], X[:2]]), Y[:4]),
        (np.vstack([X[:2], np.zeros((2, 3))]), Y[:4]),
        (np.zeros((2, 3)), Y[:2]),
    ],
    ids=["one row", "one column", "one number", "equal rows", "zero rows", "nothing"],
)
def test_special_rows_are_learned_like_any_others(rows: np.ndarray, labels: np.ndarray):
    found = train(
        "reglu", rows, labels, width=5, steps=(0, 1, 20), rate=0.002, seeds=2, test=(X[:, : rows.shape[1]], Y)
    )
    for seed in range(2):
        expected = by_hand(seed, 5, 20, 0.002, rows, labels)
        # Roundings of the outputs remain where nothing else is left of the loss.
        np.testing.assert_allclose(
            found.losses[seed], [expected[t] for t in (0, 1, 20)], rtol=1e-12, atol=1e-30
        )
    assert found.test_losses is not None
    assert np.isfinite(found.test_losses).all()


def tangent_decrease(chosen: FiniteNetwork, seed: int, width: int) -> float:
    """e^T K e, K from the network's factors: the rate at which the loss falls when descent begins."""
    batch = draw_batch(chosen, 3, width, [seed], rng=0)
    inner = batch.inner[:, 0].swapaxes(1, 2)
    weights = Weights(batch.readout[0], inner[0], inner[1:])
    factors, rows = chosen.factors(weights, X, width), chosen.rows(X)
    K = factors.readout @ factors.readout.T
    K += (rows @ rows.T) * np.einsum("ilk,jlk->ij", factors.gradient, factors.gradient)
    misfit = chosen.outputs(weights, X, width) @ weights.readout - Y
    return float(misfit @ K @ misfit)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", ["tanh", "swiglu", "geglu", "gqu"])
@pytest.mark.parametrize("bias_variance", [0.0, 0.4])
def test_a_short_step_gains_what_the_networks_own_kernel_says(
    name: str, parametrization: str, bias_variance: float
):
    chosen = finite_network(name, parametrization, bias_variance)
    decrease = np.array([tangent_decrease(chosen, seed, 7) for seed in range(4)])
    rate = 1e-7 / decrease.max()
    found = train(chosen, X, Y, width=7, steps=(0, 1), rate=rate, seeds=4)
    # The second order is 1e-7 of the first, times a ratio of derivatives below 1e3; the losses' rounding 1e-15/1e-7.
    slopes = (found.losses[:, 0] - found.losses[:, 1]) / rate
    np.testing.assert_allclose(slopes, decrease, rtol=1e-4, atol=1e-6 * decrease.max())


@pytest.mark.parametrize("name", ["relu", "swiglu", "gqu"])
def test_no_bit_depends_on_blocks_or_workers_or_how_many_networks_there_are(name: str):
    def run(seeds: int = 7, block: int | None = None, workers: int = 1) -> TrainedLosses:
        return train(
            name,
            X,
            Y,
            33,
            (0, 1, 9),
            0.0005,
            seeds,
            rng=np.random.SeedSequence(5),
            block=block,
            workers=workers,
        )

    whole = run(block=7)
    for other in (run(), run(block=1), run(block=2), run(block=3, workers=2), run(block=1, workers=3)):
        np.testing.assert_array_equal(other.losses, whole.losses)
        np.testing.assert_array_equal(other.initial, whole.initial)
    np.testing.assert_array_equal(run(seeds=3).losses, whole.losses[:3])
    assert len(np.unique(whole.losses[:, 0])) == 7
    assert not np.array_equal(train(name, X, Y, 33, (0, 1, 9), 0.0005, 7, rng=6).losses, whole.losses)


def test_what_is_recorded_does_not_depend_on_what_else_is():
    few, many = (train("geglu", X, Y, 20, steps, 0.01, 2) for steps in [(4,), range(6)])
    np.testing.assert_array_equal(few.losses[:, 0], many.losses[:, 4])
    np.testing.assert_array_equal(few.initial, many.initial)
    np.testing.assert_allclose(np.sum((many.initial - Y) ** 2, axis=1) / 2, many.losses[:, 0], rtol=1e-15)


def test_losses_on_further_rows_are_those_of_the_same_networks():
    steps, few = (0, 1, 20), (X[:4], Y[:4])
    found = train("reglu", *few, 5, steps, 0.02, 3, test=(X, Y), block=2, workers=2)
    unseen = train("reglu", *few, 5, steps, 0.02, 3, test=(X[4:], Y[4:]), block=1)
    plain = train("reglu", *few, 5, steps, 0.02, 3)
    np.testing.assert_array_equal(found.losses, plain.losses)
    assert plain.test_losses is None
    assert found.test_losses is not None
    assert unseen.test_losses is not None
    # Sums of a dozen squares, in another order.
    np.testing.assert_allclose(found.test_losses, found.losses + unseen.test_losses, rtol=1e-13)
    # They learn four rows and nothing of two others: the labels are independent.
    assert found.losses[:, -1].mean() < found.losses[:, 0].mean() / 2
    assert unseen.test_losses[:, -1].mean() > unseen.test_losses[:, 0].mean() / 2
    on_themselves = train("reglu", *few, 5, steps, 0.02, 3, test=few).test_losses
    np.testing.assert_array_equal(on_themselves, found.losses)


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_ends_with_all_networks_and_changes_nothing(workers: int):
    told: list[tuple[str, int, int]] = []
    found = train(
        "relu", X, Y, 5, (0, 3), 0.02, 7, block=2, workers=workers, progress=lambda *what: told.append(what)
    )
    assert told == [("networks", done, 7) for done in (2, 4, 6, 7)]
    np.testing.assert_array_equal(found.losses, train("relu", X, Y, 5, (0, 3), 0.02, 7).losses)


def test_the_mean_and_its_standard_error():
    found = TrainedLosses((0, 1), np.array([[1.0, 5.0], [3.0, 5.0], [5.0, 5.0]]), np.zeros((3, 1)))
    np.testing.assert_allclose(found.mean, [3.0, 5.0])
    np.testing.assert_allclose(found.standard_error, [2 / np.sqrt(3), 0.0])
    assert np.isnan(mean_error(np.zeros((1, 2)))).all()


def test_following_a_kernel_is_a_linear_recursion():
    rng = np.random.default_rng(8)
    K, initial = np.cov(rng.standard_normal((6, 20))), rng.standard_normal((3, 6))
    outputs, expected = initial, []
    for _ in range(21):
        expected.append(np.sum((outputs - Y) ** 2, axis=1) / 2)
        outputs = outputs - 0.1 * (outputs - Y) @ K
    found = kernel_losses(K, initial, Y, (0, 1, 7, 20), 0.1)
    np.testing.assert_allclose(found, np.array(expected)[[0, 1, 7, 20]].T, rtol=1e-12)


STEPS = (3, 10, 30)
DEVIATIONS = 4.0
"""Standard errors that a true statement about three steps and four networks is allowed: one false alarm in 1300 runs."""


def at_infinite_width(
    name: str, parametrization: str, trained: FiniteNetwork | None = None, factor: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Relative deviation of trained networks from the kernel's descent, extrapolated, and its standard error.

    It is c/m + O(1/m^2), so that 2 D(2m) - D(m) has neither constant nor first order: 0 if the networks settle on
    the kernel. What remains is of the order D(m)^2, which is 0.0015 at most here, less than half a standard error.
    """
    chosen = finite_network(name, parametrization)
    parts = []
    for width, weight in ((512, -1.0), (1024, 2.0)):
        K = kernel_function(network(name, parametrization=parametrization), width=width)(X)
        rate = 0.5 / np.linalg.eigvalsh(K)[-1]
        found = train(trained or chosen, X, Y, width, STEPS, factor * rate, seeds=500, rng=width)
        frozen = kernel_losses(K, found.initial, Y, STEPS, rate)
        difference, scale = found.losses - frozen, frozen.mean(axis=0)
        parts.append((weight * difference.mean(axis=0) / scale, weight * mean_error(difference) / scale))
    return parts[0][0] + parts[1][0], np.hypot(parts[0][1], parts[1][1])


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_wide_networks_follow_the_infinite_width_kernel(name: str, parametrization: str):
    deviation, error = at_infinite_width(name, parametrization)
    assert np.all(np.abs(deviation) < DEVIATIONS * error)
    # Power: at some step a deviation of 4 % would be seen.
    assert DEVIATIONS * error.min() < 0.04


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_step_that_is_five_percent_off_leaves_the_kernels_curve(factor: float):
    deviation, error = at_infinite_width("relu", "standard", factor=factor)
    assert np.any(np.abs(deviation) > DEVIATIONS * error)


@pytest.mark.parametrize("factor", [0.0, 0.9, 1.1])
def test_a_gradient_term_that_is_dropped_or_off_leaves_the_kernels_curve(factor: float):
    # Half the kernel in this parametrization; one percent is for the finite differences.
    chosen = finite_network("relu", "ntk")
    slope = chosen.dphi
    assert slope is not None
    deviation, error = at_infinite_width("relu", "ntk", replace(chosen, dphi=lambda z: factor * slope(z)))
    assert np.any(np.abs(deviation) > DEVIATIONS * error)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"network": "rglu"}, "network must be one of relu, "),
        ({"network": "step"}, "network must have a derivative to be trained, got 'step'"),
        ({"X": X[0]}, "X must be a matrix of shape (n, d)"),
        ({"Y": Y[1:]}, "Y must have shape (6,), a label for every row of X, got shape (5,)"),
        ({"Y": Y * np.nan}, "Y must"),
        ({"Y": list("abcdef")}, "Y must hold real numbers"),
        ({"Y": Y[:, None]}, "Y must have shape (6,), a label for every row of X, got shape (6, 1)"),
        ({"X": np.where(X > 1, np.nan, X)}, "X must hold finite numbers, got nan"),
        ({"X": X[:0]}, "X must"),
        ({"seeds": 0}, "seeds must be a positive integer, got 0"),
        ({"rate": -1.0}, "rate must be a positive number, got -1.0"),
        ({"rate": float("inf")}, "rate must be a positive number, got inf"),
        ({"width": 0}, "width must be a positive integer, got 0"),
        ({"width": 10**15}, "n = 6 rows need "),
        ({"seeds": 1.5}, "seeds must be a positive integer, got 1.5"),
        ({"steps": ()}, "steps must be increasing integers, 0 or more, got ()"),
        ({"steps": (0, 2, 2)}, "steps must be increasing integers, 0 or more, got (0, 2, 2)"),
        ({"steps": (-1, 2)}, "steps must be increasing integers, 0 or more, got (-1, 2)"),
        ({"steps": (0, 1.0)}, "steps must be increasing integers, 0 or more, got (0, 1.0)"),
        ({"steps": 3}, "steps must be increasing integers, 0 or more, got 3"),
        ({"steps": [[1], [2, 3]]}, "steps must be increasing integers, 0 or more, got [[1], [2, 3]]"),
        ({"rate": 0.0}, "rate must be a positive number, got 0.0"),
        ({"rate": "fast"}, "rate must be a positive number, got 'fast'"),
        ({"rate": float("nan")}, "rate must be a positive number, got nan"),
        (
            {"rate": 1e80},
            "rate must be smaller, below 2 / lambda_max of each network's kernel: "
            "with 1e+80 a loss leaves float64",
        ),
        ({"rng": -1}, "rng must be a non-negative integer"),
        ({"workers": 0}, "workers must be a positive integer, got 0"),
        ({"block": 0}, "block must be a positive integer, got 0"),
        ({"test": X}, "test must be a pair of rows and labels, got array("),
        ({"test": (X, Y, X)}, "test must be a pair of rows and labels, got (array("),
        ({"test": (X[:, :2], Y)}, "test X must have 3 columns, like X, got 2"),
        ({"test": (X[0], Y)}, "test X must be a matrix of shape (n, d)"),
        (
            {"test": (X, Y[1:])},
            "test Y must have shape (6,), a label for every row of test X, got shape (5,)",
        ),
        ({"test": (X, Y * np.nan)}, "test Y must"),
        ({"test": (np.ones((1, 3)), [1e200])}, "test Y must hold smaller numbers, or test X shorter rows"),
        (
            {"Y": Y * 1e200},
            "Y or X must hold smaller numbers: a loss leaves float64 before the first step",
        ),
        (
            {"X": X * 1e200},
            "Y or X must hold smaller numbers: a loss leaves float64 before the first step",
        ),
        ({"parametrization": "mean field"}, "parametrization must be one of standard, ntk"),
    ],
)
def test_bad_input_is_told_in_one_line(changed: dict, line: str):
    good = {"network": "reglu", "X": X, "Y": Y, "width": 8, "steps": (0, 5), "rate": 0.01, "seeds": 2}
    with pytest.raises(InputError) as caught:
        train(**(good | changed))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_following_a_kernel_refuses_what_is_none():
    with pytest.raises(
        InputError, match=r"^K must have shape \(6, 6\), like the rows of initial, got \(2, 2\)$"
    ):
        kernel_losses(np.eye(2), np.zeros((1, 6)), Y, (1,), 0.1)
    with pytest.raises(InputError, match=r"^rate must be a positive number"):
        kernel_losses(np.eye(6), np.zeros((1, 6)), Y, (1,), -0.1)
