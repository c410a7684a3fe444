"""Columns with values that may be missing: the median in their place, and a flag."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cftrain.data.kinds.column import Column, ScaledColumn


@dataclass(frozen=True, kw_only=True)
class ImputedColumn(Column):
    """A scaled column with a second input, which is 1 where the value is missing.

    The first input then is that of the measure `filled`, the pool's median.
    """

    inner: ScaledColumn
    filled: float

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing")

    @property
    def scale(self) -> ScaledColumn:
        return self.inner

    def encode(self, values: pd.Series) -> np.ndarray:
        missing = values.isna().to_numpy()
        measures = np.full(len(values), self.filled)
        if not missing.all():
            measures[~missing] = self.inner.measured(values[~missing].infer_objects())
        inputs: np.ndarray = np.stack([self.inner.scaled(measures), missing], 1)
        return inputs

    def decode(self, inputs: np.ndarray) -> np.ndarray:
        values = self.inner.decode(inputs[:, :1]).astype(object)
        values[inputs[:, 1] >= 0.5] = None
        return values

    def to_dict(self) -> dict[str, Any]:
        inner = self.inner.to_dict()
        return {
            "kind": "imputed",
            "name": self.name,
            "inner": inner,
            "filled": self.filled,
        }
