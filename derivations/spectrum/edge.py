"""An edge of a spectrum, as laws with one equation and with several find it."""

from __future__ import annotations

from dataclasses import dataclass

from derivations.spectrum.harmonics import Array


@dataclass(frozen=True)
class Edge:
    """An end of the spectrum of n eigenvalues.

    Attributes
    ----------
    a : float
        The parameter there, of the curve whose extremum the edge is.
    z : float
        Where it is.
    scale : float
        gamma: the density (of mass 1) at distance x inside is sqrt(x / gamma^3) / pi, so that the outermost
        eigenvalue is gamma n^(-2/3) times a Tracy-Widom variable away from z.
    levels : (b,) float
        What all other rows leave of a row's diagonal, for each block of rows: 1 / (level - z) is the resolvent's.
    eigenvector : (b,) float
        Of the eigenvectors there, one row's share relative to other rows'.
    """

    a: float
    z: float
    scale: float
    levels: Array
    eigenvector: Array
