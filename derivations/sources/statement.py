"""A published statement: its place, its words, its formulas, and deliberately wrong versions of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy as sp


@dataclass(frozen=True)
class Statement:
    """A statement of a publication.

    Attributes
    ----------
    id : str
        Permanent name.
    title, source, hypotheses : str
        What it is about, where it stands (with equation number), under which assumptions.
    formulas : tuple of (str, Expr)
        Named formulas, in the shared symbols.
    reading : str
        How a vague relation ("approximately") is made precise; empty where there is nothing to choose.
    """

    id: str
    title: str
    source: str
    hypotheses: str
    formulas: tuple[tuple[str, sp.Expr], ...]
    reading: str = ""

    def formula(self, name: str) -> sp.Expr:
        """The formula called `name`."""
        return dict(self.formulas)[name]

    def planted(self, relative_error: sp.Rational) -> Iterator[tuple[str, Statement]]:
        """Wrong versions: each term of each formula in turn is off by `relative_error`.

        Yields
        ------
        (label, statement)
            The label names the formula, the term and the error.
        """
        for name, formula in self.formulas:
            for term in sp.Add.make_args(sp.expand(formula)):
                wrong = sp.expand(formula) + relative_error * term
                formulas = tuple((key, wrong if key == name else value) for key, value in self.formulas)
                label = f"{self.id} {name}: {term} off by {float(relative_error):+.1%}"
                yield label, replace(self, formulas=formulas)
