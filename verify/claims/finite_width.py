"""F1 to F4: statements of our own about the kernel of one network, its mean, its extreme eigenvalues, its rank."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from derivations.derivation import Derivation
from derivations.matrix_symbols import OverNetworks, Rank
from derivations.networks import network
from derivations.sources import STATEMENTS, Statement
from derivations.spectrum import FiniteSpectrumLaw, finite_spectrum_law
from derivations.spectrum.finite_width import network_bounds
from derivations.symbols import d, m
from verify.activations import Array
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.entries import Entries, EntryClaim
from verify.claims.ntk import GATED_CELLS, PLAIN_CELLS
from verify.claims.spectrum.cells import MOST
from verify.claims.spectrum.ladders import CELLS
from verify.claims.spectrum.quantities import Mean, mean_of
from verify.claims.symbolic import derived, judge_identities
from verify.inputs import generate
from verify.one_network import network_kernel
from verify.streams import seed_sequence

NETWORKS = ("relu", "reglu")
"""The plain and the gated network, by their number of gates."""
WIDE = tuple(cell for cell in CELLS if cell.n >= 40 and cell.width >= 10)
"""Where Jensen's gap is far above the noise."""
TOLERANCES = {0: (0.02, 0.04), 1: (0.04, 0.10), 2: (0.04, 0.10)}
"""Of the law's relative errors: median and 90th percentile of sizes, by the number of gates."""
MANY, SEEN = 0.9, 0.15
"""A share of sizes, and an error of the law at half of them that has to be seen; that of infinite width is 40 %."""


@dataclass(frozen=True)
class NetworkCell:
    """Extreme eigenvalues of networks of one size, each on rows of its own.

    Attributes
    ----------
    network, data : str
    n, d, width : int
    draws : int
    """

    network: str
    data: str
    n: int
    d: int
    width: int
    draws: int

    @property
    def name(self) -> str:
        """Key of the cell's random numbers: stable, whatever else is run."""
        return f"one network/{self.network}/{self.data}/n={self.n}/d={self.d}/m={self.width}"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        return 1 + int(self.draws * self.n**2 * (10 * self.n + 4 * self.width) / 2e7)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> Array:
        """All eigenvalues, ascending, of `factor` times the draws, 1 to `MOST` times : (s, n) float."""
        draws = round(self.draws * min(max(factor, 1.0), MOST))
        key = zlib.crc32(self.name.encode())
        found = np.empty((draws, self.n))
        for draw in range(draws):
            rng = np.random.default_rng(seed_sequence(seed, key, draw, 0))
            X = generate(self.data, self.n, self.d, rng)
            K = network_kernel(self.network, X, self.width, seed_sequence(seed, key, draw, 1))
            found[draw] = np.linalg.eigvalsh(K)
        return found

    @property
    def law(self) -> FiniteSpectrumLaw:
        """Of the same networks."""
        return finite_spectrum_law(self.network, self.n, self.d, self.width, self.data)


RANK_CELLS = tuple(NetworkCell(name, "gaussian", 60, 4, width, 8) for name in NETWORKS for width in (1, 3, 5))
LAW_CELLS = tuple(
    NetworkCell(*cell)
    for cell in (
        ("relu", "sphere", 100, 50, 200, 100),
        ("relu", "gaussian", 200, 50, 100, 80),
        ("relu", "gaussian", 200, 100, 400, 32),
        ("gelu", "sphere", 200, 50, 200, 40),
        ("silu", "gaussian", 120, 60, 400, 40),
        ("reglu", "sphere", 200, 50, 200, 40),
        ("reglu", "gaussian", 100, 50, 100, 120),
        ("swiglu", "sphere", 120, 60, 300, 48),
        ("bilinear", "gaussian", 200, 100, 200, 40),
        ("gqu", "sphere", 120, 60, 200, 60),
    )
)


@lru_cache(maxsize=2)
def chain(gates: int) -> Derivation:
    """What is proved of every network, checked."""
    found = network_bounds(gates)
    found.check()
    return found


