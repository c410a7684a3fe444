"""Columns fitted on the pool: their scale, their levels and their decimals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cftrain.data.columns import (
    CATEGORIES,
    MOST_DECIMALS,
    CategoricalColumn,
    ColumnKind,
    Level,
    NumericColumn,
    largest,
    levels_of,
    listed,
    numbers_of,
)
from cftrain.data.kinds.column import Column, ScaledColumn
from cftrain.data.kinds.dates import DateColumn, fit_date
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.data.kinds.ordered import OrderedColumn
from cftrain.errors import DataError


def fit_column(
    values: pd.Series,
    kind: ColumnKind,
    *,
    wanted: Sequence[str] | None,
    imputed: bool,
    standardise: bool,
) -> Column:
    """Returns a column of a kind, fitted on the pool. Raises DataError.

    `wanted` are levels in their order, None for those of the pool, sorted. With
    `imputed`, missing values get the median of the others and a flag.
    """
    if kind in CATEGORIES:
        return fit_categorical(values, wanted=wanted, grouped=kind == "grouped")
    given = values[values.notna()].infer_objects() if imputed else values
    column, measures = _fit_scaled(given, kind, wanted, standardise)
    if not imputed:
        return column
    return ImputedColumn(
        name=column.name, inner=column, filled=float(np.median(measures))
    )


def fit_numeric(values: pd.Series, *, standardise: bool) -> NumericColumn:
    """Returns a column scaled by the pool, or not scaled. Raises DataError."""
    numbers = numbers_of(values)
    mean, deviation = _scale(values, numbers, standardise)
    return NumericColumn(
        name=str(values.name),
        mean=mean,
        deviation=deviation,
        decimals=decimals_of(numbers),
    )


def _fit_scaled(
    values: pd.Series, kind: ColumnKind, wanted: Sequence[str] | None, standardise: bool
) -> tuple[ScaledColumn, np.ndarray]:
    """A column with one input and the measures of the pool."""
    if kind == "numeric":
        return fit_numeric(values, standardise=standardise), numbers_of(values)
    name = str(values.name)
    if kind == "ordered":
        levels = tuple(wanted or fit_categorical(values, wanted=None).levels)
        plain = OrderedColumn(
            name=name, levels=levels, mean=0.0, deviation=1.0, decimals=0
        )
        places = plain.measured(values)
        mean, deviation = _scale(values, places, standardise)
        return replace(plain, mean=mean, deviation=deviation), places
    form, days = fit_date(values, kind)
    decimals = 0 if np.array_equal(days, np.rint(days)) else MOST_DECIMALS
    mean, deviation = _scale(values, days, standardise)
    column = DateColumn(
        name=name, format=form, decimals=decimals, mean=mean, deviation=deviation
    )
    return column, days


def _scale(
    values: pd.Series, measures: np.ndarray, standardise: bool
) -> tuple[float, float]:
    """Mean and deviation. Raises DataError for what cannot be scaled."""
    distinct = np.unique(measures)
    _refuse_constant(str(values.name), distinct.tolist())
    mean, deviation = (
        (float(measures.mean()), float(measures.std(ddof=1)))
        if standardise
        else (0.0, 1.0)
    )
    scaled = ((distinct - mean) / deviation).astype(np.float32)
    if len(distinct) > 2 >= len(np.unique(scaled)):
        raise DataError(
            f"column {values.name!r}: expected values that stay different as 32-bit "
            f"inputs, got {len(distinct)} that become {len(np.unique(scaled))}; the "
            f"largest is {largest(values, measures)}"
        )
    return mean, deviation


def decimals_of(numbers: np.ndarray) -> int | None:
    """Returns how many digits behind the point are enough for all numbers.

    None if `MOST_DECIMALS` are not.
    """
    for decimals in range(MOST_DECIMALS + 1):
        if np.array_equal(np.round(numbers, decimals), numbers):
            return decimals
    return None


def fit_categorical(
    values: pd.Series, *, wanted: Sequence[str] | None, grouped: bool = False
) -> CategoricalColumn:
    """Returns a column with the pool's levels, sorted or in the wanted order; with
    `grouped` the last wanted one takes all others. Raises DataError.
    """
    name = str(values.name)
    levels = levels_of(values)[1]
    if grouped and wanted is not None:
        kept = [level for level in levels if str(level) in wanted]
        rest = [wanted[-1]] if len(kept) < len(levels) else []
        levels = list(dict.fromkeys([*kept, *rest]))
    found = sorted(levels, key=lambda level: (isinstance(level, str), level))
    _refuse_constant(name, found)
    if wanted is None:
        return CategoricalColumn(name=name, levels=tuple(found))
    by_text = {str(level): level for level in found}
    if sorted(by_text) != sorted(wanted):
        raise DataError(
            f"column {name!r}: expected the levels {listed(wanted)} (data.levels), "
            f"each in at least one row of the pool, got {listed(found)}"
        )
    ordered = tuple(by_text[level] for level in wanted)
    return CategoricalColumn(
        name=name, levels=ordered, rest=ordered[-1] if grouped else None
    )


def _refuse_constant(name: str, found: Sequence[float | Level]) -> None:
    if len(found) < 2:
        raise DataError(
            f"column {name!r}: expected at least 2 different values in the pool, got "
            f"{listed(found) or 'no row'}; a constant column cannot be scaled or "
            "explained: leave it out of data.columns"
        )
