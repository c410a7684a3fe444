"""The group that a row belongs to, by one of its columns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from cftrain.advice.advisor import Advisor
from cftrain.advice.wording import NO_VALUE
from cftrain.data.columns import NumericColumn
from cftrain.errors import ConfigError

MOST_GROUPS = 50
PARTS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Groups by the values of a column, or between the `edges` of a numeric one."""

    column: str
    edges: tuple[float, ...] | None

    def labels(self, values: pd.Series) -> list[str]:
        """Returns the group of each row."""
        if self.edges is None:
            return [_text(value) for value in values.tolist()]
        numbers = values.to_numpy().astype(np.float64)
        names = _names(self.edges)
        places = np.searchsorted(self.edges, np.nan_to_num(numbers))
        places[np.isnan(numbers)] = len(names) - 1
        return [names[place] for place in places]

    def check(self, count: int) -> None:
        """Raises ConfigError if groups are too many to be compared."""
        if count > MOST_GROUPS:
            raise ConfigError(
                f"groups: expected a column with at most {MOST_GROUPS} different "
                f"values, got {self.column!r} with more"
            )

    def order(self, found: Collection[str]) -> list[str]:
        """Returns groups in their order."""
        if self.edges is None:
            return sorted(found)
        return [name for name in _names(self.edges) if name in found]


def grouping(advisor: Advisor, name: str) -> Grouping:
    """Returns the groups of a column; numbers that the model knows are cut at the
    quartiles of the observed rows.
    """
    for column, inputs in zip(
        advisor.codec.columns, advisor.codec.inputs.values(), strict=True
    ):
        scale = column.scale
        if column.name == name and isinstance(scale, NumericColumn):
            if advisor.reference is None:
                raise ConfigError(
                    f"groups: expected a column with few values, got {name!r}, whose "
                    "numbers would be cut at quartiles of observed rows; these are not "
                    "stored here"
                )
            observed = advisor.reference.features[:, inputs[0]].double().numpy()
            values = scale.decode(np.quantile(observed, PARTS)[:, None])
            digits = scale.told_decimals
            edges = dict.fromkeys(np.round(values, digits).tolist())
            return Grouping(column=name, edges=tuple(edges))
    return Grouping(column=name, edges=None)


def _names(edges: Sequence[float]) -> list[str]:
    shown = [f"{int(edge) if edge.is_integer() else edge:.10g}" for edge in edges]
    between = [f"over {low} to {high}" for low, high in pairwise(shown)]
    return [f"up to {shown[0]}", *between, f"over {shown[-1]}", NO_VALUE]


def _text(value: object) -> str:
    missing = value is None or value == "" or value != value
    return NO_VALUE if missing else str(value)
