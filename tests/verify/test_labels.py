"""Labels: random, of teachers and real."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from derivations.errors import InputError
from verify.finite import finite_network
from verify.inputs import read_input
from verify.labels import KINDS, TARGETS, check_labels, draw_labels, real_labels
from verify.network_batch import draw_batch

X = np.random.default_rng(0).standard_normal((2000, 8))


@pytest.mark.parametrize("kind", KINDS)
def test_labels_depend_on_the_seed_and_the_kind_alone(kind: str):
    labels = draw_labels(kind, X, rng=4)
    assert labels.shape == (2000,)
    np.testing.assert_array_equal(labels, draw_labels(kind, X, np.random.SeedSequence(4)))
    for other in [draw_labels(kind, X, rng=5), *(draw_labels(k, X, rng=4) for k in KINDS if k != kind)]:
        assert abs(np.corrcoef(labels, other)[0, 1]) < 0.9


# 2000 labels: a mean of squares of variance 2 is known to 0.032, and 5 of these are 0.16; a mean to 0.022, 5 of these 0.11.
@pytest.mark.parametrize("kind", ["normal", "signs"])
def test_random_labels_have_mean_0_and_mean_square_1_and_ignore_the_rows(kind: str):
    labels = draw_labels(kind, X)
    assert abs(labels.mean()) < 0.11
    assert np.mean(labels**2) == pytest.approx(1, abs=0.16)
    np.testing.assert_array_equal(labels, draw_labels(kind, -3 * X))
    assert (set(labels) == {-1.0, 1.0}) == (kind == "signs")


def test_a_linear_teacher_is_linear_and_of_mean_square_1():
    squares = [np.mean(draw_labels("linear", X, rng) ** 2) for rng in range(300)]
    assert np.mean(squares) == pytest.approx(1, abs=5 * np.std(squares) / np.sqrt(300))
    assert np.std(squares) / np.sqrt(300) < 0.04
    labels = draw_labels("linear", X)
    np.testing.assert_allclose(
        draw_labels("linear", 2 * X[:9] + X[9:18]), 2 * labels[:9] + labels[9:18], rtol=1e-12
    )
    w, residual, *_ = np.linalg.lstsq(X, labels, rcond=None)
    assert residual[0] < 1e-20
    # The teacher's weights are not the random labels of the same seed.
    assert np.all(np.abs(np.sqrt(8) * w - draw_labels("normal", X)[:8]) > 1e-6)


def test_a_network_teacher_is_a_network():
    # Of the identity a linear teacher, of ReGLU one that is homogeneous of degree 2; E z^2 is 1/2 (|x|^2/d)^2 there.
    linear = draw_labels("network", X, teacher="identity")
    assert np.linalg.lstsq(X, linear, rcond=None)[1][0] < 1e-20
    gated = draw_labels("network", X, teacher="reglu", width=7)
    np.testing.assert_allclose(draw_labels("network", 2 * X, teacher="reglu", width=7), 4 * gated, rtol=1e-12)
    row = np.full((1, 8), 1.0)
    squares = [draw_labels("network", row, rng, teacher="reglu")[0] ** 2 for rng in range(2000)]
    assert np.mean(squares) == pytest.approx(0.5, abs=5 * np.std(squares) / np.sqrt(2000))
    assert np.std(squares) / np.sqrt(2000) < 0.03


def test_no_network_to_be_trained_is_its_own_teacher():
    labels = draw_labels("network", X, rng=0)
    for seed in range(3):
        student = draw_batch(finite_network("relu"), 8, 100, [seed], rng=0)
        outputs = np.maximum(X @ student.inner[0, 0], 0) @ student.readout[0]
        assert abs(np.corrcoef(labels, outputs)[0, 1]) < 0.9


@pytest.mark.parametrize("target", TARGETS)
def test_real_labels_are_standardised_and_in_the_order_of_the_rows(target: str):
    datasets = pytest.importorskip("sklearn.datasets")
    labels = real_labels(target)
    dataset, _, question = target.partition(":")
    assert labels.shape == (len(read_input(dataset)),)
    assert labels.mean() == pytest.approx(0, abs=1e-12)
    assert np.mean(labels**2) == pytest.approx(1, abs=1e-12)
    raw = getattr(datasets, f"load_{dataset}")().target
    if dataset == "diabetes":
        assert np.corrcoef(labels, raw)[0, 1] == pytest.approx(1, abs=1e-12)
        return
    positive = {"parity": raw % 2 == 1, "": raw == 1}.get(
        question, raw == int(question) if question.isdigit() else raw
    )
    np.testing.assert_array_equal(labels > 0, positive)
    assert len(set(labels)) == 2


def line(call, *arguments, **named) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **named)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_bad_input_is_told_in_one_line(monkeypatch):
    assert line(draw_labels, "sign", X).startswith(
        "labels must be one of normal, signs, linear, network, got 'sign'"
    )
    assert line(draw_labels, "normal", X[0]).startswith("X must be a matrix of shape (n, d)")
    assert line(draw_labels, "normal", X, -1).startswith("rng must be a non-negative integer")
    assert line(draw_labels, "network", X, teacher="rglu").startswith("network must be one of")
    assert line(draw_labels, "network", X, width=0) == "width must be a positive integer, got 0"
    assert line(draw_labels, "network", X * 1e200, teacher="reglu") == (
        "X must have shorter rows: labels of kind 'network' overflow on them"
    )
    assert line(real_labels, "iris").startswith("target must be one of digits:parity, ")
    assert (
        line(check_labels, [[1.0]], 1)
        == "Y must have shape (1,), a label for every row of X, got shape (1, 1)"
    )
    assert line(check_labels, [[1.0], 2.0], 2).endswith("got [[1.0], 2.0]")
    assert line(check_labels, [1.0, np.nan], 2).startswith("Y must")
    assert line(check_labels, ["a", "b"], 2).startswith("Y must hold real numbers")
    assert line(check_labels, [1j, 0], 2).startswith("Y must hold real numbers")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert line(real_labels, "diabetes").endswith("pip install 'gluntk[data]'")
