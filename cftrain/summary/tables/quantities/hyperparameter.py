"""What a model was trained with."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar, final

from cftrain.summary.tables.quantity import Quantity, Sample, Unanswered
from cftrain.summary.tables.table import Entry


@final
@dataclass(frozen=True, kw_only=True)
class Hyperparameter(Quantity):
    """A value of the run, named by its key in the configuration."""

    table: ClassVar[str] = "cells"

    key: str

    def entry(self, sample: Sample) -> Entry:
        cell = sample.evidence.cell(sample.trials[0].model)
        described: Any = json.loads(cell["config"])
        for name in self.key.split("."):
            if not isinstance(described, dict) or name not in described:
                raise Unanswered("–")
            described = described[name]
        if isinstance(described, list):
            return Entry(text=", ".join(map(str, described)))
        if type(described) not in (int, float):
            return Entry(text=str(described))
        return Entry(value=float(described), text=f"{described:.10g}")
