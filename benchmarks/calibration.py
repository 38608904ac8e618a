"""Does the audit keep its error rate? Its statistical layer, reduced, over many seeds.

Every run measures all cells with a fraction of the quick profile's neurons and judges the finite rungs of all
claims, all of them true, at a run-wide false-alarm rate of 5 % (the audit's own 0.1 % would need a hundred times
the runs to be told from, say, 0.3 %). The share of runs with any REFUTED has to lie at or below the stated rate.

    python -m benchmarks.calibration --runs 2000
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial

from verify.audit import Profile, chosen_claims, measure, worker_pool
from verify.claim import Verdict
from verify.claims import CLAIMS
from verify.statistics import clopper_pearson

REDUCED = Profile("reduced", factor=0.02, alpha=0.05, further=True)


def false_alarm(ids: Sequence[str], seed: int) -> bool:
    """Whether the run with this seed refutes any of these claims, all of them true."""
    claims = chosen_claims(ids)
    setting = measure(claims, REDUCED, seed)
    return any(
        rung.judge(claim.statement, setting).verdict == Verdict.REFUTED
        for claim in claims
        for rung in claim.rungs
        if rung.cells
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print the share of false alarms with its 95 % interval."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--claims", nargs="*", default=list(CLAIMS), help="those judged in each run (all)")
    options = parser.parse_args(arguments)
    jobs = os.cpu_count() or 1
    with worker_pool(jobs) as pool:
        seeds = range(options.first_seed, options.first_seed + options.runs)
        alarms = sum(pool.map(partial(false_alarm, options.claims), seeds, chunksize=10))
    low, high = clopper_pearson(alarms, options.runs)
    print(
        f"{alarms} of {options.runs} runs refute a true claim: {alarms / options.runs:.2%}, "
        f"95 % interval {low:.2%} to {high:.2%}; stated rate at most {REDUCED.alpha:.0%}"
    )


if __name__ == "__main__":
    main()
