"""Every named activation with 0, 1 and 2 linear gates: derived kernels against random neurons by blocks.

Each network is measured until errors of 0.4 % in any single term of its blocks, of alpha, beta or gamma would
be seen, or up to a limit of neurons; the columns say what would be seen, and how many terms that are off by
0.5 %, up and down, were refuted by neurons alone. The last column is the exact rung: derivation, checks of
every step and quadrature. The whole table takes a quarter of an hour on two cores.

    python -m benchmarks.gates [most neurons, in millions] [activation ...]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from verify.activations import ACTIVATIONS
from verify.audit import PLANTED, worker_pool
from verify.blocks import GateCell
from verify.claims.gates import CLAIMS
from verify.claims.gates.entries import predicted
from verify.claims.gates.exact import contradiction
from verify.claims.gates.finite import joint_tests, sensitivities
from verify.claims.gates.members import FORMS

NAMES = tuple(name for name, (_, slope) in ACTIVATIONS.items() if slope is not None)
NETWORKS = len(NAMES) * 3
ALPHA, POWER = 1e-3 / NETWORKS, 0.999
AIM = 0.004
PILOT, MOST = 256, 300
"""Neurons: of the pilot in units of 1024, and the default limit in millions."""
# The Gaussian limit of sums of exp(u)^4 wants small norms.
VARIANCES = {"exp": 0.25}


def measured(activation: str, gates: int, most: int) -> dict[str, object]:
    """One network: as many neurons as a pilot says it takes, and what the joint test makes of them."""
    statement = CLAIMS[0].statement
    cell = GateCell(activation, gates, PILOT, VARIANCES.get(activation, 1.0))
    pilot = cell.measure(np.random.SeedSequence(1), 1.0)
    worst = max(sensitivities(statement, cell, pilot, ALPHA, POWER).values())
    factor = min(max((worst / AIM) ** 2, 4.0), most * 1e6 / (PILOT * 1024))
    moments = cell.measure(np.random.SeedSequence(0), factor)
    truth = np.concatenate(predicted(cell).blocks)
    deviations = np.sqrt(moments.covariance.diagonal())
    varies = deviations > 1e-12 * np.abs(truth).max()
    z = (moments.mean - truth)[varies] / deviations[varies]
    seen = sensitivities(statement, cell, moments, ALPHA, POWER)
    wrong = [
        planted
        for error in (PLANTED, -PLANTED)
        for label, planted in statement.planted(error)
        if label.removeprefix(f"{statement.id} ").split(" off by ")[0] in seen
    ]
    caught = sum(min(p for p, *_ in joint_tests(planted, cell, moments)) < ALPHA for planted in wrong)
    forms = {name: statement.formula(f"{name}, p = {gates}") for name in FORMS}
    forms["shift law"] = statement.formula("shift law")
    differences = (contradiction(name, formula, activation, gates) for name, formula in forms.items())
    return {
        "activation": activation,
        "p": gates,
        "Mneurons": round(moments.neurons / 1e6, 1),
        "p-value": float(f"{min(p for p, *_ in joint_tests(statement, cell, moments)):.2g}"),
        "rms z": round(float(np.sqrt(np.mean(z**2))), 2),
        "max |z|": round(float(np.abs(z).max()), 2),
        "entries": z.size,
        "sees %": round(100 * max(seen.values()), 2),
        "caught": f"{caught}/{len(wrong)}",
        "exact": next(filter(None, differences), "proved"),
    }


def rows(most: int = MOST, names: Sequence[str] = NAMES) -> list[dict[str, object]]:
    """A row per activation and number of gates, measured by two processes."""
    networks = [(name, gates) for gates in (2, 1, 0) for name in names]
    with worker_pool(2) as pool:
        table = list(pool.map(partial(measured, most=most), *zip(*networks, strict=True)))
    return sorted(table, key=lambda row: (names.index(str(row["activation"])), str(row["p"])))


if __name__ == "__main__":
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else MOST
    for row in rows(limit, sys.argv[2:] or NAMES):
        print("  ".join(f"{key} {value}" for key, value in row.items()))