def _proved_mean(statement: Statement, _: Setting) -> Evidence:
    pairs = []
    for gates, name in enumerate(NETWORKS):
        step = next(s for s in chain(gates).steps if isinstance(s.lhs, OverNetworks))
        pairs.append((f"mean over kernel, {name}", statement.formula("mean over kernel"), _factor(step.rhs)))
    return judge_identities(pairs, "the end of a chain of proved steps")


def _factor(kernel: sp.Expr) -> sp.Expr:
    """What multiplies the kernel in the mean."""
    return kernel.as_coeff_Mul()[0]


@lru_cache(maxsize=1)
def _entries() -> EntryClaim:
    """The stated factor of the kernel that is derived."""
    found = {}
    for name in NETWORKS:
        kernel = derived(name).kernel
        found[f"{name}/ntk"] = {"mean over kernel": Entries(kernel.off_diagonal, kernel.diagonal)}
    return EntryClaim(found, PLAIN_CELLS + GATED_CELLS)


def _measured_mean(statement: Statement, setting: Setting) -> Evidence:
    return _entries().judge(statement, setting)


def _proved_jensen(_: Statement, __: Setting) -> Evidence:
    for gates in range(len(NETWORKS)):
        chain(gates)
    return Evidence(
        Verdict.PROVED, "lambda_n is concave, lambda_1 convex, and the mean over networks is the kernel"
    )


