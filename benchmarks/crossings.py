"""Where the losses of ReLU and ReGLU networks cross: trained networks against what kernels say, as networks grow wider.

Per setting (rows, labels) and width, at the rate 1/lambda_max of the larger kernel and from the networks' own initial
outputs: the crossing of the kernels' exact expected losses on these rows; that of the law which does not know the rows, for
independent labels on random ones; and that of the mean losses of trained networks, with a 95 % interval over the networks.
All are the last crossing within the steps trained, but for the law's first one. ``trained`` has the losses as they are;
``adjusted`` has each network's loss less what the kernel makes of its initial outputs, plus the expectation of that: the same
mean with less noise. Last, per width: how far the adjusted crossing is from the exact one, and in how many settings the
interval holds it. Six minutes on two cores.

    python -m benchmarks.crossings [--seeds S] [--plot FILE.png]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes

from derivations import kernel_function
from derivations.dynamics import ExpectedLoss, crossings, expected_loss, loss_law, predicted_crossing
from derivations.pairwise import Array
from verify.inputs import generate, read_input
from verify.labels import TARGETS, draw_labels, real_labels
from verify.plots import BLACK, COLOURS, MARKERS, new_figure
from verify.trained_crossing import TrainedCrossing, trained_crossing
from verify.training import TrainedLosses, kernel_losses, train

NETWORKS = ("relu", "reglu")
WIDTHS = (300, 1000, 4000)
SEEDS = 48
WORKERS = 2
INDEPENDENT = ("normal", "signs")


@dataclass(frozen=True)
class Setting:
    """Rows, labels, and how long networks are trained: a few times as long as they take to cross."""

    n: int
    d: int
    data: str
    labels: str
    steps: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.labels}, {self.data}, n {self.n} d {self.d}"

    def problem(self) -> tuple[Array, Array]:
        """Rows (n, d) and labels (n,)."""
        rng = np.random.default_rng(0)
        if self.labels in TARGETS:
            X, Y = read_input(self.data, "standardize"), real_labels(self.labels)
            chosen = rng.choice(len(X), self.n, replace=False)
            return X[chosen], Y[chosen]
        X = generate(self.data, self.n, self.d, rng)
        return X, draw_labels(self.labels, X)


SETTINGS = (
    Setting(60, 30, "gaussian", "signs", 20),
    Setting(200, 20, "gaussian", "normal", 50),
    Setting(200, 20, "sphere", "normal", 50),
    Setting(300, 50, "gaussian", "normal", 60),
    Setting(100, 20, "gaussian", "network", 100),
    Setting(100, 20, "sphere", "network", 100),
    Setting(100, 20, "gaussian", "linear", 200),
    Setting(100, 20, "sphere", "linear", 200),
    Setting(100, 10, "diabetes", "diabetes", 200),
    Setting(100, 64, "digits", "digits:parity", 300),
)
DRAWN = SETTINGS[6]
"""Whose losses the figure shows."""


@dataclass(frozen=True)
class Measured:
    """One setting at one width; losses by name."""

    setting: Setting
    width: int
    expected: dict[str, ExpectedLoss]
    losses: dict[str, TrainedLosses]
    exact: int | None
    law: int | None
    trained: TrainedCrossing | None
    adjusted: TrainedCrossing | None


def measure(setting: Setting, width: int, seeds: int) -> Measured:
    """Train the networks of one setting at one width."""
    X, Y = setting.problem()
    kernels = {name: kernel_function(name, "ntk", width)(X) for name in NETWORKS}
    eta = float(1 / max(np.linalg.eigvalsh(K)[-1] for K in kernels.values()))
    steps, expected, losses, adjusted = range(setting.steps + 1), {}, {}, []
    for name, K in kernels.items():
        C = kernel_function(name, "nngp", width)(X)
        expected[name] = expected_loss(K, eta, Y, C)
        losses[name] = train(name, X, Y, width, steps, eta, seeds, rng=width, workers=WORKERS)
        frozen = kernel_losses(K, losses[name].initial, Y, steps, eta)
        adjusted.append(
            replace(losses[name], losses=losses[name].losses - frozen + expected[name].at(list(steps)))
        )
    found = crossings(expected["relu"], expected["reglu"], last=setting.steps).steps
    law = None
    if setting.labels in INDEPENDENT:
        laws = [loss_law(name, setting.n, setting.d, width, setting.data) for name in NETWORKS]  # type: ignore[arg-type]
        law = predicted_crossing(laws[0], laws[1], eta)
    trained = trained_crossing(losses["relu"], losses["reglu"])
    return Measured(
        setting,
        width,
        expected,
        losses,
        found[-1] if found else None,
        law,
        trained,
        trained_crossing(adjusted[0], adjusted[1]),
    )


def row(one: Measured) -> dict[str, object]:
    """A line of the table."""
    return {
        "case": one.setting.name,
        "m": one.width,
        "exact": one.exact,
        "law": one.law,
        "trained": _shown(one.trained),
        "adjusted": _shown(one.adjusted),
    }


def summary(width: int, found: Iterable[Measured]) -> dict[str, object]:
    """How far crossings of networks of one width are from exact ones."""
    here = [one for one in found if one.width == width]
    both = [(one.adjusted, one.exact) for one in here if one.adjusted is not None and one.exact is not None]
    off = [abs(crossing.step / exact - 1) for crossing, exact in both]
    held = [crossing for crossing, exact in both if crossing.low <= exact <= crossing.high]  # type: ignore[operator]
    return {
        "m": width,
        "settings": len(here),
        "both cross": len(both),
        "off by %, median": round(100 * float(np.median(off)), 1),
        "most": round(100 * max(off), 1),
        "interval holds exact": len(held),
    }


def _shown(crossing: TrainedCrossing | None) -> str:
    return "none" if crossing is None else f"{crossing.step} [{crossing.low:.0f}, {crossing.high:.0f}]"


def rows(seeds: int, found: list[Measured]) -> Iterator[dict[str, object]]:
    """A row per setting and width, then one per width; what is measured is added to `found`."""
    for setting in SETTINGS:
        for width in WIDTHS:
            found.append(measure(setting, width, seeds))
            yield row(found[-1])
    for width in WIDTHS:
        yield summary(width, found)


def draw_against(ax: Axes, found: Iterable[Measured]) -> None:
    """Crossings of networks against exact ones, a marker per width."""
    found = list(found)
    for width, colour, marker, shift in zip(WIDTHS, COLOURS, MARKERS, (0.96, 1.0, 1.04), strict=False):
        at = [one for one in found if one.width == width and one.adjusted is not None and one.exact]
        exact = np.array([one.exact for one in at], float)
        steps, low, high = (
            np.array([getattr(one.adjusted, name) for one in at], float) for name in ("step", "low", "high")
        )
        last = np.array([one.setting.steps for one in at], float)
        bars = np.maximum([steps - np.maximum(low, 1), np.minimum(high, last) - steps], 0)
        ax.errorbar(
            exact * shift, steps, yerr=bars, color=colour, marker=marker, linestyle="none", markersize=4.5,
            capsize=2.5, linewidth=1.0, label=f"$m = {width}$",
        )  # fmt: skip
    ends = np.array([2.5, 400.0])
    ax.plot(ends, ends, color=BLACK, linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("crossing of the kernels' expected losses, $k$")
    ax.set_ylabel("crossing of trained networks, 95 % interval")
    ax.legend(frameon=False)


def draw_ratios(ax: Axes, found: Iterable[Measured]) -> None:
    """Trained over exact against the width, a line per setting."""
    found = list(found)
    for index, setting in enumerate(SETTINGS):
        at = [one for one in found if one.setting == setting and one.adjusted and one.exact]
        ratios = [one.adjusted.step / one.exact for one in at if one.adjusted and one.exact]
        colour, dashes = COLOURS[index % 4], ("-", "--", ":")[index // 4]
        ax.plot(
            [one.width for one in at], ratios, color=colour, linestyle=dashes, marker=MARKERS[index % 4],
            markersize=3.5, linewidth=1.2, label=setting.name,
        )  # fmt: skip
    ax.axhline(1.0, color=BLACK, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xticks(WIDTHS, [str(width) for width in WIDTHS])
    ax.minorticks_off()
    ax.set_xlabel("width $m$")
    ax.set_ylabel("crossing, trained over exact")
    ax.legend(frameon=False, fontsize=6.5)


def draw_curves(ax: Axes, found: Iterable[Measured]) -> None:
    """Losses of one setting: expected at the largest width, and of networks at the smallest and the largest."""
    at = [one for one in found if one.setting == DRAWN and one.width in (WIDTHS[0], WIDTHS[-1])]
    steps = np.arange(1, DRAWN.steps + 1)
    for name, colour in zip(NETWORKS, COLOURS, strict=False):
        ax.plot(steps, at[-1].expected[name].at(steps), color=colour, linewidth=1.4, label=f"{name}, kernel")
        for one, dashes in zip(at, (":", "--"), strict=True):
            mean, error = one.losses[name].mean[1:], 1.96 * one.losses[name].standard_error[1:]
            ax.plot(
                steps, mean, color=colour, linestyle=dashes, linewidth=1.2, label=f"{name}, $m = {one.width}$"
            )
            ax.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_title(DRAWN.name, fontsize=9)
    ax.set_xlabel("gradient steps $k$")
    ax.set_ylabel("training loss, mean and 95 % band")
    ax.legend(frameon=False, fontsize=7)


def main() -> None:
    """Print the table as it is measured, and draw it."""
    parser = argparse.ArgumentParser(description="Crossings of trained networks against those of kernels.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--plot", metavar="FILE")
    asked = parser.parse_args()
    found: list[Measured] = []
    for line in rows(asked.seeds, found):
        print("  ".join(f"{key} {value}" for key, value in line.items()), flush=True)
    if asked.plot is not None:
        figure, axes = new_figure(3)
        for ax, draw in zip(axes, (draw_against, draw_ratios, draw_curves), strict=True):
            draw(ax, found)
        figure.savefig(asked.plot)


if __name__ == "__main__":
    main()
