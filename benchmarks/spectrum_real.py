"""How far the sharp law and other estimates are from the spectra of real data, whose directions are not uniform.

A row per data set, preparation and network; everything but `exact` is divided by the exact value. `published` is the lower
one of two bounds. `isotropic` is the sharp law with the data's lengths and uniform directions. `low degree` keeps the
first powers of the Gram matrix, as many as give a gated network its quadratic part, and replaces the others by a
multiple of the diagonal, D^(1/2) (sum_{j <= 2 + g} c_j R^{o j} + rest I) D^(1/2). `neighbours` is the bound of
`verify.neighbourhoods`. Half a minute.

    python -m benchmarks.spectrum_real
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from derivations import derive, kernel_function, network, spectrum_law
from derivations.pairwise import Array
from derivations.symbols import d as d_
from derivations.symbols import m as m_
from verify.inputs import DATA_SETS, read_input
from verify.neighbourhoods import neighbourhood_bound
from verify.prepare import PREPARATIONS
from verify.published import published_extremes

NETWORKS = ("relu", "reglu")
WIDTH = 1000


def rows() -> Iterator[dict[str, object]]:
    """A row per case: lambda_n, then lambda_1."""
    for data, prepare, name in product(DATA_SETS, PREPARATIONS, NETWORKS):
        X = read_input(data, prepare)
        kernel = kernel_function(network(name), width=WIDTH)
        K = kernel(X)
        low, high = np.linalg.eigvalsh(K)[[0, -1]]
        n, d = X.shape
        law = spectrum_law(name, n, d, WIDTH, X)
        stated = published_extremes(network(name), n, d, WIDTH)
        assert stated is not None
        surrogate = np.linalg.eigvalsh(low_degree(name, X, K))[[0, -1]]
        yield {
            "data": f"{data} {prepare}",
            "network": name,
            "lambda_n": float(low),
            "published": stated.lambda_min[0] / low,
            "isotropic": law.lambda_min / low,
            "low degree": surrogate[0] / low,
            "neighbours": neighbourhood_bound(kernel, X) / low,
            "kappa": law.nearest_pair,
            "lambda_1": float(high),
            "published 1": stated.lambda_max[0] / high,
            "isotropic 1": law.lambda_max / high,
            "low degree 1": surrogate[1] / high,
        }


def low_degree(name: str, X: Array, K: Array) -> Array:
    """The kernel with all powers of the Gram matrix from 3 + g on replaced by their diagonal."""
    described = network(name)
    at = {d_: X.shape[1], m_: WIDTH}
    coefficients = derive(described, order=2 + described.gates).expansion.coefficients
    lengths = np.sqrt(np.sum(X**2, axis=1))
    R = (X / lengths[:, None]) @ (X / lengths[:, None]).T
    power = described.gates + 1  # of the squared lengths
    scale = (lengths / np.sqrt(X.shape[1])) ** power
    low = sum(float(c.subs(at)) * R**j for j, c in enumerate(coefficients)) * np.multiply.outer(scale, scale)
    return np.asarray(np.where(np.eye(len(X), dtype=bool), K, low))


def main() -> None:
    """Print the table as it is measured."""
    for row in rows():
        print(
            "  ".join(
                f"{key} {value:.3g}" if isinstance(value, float) else f"{value}" for key, value in row.items()
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