def _measured_jensen(_: Statement, setting: Setting) -> Evidence:
    """The paired differences to the exact kernel of the same data."""
    cells = [cell for cell in WIDE if cell in setting.measured]
    share = setting.alpha / (4 * len(cells))
    failing, open_, ratios, draws = [], 0, [], 0
    for cell in cells:
        spectra = setting.measured[cell]
        for name in NETWORKS:
            exact, finite = spectra.smallest("exact", name), spectra.smallest("finite", name)
            gaps = {
                "lambda_n": exact - finite,
                "lambda_1": spectra.largest("finite", name) - spectra.largest("exact", name),
            }
            ratios.append(float(finite.mean() / exact.mean()))
            draws += len(exact)
            for quantity, gap in gaps.items():
                mean = mean_of(gap)
                bar = mean.deviation(share) * mean.error
                if mean.mean < -bar:
                    failing.append(f"{quantity} of {name} at n = {cell.n}, d = {cell.d}, m = {cell.width}")
                # The gap of lambda_1 is small beside its fluctuation; only that of lambda_n has to be seen.
                open_ += quantity == "lambda_n" and mean.mean < bar
    if failing:
        return Evidence(Verdict.REFUTED, f"on the wrong side: {failing[0]}", draws)
    text = (
        f"lambda_n of networks is {min(ratios):.2f} to {max(ratios):.2f} of the exact kernel's, certainly below it at "
        f"{2 * len(cells) - open_} of {2 * len(cells)} sizes; lambda_1 nowhere certainly below the exact kernel's"
    )
    # A network much wider than n differs too little to be told apart.
    return Evidence(Verdict.CONFIRMED if open_ <= len(cells) // 4 else Verdict.INCONCLUSIVE, text, draws)


def _proved_rank(statement: Statement, _: Setting) -> Evidence:
    pairs = []
    for gates, name in enumerate(("plain", "gated")):
        bound = [s.lhs.rhs for s in chain(gates).steps if isinstance(s.lhs, sp.Le) and s.lhs.has(Rank)][-1]
        pairs.append((name, statement.formula(name), sp.expand(bound)))
    return judge_identities(pairs, "the number of independent columns of the gradient")


def _measured_rank(statement: Statement, setting: Setting) -> Evidence:
    seen = []
    for cell in RANK_CELLS:
        gates = NETWORKS.index(cell.network)
        stated = statement.formula(("plain", "gated")[gates]).subs({d: cell.d, m: cell.width})
        values = setting.measured[cell]
        # Exact zeros are rounded to n eps times the largest; others stay far above.
        ranks = np.sum(values > 100 * cell.n * np.finfo(float).eps * values[:, -1:], axis=1)
        where = f"{cell.network}, n = {cell.n}, d = {cell.d}, m = {cell.width}"
        expected = min(sp.Integer(cell.n), stated)
        if np.max(ranks) != expected:
            return Evidence(
                Verdict.REFUTED,
                f"{where}: stated {sp.N(expected, 6)}, networks have {np.max(ranks)}",
                by_terms=True,
            )
        seen.append(f"{np.max(ranks)}")
    return Evidence(
        Verdict.CONFIRMED,
        f"ranks {', '.join(seen)} of networks at {len(RANK_CELLS)} sizes are the stated ones",
        sum(cell.draws for cell in RANK_CELLS),
    )


@dataclass(frozen=True)
class LawError:
    """The law's relative error at one size, and how far the measured mean may be off, relative."""

    cell: NetworkCell
    quantity: str
    error: float
    bar: float


def law_errors(setting: Setting) -> list[LawError]:
    """Of lambda_n and lambda_1 at every measured size."""
    found = []
    for cell in LAW_CELLS:
        values, law = setting.measured[cell], cell.law
        for quantity, stated, column in (
            ("lambda_n", law.lambda_min, values[:, 0]),
            ("lambda_1", law.lambda_max, values[:, -1]),
        ):
            mean: Mean = mean_of(column)
            found.append(LawError(cell, quantity, stated / mean.mean - 1, mean.error / mean.mean))
    return found


def judge_law(errors: list[LawError], deviation: float) -> tuple[Verdict, str]:
    """Whether the errors are within the tolerances: surely not, where they exceed them by `deviation` bars."""
    verdicts, parts, visible = [], [], []
    for quantity in ("lambda_n", "lambda_1"):
        for gated in (False, True):
            group = [
                e for e in errors if e.quantity == quantity and (network(e.cell.network).gates > 0) == gated
            ]
            limits = TOLERANCES[int(gated)]
            sizes = np.array([abs(e.error) for e in group])
            least = np.array([max(abs(e.error) - deviation * e.bar, 0.0) for e in group])
            seen, sure = ((np.median(values), np.quantile(values, MANY)) for values in (sizes, least))
            title = f"{quantity} {'with' if gated else 'without'} gates"
            visible.append(limits[0] + deviation * float(np.median([e.bar for e in group])))
            parts.append(f"{title} {seen[0]:.1%} (median), {seen[1]:.1%} (90th percentile)")
            refuted = any(value > limit for value, limit in zip(sure, limits, strict=True))
            verdicts.append(Verdict.REFUTED if refuted else Verdict.CONFIRMED)
    text = (
        f"errors at {len(errors) // 2} sizes: {'; '.join(parts)}; errors of {max(visible):.0%} at half of the sizes would "
        "have been refuted"
    )
    if Verdict.REFUTED in verdicts:
        return Verdict.REFUTED, text
    return (Verdict.CONFIRMED if max(visible) < SEEN else Verdict.INCONCLUSIVE), text


def _measured_law(_: Statement, setting: Setting) -> Evidence:
    errors = law_errors(setting)
    draws = [len(setting.measured[cell]) for cell in LAW_CELLS]
    # Student's law of the cell with the fewest draws, Bonferroni over all means.
    deviation = Mean(0.0, 1.0, min(draws)).deviation(setting.alpha / len(errors))
    return Evidence(*judge_law(errors, deviation), sum(draws))


CLAIMS = (
    Claim(
        STATEMENTS["F1"],
        (
            Rung("exact", Verdict.PROVED, _proved_mean),
            Rung("finite", Verdict.CONFIRMED, _measured_mean, PLAIN_CELLS + GATED_CELLS),
        ),
    ),
    Claim(
        STATEMENTS["F2"],
        (
            Rung("exact", Verdict.PROVED, _proved_jensen),
            Rung("finite", Verdict.CONFIRMED, _measured_jensen, WIDE),
        ),
    ),
    Claim(
        STATEMENTS["F3"],
        (
            Rung("exact", Verdict.PROVED, _proved_rank),
            Rung("finite", Verdict.CONFIRMED, _measured_rank, RANK_CELLS),
        ),
    ),
    Claim(STATEMENTS["F4"], (Rung("finite", Verdict.CONFIRMED, _measured_law, LAW_CELLS),)),
)
