"""Hermite coefficients from two methods that share no code: balls on a strip, and mpmath's Gauss-Legendre quadrature.

python -m benchmarks.hermite
"""

from __future__ import annotations

import mpmath as mp
import sympy as sp
from rich.console import Console
from rich.table import Table

from derivations.activations import activation
from derivations.certified import Ball, certified_hermite
from derivations.symbols import z

ANALYTIC = ("sigmoid", "silu", "tanh", "gelu", "softplus", "mish")
DIGITS, HIGHEST = 40, 12


def by_quadrature(name: str, k: int) -> mp.mpf:
    """E[phi(z) He_k(z)] / sqrt(k!), z standard normal, to 50 digits."""
    phi = sp.lambdify(z, activation(name).phi, "mpmath")
    polynomial = sp.lambdify(z, sp.hermite_prob(k, z), "mpmath")
    with mp.workdps(60):
        value, error = mp.quad(
            lambda x: phi(x) * polynomial(x) * mp.npdf(x),
            mp.linspace(-20, 20, 21),
            method="gauss-legendre",
            maxdegree=7,
            error=True,
        )
        if error > mp.mpf(10) ** -50:
            raise ArithmeticError(f"quadrature of {name} stops at an error of {mp.nstr(error, 2)}")
        return value / mp.sqrt(mp.factorial(k))


def difference(ball: Ball, value: mp.mpf) -> float:
    """Distance of the two."""
    with mp.workdps(60):
        return float(abs(mp.mpf(ball.value) - value))


def rows() -> list[dict[str, object]]:
    """A line per activation: the first a_k from k = 2 on that is not 0, radii, and the largest difference."""
    table: list[dict[str, object]] = []
    for name in ANALYTIC:
        balls = certified_hermite(activation(name).phi, HIGHEST + 1, DIGITS)
        values = [by_quadrature(name, k) for k in range(HIGHEST + 1)]
        shown = next(k for k in range(2, HIGHEST + 1) if abs(values[k]) > 1e-30)
        table.append(
            {
                "activation": name,
                f"one a_k, to {DIGITS} digits": f"a_{shown} = {balls[shown].value}",
                "radius": float(max(ball.radius for ball in balls)),
                f"largest difference, k <= {HIGHEST}": max(map(difference, balls, values)),
            }
        )
    return table


def main() -> None:
    """Print the table."""
    table = Table(title="Hermite coefficients by certified balls and by quadrature", title_justify="left")
    found = rows()
    for key in found[0]:
        table.add_column(key)
    for row in found:
        table.add_row(*(f"{v:.2g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
