"""What predicted test errors, which are about infinite width, are worth for networks that are really trained.

Full-batch gradient descent on all weights, at the rate 1/lambda_max of the prediction, on rows of the sphere and a random
teacher half linear, half quadratic; the network's initial function is subtracted. Per network, width and number of steps:
the prediction, descent with the kernel of the network's initial gradients (`frozen`), and the trained network, with the
standard error of the mean over draws. What separates the first two is the chance of a finite number of neurons, the last
two how far the kernel moves. Three minutes.

    python -m benchmarks.learning_networks [draws]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from derivations.learning import Teacher, learning_curve
from derivations.pairwise import Array
from verify.finite import FiniteNetwork, finite_network
from verify.gradient_descent import descent, teacher
from verify.inputs import generate

N, D, FRESH = 300, 50, 1000
WIDTHS = (200, 1000, 4000)
STEPS = (1, 10, 100)
TEACHER = Teacher((0.5, 0.5))
DRAWS = 4


class Trained:
    """One network: weights that move."""

    def __init__(self, network: FiniteNetwork, width: int, rng: np.random.Generator) -> None:
        self.network = network
        self.w, self.v = rng.standard_normal((2, D, width)) / np.sqrt(D)
        self.a = rng.standard_normal(width) / np.sqrt(width)

    def parts(self, X: Array) -> tuple[Array, Array, Array]:
        """phi(w.x), phi'(w.x) and the gate's value, 1 without one."""
        assert self.network.dphi is not None
        u = X @ self.w
        gate = X @ self.v if self.network.gates else np.ones_like(u)
        return self.network.phi(u), self.network.dphi(u), gate

    def __call__(self, X: Array) -> Array:
        value, _, gate = self.parts(X)
        return np.asarray((value * gate) @ self.a)

    def step(self, X: Array, misfit: Array) -> None:
        """Along the gradient at these rows, times eta (y - f)."""
        value, slope, gate = self.parts(X)
        back = misfit[:, None] * self.a
        self.a = self.a + (value * gate).T @ misfit
        self.w = self.w + X.T @ (back * slope * gate)
        if self.network.gates:
            self.v = self.v + X.T @ (back * value)

    def kernel(self, X: Array, Y: Array) -> Array:
        """Products of gradients."""
        (p, dp, g), (q, dq, h) = self.parts(X), self.parts(Y)
        moved = (self.a * dp * g) @ (self.a * dq * h).T
        if self.network.gates:
            moved = moved + (self.a * p) @ (self.a * q).T
        return np.asarray((p * g) @ (q * h).T + (X @ Y.T) * moved)


def errors(name: str, width: int, seed: int, largest: float) -> Array:
    """Of the frozen kernel and of the network, after each number of steps : (2, s) float."""
    rng = np.random.default_rng(seed)
    X = generate("sphere", N + FRESH, D, rng)
    target = teacher(X, TEACHER.energies, "sphere", rng)
    net = Trained(finite_network(name), width, rng)
    start = net(X)
    frozen = descent(net.kernel(X[:N], X[:N]), net.kernel(X[N:], X[:N]), target[:N], STEPS)
    fitted = []
    for t in range(1, max(STEPS) + 1):
        net.step(X[:N], (target[:N] - net(X[:N]) + start[:N]) / largest)
        if t in STEPS:
            fitted.append(net(X[N:]) - start[N:])
    # The teacher's energy on these rows, not on average, belongs to the draw.
    excess = np.mean(target[N:] ** 2) / TEACHER.energy
    both = np.array([frozen.T, fitted])
    return np.asarray(np.mean((both - target[N:]) ** 2, axis=-1) / excess)


def rows(draws: int = DRAWS) -> Iterator[dict[str, object]]:
    """A row per network and width."""
    for name in ("relu", "reglu"):
        for width in WIDTHS:
            curve = learning_curve(name, N, D, width, STEPS, TEACHER)
            found = np.array([errors(name, width, seed, curve.lambda_max) for seed in range(draws)])
            mean, spread = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(draws)
            for i, t in enumerate(STEPS):
                yield {
                    "network": name,
                    "width": width,
                    "t": t,
                    "predicted": round(curve.errors[i], 4),
                    "frozen": f"{mean[0, i]:.4f} +- {spread[0, i]:.4f}",
                    "trained": f"{mean[1, i]:.4f} +- {spread[1, i]:.4f}",
                }


def main() -> None:
    """Print the table as it is measured."""
    for row in rows(*map(int, sys.argv[1:2])):
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
