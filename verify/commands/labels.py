"""What a command fits: labels that are drawn for its rows, of a bundled data set, or of a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.arguments import check_choice
from derivations.errors import InputError
from verify.activations import Array
from verify.commands.data import DataRequest
from verify.inputs import DATA_SETS, read_input, read_targets
from verify.labels import TARGETS, draw_labels, real_labels

LABELS = ("random", "linear", "network", "signs")
OWN = {"digits": "digits:parity", "diabetes": "diabetes", "breast_cancer": "breast_cancer"}
"""Targets of the bundled data sets where nothing is said."""
INDEPENDENT = ("random", "signs")
"""Of the rows, and of variance 1."""


@dataclass(frozen=True)
class LabelRequest:
    """The options of the command line that say what is fitted."""

    labels: str | None
    targets: str | None

    @classmethod
    def of(cls, labels: str | None, targets: str | None, source: str | None) -> LabelRequest:
        """With a bundled data set's own targets where neither is given.

        Examples
        --------
        >>> LabelRequest.of(None, None, "digits").name, LabelRequest.of(None, None, None).name
        ('digits:parity', 'random')
        """
        if labels is None and targets is None and source is not None:
            targets = OWN.get(source)
        return cls(labels, targets)

    @property
    def name(self) -> str:
        """For people."""
        return self.targets or self.labels or LABELS[0]

    @property
    def kind(self) -> str:
        """Of drawn labels, by its name in `verify.labels`."""
        return {"random": "normal"}.get(self.name, self.name)

    def check(self, request: DataRequest) -> None:
        """Refuse what does not go together, before anything is read.

        Raises
        ------
        InputError
            If labels are said in two ways, or are not those of the rows.
        """
        check_choice(self.labels or LABELS[0], "labels", LABELS)
        if self.targets is None:
            return
        if request.source is None:
            raise InputError("targets belong to the rows of --input; for generated rows give --labels")
        if self.labels is not None:
            raise InputError("labels and targets are two ways to say what is fitted; give one of the two")
        dataset = self.targets.partition(":")[0]
        if self.targets in TARGETS and dataset != request.source:
            raise InputError(f"targets {self.targets} belong to --input {dataset}, got {request.source!r}")
        if self.targets not in TARGETS and dataset in DATA_SETS:
            check_choice(self.targets, "targets", TARGETS)

    def load(self, request: DataRequest) -> tuple[Array, Array]:
        """Rows (n, d), and what is fitted (n,).

        Raises
        ------
        InputError
            If either is bad, or there is not one target for each row.
        """
        X = request.load()
        if self.targets is None:
            return X, draw_labels(self.kind, X, request.seed)
        assert request.source is not None
        total = len(read_input(request.source)) if request.rows else len(X)
        known = self.targets in TARGETS
        Y = real_labels(self.targets) if known else read_targets(self.targets, total)
        Y = Y[request.taken(total)]
        with np.errstate(over="ignore"):
            if not np.isfinite(Y @ Y):
                raise InputError("targets must be smaller numbers: the sum of their squares exceeds 1.8e308")
        return X, Y
