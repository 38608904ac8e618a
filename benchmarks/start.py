"""How long a cold command takes: `gluntk derive reglu` against importing SymPy, `gluntk --help` in seconds.

python -m benchmarks.start
"""

from __future__ import annotations

import subprocess
import sys
import time

REPEATS = 7
COMMANDS = {
    "import sympy": [sys.executable, "-c", "import sympy"],
    "derive reglu": [sys.executable, "-c", "from verify.cli import main; main(['derive', 'reglu'])"],
    "--help": [sys.executable, "-c", "from verify.cli import main; main(['--help'])"],
}


def rows() -> list[dict[str, object]]:
    """Median seconds of each command, taken in turns, and the ratio to importing SymPy."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(REPEATS):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: sorted(runs)[REPEATS // 2] for name, runs in seconds.items()}
    return [
        {
            "command": name,
            "seconds": round(median, 3),
            "ratio_to_sympy": round(median / medians["import sympy"], 2),
        }
        for name, median in medians.items()
    ]


if __name__ == "__main__":
    for row in rows():
        print("  ".join(f"{key} {value}" for key, value in row.items()))
