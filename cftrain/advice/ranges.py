"""Where the observed rows of a class are, column by column, in raw units."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cftrain.advice.advisor import Advisor
from cftrain.data.columns import CategoricalColumn, Level
from cftrain.data.encoding import Codec
from cftrain.data.kinds.column import ScaledColumn
from cftrain.data.kinds.dates import DateColumn
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.data.kinds.ordered import OrderedColumn
from cftrain.evaluation.reference import ReferenceClass

PARTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class NumberRange:
    """The smallest and the largest value, and the quartiles between them, of those that
    are not missing; dates are days, which their `dates` write.
    """

    lowest: float
    low: float
    median: float
    high: float
    highest: float
    dates: DateColumn | None = None

    def place(self, value: float | str) -> float:
        """Returns where a raw value is on the scale of the range."""
        if self.dates is None:
            return float(value)
        return float(self.dates.measured(pd.Series([value]))[0])

    def text(self, place: float) -> str:
        """Returns a place on the scale as a raw value."""
        if self.dates is not None:
            return str(self.dates.written(np.array([place]))[0])
        return str(int(place)) if place.is_integer() else f"{place:.10g}"


@dataclass(frozen=True, kw_only=True)
class LevelShares:
    """The share of rows that have each level."""

    shares: dict[Level, float]


ClassRange = dict[str, NumberRange | LevelShares]
"""The range of each raw column."""


def class_range(advisor: Advisor, label: int) -> ClassRange:
    """Returns the ranges of the observed rows of a class, which are found once."""
    if advisor.reference is None:  # rows are not stored everywhere
        return {}
    return advisor.reference.of(label).once(_ranges, advisor.codec)


def _ranges(members: ReferenceClass, codec: Codec) -> ClassRange:
    found: ClassRange = {}
    rows = members.rows.double().numpy()
    for column, inputs in zip(codec.columns, codec.inputs.values(), strict=True):
        values = rows[:, list(inputs)]
        if isinstance(column, ImputedColumn):
            values = values[values[:, 1] < 0.5]
        if isinstance(column, CategoricalColumn):
            shares = values.mean(0).tolist()
            found[column.name] = _level_shares(column.levels, shares)
        elif isinstance(column.scale, OrderedColumn):
            found[column.name] = _ordered_shares(column.scale, values[:, 0])
        elif column.scale is not None and len(values):
            found[column.name] = _number_range(column.scale, values[:, 0])
    return found


def _level_shares(levels: tuple[Level, ...], shares: list[float]) -> LevelShares:
    return LevelShares(shares=dict(zip(levels, shares, strict=True)))


def _ordered_shares(column: OrderedColumn, values: np.ndarray) -> LevelShares:
    places = np.rint(column.raw(values)).astype(np.int64)
    counts = np.bincount(places, minlength=len(column.levels))
    return _level_shares(column.levels, (counts / max(1, len(places))).tolist())


def _number_range(column: ScaledColumn, values: np.ndarray) -> NumberRange:
    quantiles = column.raw(np.quantile(values, PARTS))
    names = ("lowest", "low", "median", "high", "highest")
    shown = np.round(quantiles, column.told_decimals).tolist()
    dates = column if isinstance(column, DateColumn) else None
    return NumberRange(**dict(zip(names, shown, strict=True)), dates=dates)
