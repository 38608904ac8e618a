"""The data a command works on: a file, a named real set, or a generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from verify.activations import Array
from verify.inputs import generate, read_input
from verify.prepare import prepare_rows


@dataclass(frozen=True)
class DataRequest:
    """The data options of the command line."""

    source: str | None
    prepare: str
    distribution: str | None
    n: int | None
    d: int | None
    seed: int
    rows: int | None = None

    def check(self) -> None:
        """Refuse options that do not describe data, before any are read or drawn.

        Raises
        ------
        InputError
            If the options do not name exactly one source of data, or a number is out of range.
        """
        if (self.source is None) == (self.distribution is None):
            given = "both" if self.source else "neither"
            raise InputError(f"data must come from --input or from --data with --n and --d, got {given}")
        if self.seed < 0:
            raise InputError(f"seed must be a whole number, 0 or larger, got {self.seed}")
        if self.rows is not None:
            if self.source is None:
                raise InputError("rows belong to --input; with --data give --n")
            check_positive_integer(self.rows, "rows")
        if self.source is not None:
            if self.n is not None or self.d is not None:
                raise InputError("n and d belong to --data; with --input the file says how many there are")
            return
        for name, value in (("n", self.n), ("d", self.d)):
            if value is None:
                raise InputError(f"{name} is needed with --data")
            check_positive_integer(value, name)

    def load(self) -> Array:
        """The data matrix, (n, d) float: with `rows` so many of it.

        Raises
        ------
        InputError
            As `check`, and if the data are bad.
        """
        self.check()
        if self.source is not None:
            X = read_input(self.source, self.prepare)
            return X[self.taken(len(X))]
        assert self.n is not None
        assert self.d is not None
        assert self.distribution is not None
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0,)))
        return prepare_rows(generate(self.distribution, self.n, self.d, rng), self.prepare)

    def taken(self, total: int) -> NDArray[np.int64]:
        """Which of all the rows are taken, in order: those of a smaller number are among those of a larger one."""
        if self.rows is None:
            return np.arange(total)
        if self.rows > total:
            raise InputError(f"rows must be at most {total}, all of the input's, got {self.rows}")
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(5,)))
        return np.sort(rng.permutation(total)[: self.rows])

    @property
    def name(self) -> str:
        """For people."""
        if self.source is not None:
            some = "" if self.rows is None else f", some rows by seed {self.seed}"
            return f"{self.source}{some} ({self.prepare})"
        return f"{self.distribution}, seed {self.seed} ({self.prepare})"
