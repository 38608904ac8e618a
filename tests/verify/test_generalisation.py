"""Training and test errors along descent: dense recursions, solves, rows left out, and how samples are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from derivations import kernel_function
from derivations.errors import InputError
from verify.generalisation import Descents, follow
from verify.inputs import generate
from verify.kernel_regression import interpolation_error, left_out_error
from verify.labels import draw_labels
from verify.learner import Learner
from verify.samples import Sample, fresh_samples, resplit

N, P, D, WIDTH = 12, 7, 4, 50
X = generate("gaussian", N + P, D, np.random.default_rng(1))
Y = draw_labels("network", X, 1) + 0.1 * draw_labels("normal", X, 1)
NETWORKS = ("relu", "reglu")
KERNELS = [kernel_function(name, width=WIDTH) for name in NETWORKS]
STARTS = [kernel_function(name, "nngp") for name in NETWORKS]
ROUNDING = 1e-8
"""Relative: matrices of 12 rows with condition numbers up to 1e4, 400 steps one after the other."""


def learner(index: int, factor: float = 1.0) -> tuple[Learner, np.ndarray, np.ndarray]:
    K, C = KERNELS[index](X), STARTS[index](X)
    found = Learner.of(K, C, Y, N)
    return found.at(factor / found.modes.values[-1]), K, C


def one_step_at_a_time(K: np.ndarray, C: np.ndarray, rate: float, steps: int) -> tuple[float, float]:
    """Errors of a Gaussian vector of outputs at all rows that is moved by its misfit at the first N."""
    pull = np.zeros_like(K)
    pull[:, :N] = rate * K[:, :N]
    mean, covariance = np.zeros(N + P), C
    for _ in range(steps):
        mean = mean - pull @ (mean - Y)
        covariance = (np.eye(N + P) - pull) @ covariance @ (np.eye(N + P) - pull).T
    errors = (mean - Y) ** 2 + np.diagonal(covariance)
    return float(errors[:N].mean()), float(errors[N:].mean())


@pytest.mark.parametrize("factor", [1.0, 0.3])
@pytest.mark.parametrize("index", range(2))
def test_errors_are_those_of_outputs_moved_one_step_at_a_time(index: int, factor: float):
    one, K, C = learner(index, factor)
    rate = factor / np.linalg.eigvalsh(K[:N, :N])[-1]
    steps = (0, 1, 7, 400)
    expected = np.array([one_step_at_a_time(K, C, rate, t) for t in steps]).T
    np.testing.assert_allclose(one.train(steps), expected[0], rtol=ROUNDING)
    np.testing.assert_allclose(one.test(steps), expected[1], rtol=ROUNDING)
    # The first outputs matter: without them all errors are others.
    still = Learner.of(K, 0 * C, Y, N).at(rate)
    assert np.all(np.abs(still.test(steps) / one.test(steps) - 1) > 1e-2)


@pytest.mark.parametrize("index", range(2))
def test_after_infinitely_many_steps_rows_are_interpolated(index: int):
    one, K, C = learner(index)
    assert one.train([np.inf])[0] == 0
    assert one.test([np.inf])[0] == pytest.approx(interpolation_error(K, C, Y, N), rel=ROUNDING)
    assert one.test([1e12])[0] == pytest.approx(one.test([np.inf])[0], rel=ROUNDING)


@pytest.mark.parametrize("index", range(2))
def test_a_row_left_out_is_missed_as_by_descent_without_it(index: int):
    _, K, C = learner(index)
    errors = []
    for i in range(N):
        order = np.r_[[j for j in range(N) if j != i], i]
        of_rows = np.ix_(order, order)
        errors.append(Learner.of(K[of_rows], C[of_rows], Y[order], N - 1).test([np.inf])[0])
    assert left_out_error(K[:N, :N], C[:N, :N], Y[:N]) == pytest.approx(np.mean(errors), rel=ROUNDING)
    # Of the mean predictor alone it is another number.
    assert left_out_error(K[:N, :N], 0 * C[:N, :N], Y[:N]) < 0.9 * np.mean(errors)


@pytest.mark.parametrize("index", range(2))
def test_rows_to_test_that_are_those_to_train_on_have_their_errors(index: int):
    _, K, C = learner(index)
    twice = np.ix_(np.r_[:N, :N], np.r_[:N, :N])
    one = Learner.of(K[twice], C[twice], np.tile(Y[:N], 2), N)
    steps = (0, 1, 3.5, 100, np.inf)
    np.testing.assert_allclose(one.test(steps), one.train(steps), rtol=ROUNDING, atol=ROUNDING)


def test_equal_rows_are_learned_in_the_range_of_their_kernel():
    repeated = np.concatenate([X[:5], X[:5], X[N:]])
    targets = np.concatenate([Y[:10], Y[N:]])
    K = KERNELS[0](repeated)
    found = Learner.of(K, 0 * K, targets, 10)
    outputs = K[:, :10] @ np.linalg.pinv(K[:10, :10], rcond=1e-13) @ targets[:10]
    errors = (outputs - targets) ** 2
    assert found.test([np.inf])[0] == pytest.approx(errors[10:].mean(), rel=ROUNDING)
    assert found.train([np.inf])[0] == pytest.approx(errors[:10].mean(), rel=ROUNDING)
    assert found.reach(0.9 * errors[:10].mean())[0] == np.inf
    ends = follow([KERNELS[0]], [None], [Sample(repeated, targets, 10)], (np.inf,))
    assert np.isnan(ends.interpolated).all()
    assert np.isnan(ends.left_out).all()
    assert ends.test.item() == pytest.approx(found.test([np.inf])[0], rel=ROUNDING)


def test_what_is_singular_to_rounding_is_not_solved_for():
    def nearly(rows: np.ndarray) -> np.ndarray:
        return np.diag(np.where(np.arange(len(rows)) == 1, 1e-17, 1.0))

    found = follow([nearly], [None], [Sample(X, Y, N)], (np.inf,))
    assert found.train.item() == pytest.approx(Y[1] ** 2 / N, rel=1e-12)
    assert np.isnan(found.interpolated).all()
    assert np.isnan(found.left_out).all()


@pytest.mark.parametrize("index", range(2))
def test_the_steps_to_an_error_lead_to_it(index: int):
    one, _, _ = learner(index)
    for error in (0.3, 0.01, 1e-6):
        steps, there, test = one.reach(error)
        whole = [np.floor(steps), np.ceil(steps)]
        above, below = one.train(whole)
        assert below <= error == there <= above
        assert np.interp(steps, whole, [above, below]) == pytest.approx(error, rel=1e-9)
        assert np.interp(steps, whole, one.test(whole)) == pytest.approx(test, rel=1e-9)
    first = one.train([0])[0]
    assert one.reach(2 * first) == (0.0, first, one.test([0])[0])


def test_half_of_what_is_learned_in_one_step_takes_half_a_step():
    at_once = Learner.of(np.eye(2), np.zeros((2, 2)), np.array([3.0, 1.0]), 1)
    assert at_once.reach(4.5) == (0.5, 4.5, 1.0)


def test_classes_are_missed_as_often_as_by_outputs_that_are_drawn():
    _, K, C = learner(1)
    labels = np.where(Y > 0.2, 2.0, -1.0)
    one = Learner.of(K, C, labels, N)
    draws, rate = 40_000, 1 / np.linalg.eigvalsh(K[:N, :N])[-1]
    outputs = np.random.default_rng(0).multivariate_normal(np.zeros(N + P), C, draws, method="eigh")
    steps = (0, 3, 30)
    for t in range(31):
        if t in steps:
            wrong = np.mean((outputs[:, N:] > 0.5) != (labels[N:] > 0.5))
            # Rows of a draw go together: at most P draws' worth of a row.
            bar = 4.5 * 0.5 / np.sqrt(draws)
            assert one.wrong([t], (-1.0, 2.0))[0] == pytest.approx(wrong, abs=bar)
        outputs = outputs - rate * (outputs[:, :N] - labels[:N]) @ K[:N]
    certain = Learner.of(K, 0 * C, labels, N)
    mean = K[N:, :N] @ np.linalg.solve(K[:N, :N], labels[:N])
    assert certain.wrong([np.inf], (-1.0, 2.0))[0] == np.mean((mean > 0.5) != (labels[N:] > 0.5))


def test_networks_are_followed_on_the_same_samples_at_one_rate():
    samples = list(resplit(X, Y, 9, 5, 3, 2))
    steps = (0, 2, np.inf)
    both = follow(KERNELS, STARTS, samples, steps, levels=(0.2,))
    assert both.gap.shape == (3, 2, 3)
    for i, sample in enumerate(samples):
        values = [np.linalg.eigvalsh(kernel(sample.X[:9])) for kernel in KERNELS]
        rate = 1 / max(v[-1] for v in values)
        for k in range(2):
            K, C = KERNELS[k](sample.X), STARTS[k](sample.X)
            one = Learner.of(K, C, sample.Y, 9).at(rate)
            np.testing.assert_allclose(both.train[i, k], one.train(steps), rtol=ROUNDING)
            np.testing.assert_allclose(both.test[i, k], one.test(steps), rtol=ROUNDING)
            assert both.largest[i, k] == pytest.approx(values[k][-1], rel=1e-12)
            assert both.train_there[i, k, 0] == pytest.approx(0.2 * np.mean(sample.Y[:9] ** 2), rel=1e-9)
            test_there = one.reach(both.train_there[i, k, 0])[2]
            assert both.test_there[i, k, 0] == pytest.approx(test_there, rel=ROUNDING)
            assert both.interpolated[i, k] == pytest.approx(both.test[i, k, -1], rel=ROUNDING)
    assert both.wrong is None
    np.testing.assert_array_equal(both.gap_there, both.test_there - both.train_there)


def test_splits_have_no_row_twice_and_do_not_depend_on_their_number():
    numbers = np.arange(float(N + P))
    few, many = (list(resplit(X, numbers, 10, 4, splits, 5)) for splits in (2, 6))
    assert all(len(set(sample.Y)) == 14 for sample in many)
    for one, same in zip(few, many, strict=False):
        np.testing.assert_array_equal(one.Y, same.Y)
        np.testing.assert_array_equal(one.X, X[same.Y.astype(int)])
    assert len({tuple(sample.Y) for sample in many}) == 6
    # Every row is as likely to be trained on as any other: 10 of 19 of 2000 splits, within 5 deviations.
    counts = np.zeros(N + P)
    for sample in resplit(X, numbers, 10, 4, 2000, 6):
        counts[sample.Y[:10].astype(int)] += 1
    share = 10 / 19
    assert np.all(np.abs(counts - 2000 * share) < 5 * np.sqrt(2000 * share * (1 - share)))


def test_fresh_samples_are_independent_and_as_noisy_as_asked():
    plain = list(fresh_samples("gaussian", 6, "linear", 300, 100, 4, 7))
    noisy = list(fresh_samples("gaussian", 6, "linear", 300, 100, 4, 7, noise=0.25))
    for one, disturbed in zip(plain, noisy, strict=True):
        np.testing.assert_array_equal(one.X, disturbed.X)
        assert np.linalg.lstsq(one.X, one.Y, rcond=None)[1][0] < 1e-20
        # 1600 squares in all: their mean is known to 1/28, 5 of these for 400.
        assert np.var(disturbed.Y - one.Y) == pytest.approx(0.25, rel=5 / np.sqrt(200))
    assert len({sample.X[0, 0] for sample in plain}) == 4
    teachers = [np.linalg.lstsq(sample.X, sample.Y, rcond=None)[0] for sample in plain]
    assert abs(np.corrcoef(teachers[0], teachers[1])[0, 1]) < 0.99


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: list(resplit(X, Y, 15, 5, 2)),
            "train and test must have at most 19 rows together, got 15 \\+ 5",
        ),
        (lambda: list(resplit(X, Y[:3], 2, 1, 2)), "Y must have shape"),
        (lambda: list(resplit(X, Y, 0, 5, 2)), "train must be a positive integer, got 0"),
        (lambda: list(fresh_samples("gaussian", 3, "linear", 2, 2, 0)), "splits must be a positive integer"),
        (
            lambda: list(fresh_samples("gaussian", 3, "linear", 2, 2, 1, noise=-1.0)),
            "noise must be a variance",
        ),
        (
            lambda: follow(KERNELS, STARTS, [Sample(X, 0 * Y, N)], (0,)),
            "Y must not be 0 at all rows to train on",
        ),
        (lambda: follow(KERNELS, STARTS, [Sample(0 * X, Y, N)], (0,)), "X must not give kernels that are 0"),
    ],
)
def test_bad_input_is_told(call, line: str):
    with pytest.raises(InputError, match=line):
        call()


def test_what_is_followed_has_an_entry_per_sample_kernel_and_step():
    found = follow(
        KERNELS, [None, None], fresh_samples("sphere", 3, "signs", 6, 9, 4), (0, 1), (0.5,), (-1.0, 1.0)
    )
    assert isinstance(found, Descents)
    assert found.wrong is not None
    assert found.train.shape == found.test.shape == found.wrong.shape == (4, 2, 2)
    assert found.reached.shape == found.test_there.shape == (4, 2, 1)
    # Outputs of 0 are on neither side.
    np.testing.assert_array_equal(found.wrong[:, :, 0], 0.5)
