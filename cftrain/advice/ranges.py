"""Where the observed rows of a class are, column by column, in raw units."""

from dataclasses import dataclass

import numpy as np

from cftrain.advice.advisor import Advisor
from cftrain.data.columns import CategoricalColumn, Level, NumericColumn
from cftrain.data.encoding import Codec
from cftrain.evaluation.reference import ReferenceClass

PARTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class NumberRange:
    """The smallest and the largest value, and the quartiles between them."""

    lowest: float
    low: float
    median: float
    high: float
    highest: float


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
        if isinstance(column.scale, NumericColumn):
            found[column.name] = _number_range(column.scale, values[:, 0])
        elif isinstance(column, CategoricalColumn):
            shares = values.mean(0).tolist()
            levels = dict(zip(column.levels, shares, strict=True))
            found[column.name] = LevelShares(shares=levels)
    return found


def _number_range(column: NumericColumn, values: np.ndarray) -> NumberRange:
    quantiles = column.decode(np.quantile(values, PARTS)[:, None])
    names = ("lowest", "low", "median", "high", "highest")
    shown = np.round(quantiles, column.told_decimals).tolist()
    return NumberRange(**dict(zip(names, shown, strict=True)))
