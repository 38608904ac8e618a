"""All benchmarks: `python -m benchmarks`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks import accuracy, duals, empirical, gate_reach, kernel, start

TITLES = {
    accuracy: "Closed-form kernel: worst error over sqrt(K_ii K_jj) against 50 digits, and pairs compared",
    kernel: "Closed-form kernel: time over floor (product + arctan2 on half), naive over ours, peak over output",
    empirical: "Empirical kernel: time over its matrix products alone, peak memory in MB at two widths",
    start: "Cold commands",
    gate_reach: "Gates: derivations and certified digits in seconds, emitted kernels in errors, and their limits",
    duals: "Kernels without closed form: seconds, and the worst error over sqrt(T_ii T_jj)",
}


def main() -> None:
    """Run and print every table."""
    console = Console(width=160)
    for module, title in TITLES.items():
        rows = module.rows()
        table = Table(title=title, title_justify="left")
        for key in rows[0]:
            table.add_column(key)
        for row in rows:
            table.add_row(
                *(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values())
            )
        console.print(table)


if __name__ == "__main__":
    main()
