"""Categories whose levels have an order: they move up or down, level by level."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cftrain.data.columns import Level, places_of
from cftrain.data.kinds.column import ScaledColumn


@dataclass(frozen=True, kw_only=True)
class OrderedColumn(ScaledColumn):
    """A category measured by the place of its level: so it may have a direction."""

    levels: tuple[Level, ...]

    def measured(self, values: pd.Series) -> np.ndarray:
        return places_of(values, self.levels).astype(np.float64)

    def written(self, measures: np.ndarray) -> np.ndarray:
        places = np.rint(measures).clip(0, len(self.levels) - 1).astype(np.int64)
        values: np.ndarray = np.array(self.levels, dtype=object)[places]
        return values

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "ordered", **self.__dict__, "levels": list(self.levels)}
