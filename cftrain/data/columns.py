"""Columns of numbers and of categories, and the values that they are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cftrain.data.kinds.column import Column, ScaledColumn
from cftrain.errors import DataError

MISSING = "?"
"""The level of missing values where they are a level of their own."""

LARGEST = float(np.finfo(np.float32).max)
"""Inputs are float32: a larger number would be infinite there."""

ColumnKind = Literal[
    "numeric",
    "categorical",
    "grouped",
    "ordered",
    "date",
    "date_day_first",
    "date_month_first",
]
"""What a raw column holds; the last level of a grouped one stands for all others."""

CATEGORIES: tuple[ColumnKind, ...] = ("categorical", "grouped")
MOST_DECIMALS = 6
"""Numbers with more digits behind the point are measured, not counted."""

Level = int | str
WrittenLevel = int | bool | str
"""A level as people write it in YAML; levels are compared by their text."""


@dataclass(frozen=True, kw_only=True)
class NumericColumn(ScaledColumn):
    """Numbers. Decoded to the decimals that a float32 input resolves: 39 stays 39."""

    def measured(self, values: pd.Series) -> np.ndarray:
        return numbers_of(values)

    def written(self, measures: np.ndarray) -> np.ndarray:
        return measures

    def decode(self, inputs: np.ndarray) -> np.ndarray:
        scaled = inputs[:, 0]
        noise = 2 * self.deviation * np.spacing(np.abs(scaled).astype(np.float32))
        # At the mean, where float32 numbers are dense, it may be smaller than any.
        power = 10.0 ** np.floor(-np.log10(np.maximum(noise, 1e-30))).clip(0, 12)
        values: np.ndarray = scaled * self.deviation + self.mean
        return np.rint(values * power) / power + 0.0  # no -0.0

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "numeric", **self.__dict__}


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn(Column):
    """One input per level, one of them 1; decoded to the level of the largest input.

    With a `rest`, one of its levels, values that are none of its levels count as that.
    """

    levels: tuple[Level, ...]
    rest: Level | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={level}" for level in self.levels)

    def encode(self, values: pd.Series) -> np.ndarray:
        rest = None if self.rest is None else self.levels.index(self.rest)
        places = places_of(values, self.levels, rest)
        inputs: np.ndarray = np.eye(len(self.levels))[places]
        return inputs

    def decode(self, inputs: np.ndarray) -> np.ndarray:
        values: np.ndarray = np.array(self.levels, dtype=object)[inputs.argmax(1)]
        return values

    def to_dict(self) -> dict[str, Any]:
        saved = {"kind": "categorical", "name": self.name, "levels": list(self.levels)}
        return saved if self.rest is None else {**saved, "rest": self.rest}


def numbers_of(values: pd.Series) -> np.ndarray:
    """Returns finite float64 values. Raises DataError."""
    _refuse_missing(values)
    if values.dtype.kind in "mMc":
        raise DataError(
            f"column {values.name!r}: expected numbers, got values of type "
            f"{values.dtype}"
        )
    try:
        numbers: np.ndarray = values.to_numpy().astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"column {values.name!r}: expected numbers, got {error}"
        ) from error
    held = np.abs(numbers) <= LARGEST
    if not held.all():
        raise DataError(
            f"column {values.name!r}: expected finite numbers that 32-bit inputs can "
            f"hold, got {int((~held).sum())} rows without, the first "
            f"{_placed(values, int(np.argmin(held)))}"
        )
    return numbers


def levels_of(values: pd.Series) -> tuple[np.ndarray, list[Level]]:
    """Returns a code for every row and the levels that the codes stand for.

    Whole numbers, however stored, are int levels, everything else is text. A missing
    value is the level `MISSING`, which a column has only if its pool had it.
    """
    filled = values.astype(object).where(values.notna(), MISSING)
    try:
        codes, found = pd.factorize(filled)
    except TypeError as error:  # lists and mappings cannot be compared
        raise DataError(
            f"column {values.name!r}: expected texts or numbers, got {error}"
        ) from error
    levels = [_level(value) for value in found]
    distinct = list(dict.fromkeys(levels))
    place = {level: number for number, level in enumerate(distinct)}
    places = np.array([place[level] for level in levels], dtype=np.int64)
    return places[codes], distinct


def places_of(
    values: pd.Series, levels: Sequence[Level], rest: int | None = None
) -> np.ndarray:
    """Returns the place of each value among the levels, compared by their text; `rest`
    is that of all others. Raises DataError if others have none.
    """
    place = {str(level): index for index, level in enumerate(levels)}
    codes, found = levels_of(values)
    unseen = [level for level in found if str(level) not in place]
    if unseen and rest is None:
        raise DataError(
            f"column {values.name!r}: expected one of the levels of the pool "
            f"({listed(levels)}), got {listed(unseen)}"
        )
    places = np.array([place.get(str(level), rest) for level in found], dtype=np.int64)
    chosen: np.ndarray = places[codes]
    return chosen


def largest(values: pd.Series, numbers: np.ndarray) -> str:
    return _placed(values, int(np.abs(numbers).argmax()))


def _placed(values: pd.Series, place: int) -> str:
    """A value and its row of the file, which the index still has after a shuffle."""
    row, value = values.index[place], values.iloc[place]
    return f"{value!s} in row {row} (counted from 0)"


def level_text(written: WrittenLevel) -> str:
    """Returns the text of a level: 2 and "2" are the same one, true is 1."""
    return str(_level(written))


def level_texts(
    levels: Mapping[str, Sequence[WrittenLevel]],
) -> dict[str, tuple[str, ...]]:
    """Returns the levels of columns as texts."""
    return {name: tuple(map(level_text, written)) for name, written in levels.items()}


def _level(value: Any) -> Level:
    if isinstance(value, (int, float, np.number, np.bool_)):
        return int(value) if float(value).is_integer() else str(value)
    return str(value)


def _refuse_missing(values: pd.Series) -> None:
    missing = int(values.isna().sum())
    if missing:
        raise DataError(
            f"column {values.name!r}: expected no missing values, got {missing}"
        )


def listed(values: Sequence[Any]) -> str:
    """Returns the first dozen values as text, for messages."""
    shown = ", ".join(map(repr, values[:12]))
    return f"{shown}, ... ({len(values)})" if len(values) > 12 else shown
