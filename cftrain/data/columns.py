"""One raw column, its scale or levels, and the model inputs that stand for it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cftrain.errors import DataError

MISSING = "?"
"""The level of missing values where they are a level of their own."""

ColumnKind = Literal["numeric", "categorical"]
Level = int | str
WrittenLevel = int | bool | str
"""A level as people write it in YAML; levels are compared by their text."""


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """One raw column and the model inputs that stand for it."""

    name: str

    @property
    @abstractmethod
    def feature_names(self) -> tuple[str, ...]:
        """Returns the names of its model inputs."""

    @abstractmethod
    def encode(self, values: pd.Series) -> np.ndarray:
        """Returns model inputs (row, input) of raw values. Raises DataError."""

    @abstractmethod
    def decode(self, inputs: np.ndarray) -> np.ndarray:
        """Returns raw values (row,) of model inputs (row, input)."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold."""


@dataclass(frozen=True, kw_only=True)
class NumericColumn(Column):
    """(value - mean) / deviation, with the pool's mean and sample deviation.

    Decoded to the decimals that a float32 input resolves, so 39 stays 39.
    """

    mean: float
    deviation: float

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name,)

    def scaled(self, value: float) -> float:
        return (value - self.mean) / self.deviation

    def raw(self, scaled: float) -> float:
        return scaled * self.deviation + self.mean

    def encode(self, values: pd.Series) -> np.ndarray:
        return (numbers_of(values)[:, None] - self.mean) / self.deviation

    def decode(self, inputs: np.ndarray) -> np.ndarray:
        scaled = inputs[:, 0]
        noise = 2 * self.deviation * np.spacing(np.abs(scaled).astype(np.float32))
        power = 10.0 ** np.floor(-np.log10(noise)).clip(0, 12)
        values: np.ndarray = scaled * self.deviation + self.mean
        return np.rint(values * power) / power + 0.0  # no -0.0

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "numeric", **self.__dict__}


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn(Column):
    """One input per level, one of them 1; decoded to the level of the largest input."""

    levels: tuple[Level, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}={level}" for level in self.levels)

    def encode(self, values: pd.Series) -> np.ndarray:
        place = {level: index for index, level in enumerate(self.levels)}
        codes, found = levels_of(values)
        unseen = [level for level in found if level not in place]
        if unseen:
            raise DataError(
                f"column {self.name!r}: expected one of the levels of the pool "
                f"({listed(self.levels)}), got {listed(unseen)}"
            )
        places = np.array([place[level] for level in found], dtype=np.int64)
        inputs: np.ndarray = np.eye(len(self.levels))[places[codes]]
        return inputs

    def decode(self, inputs: np.ndarray) -> np.ndarray:
        values: np.ndarray = np.array(self.levels, dtype=object)[inputs.argmax(1)]
        return values

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "categorical", "name": self.name, "levels": list(self.levels)}


def fit_numeric(values: pd.Series, *, standardise: bool) -> NumericColumn:
    """Returns a column scaled by the pool, or not scaled. Raises DataError."""
    numbers = numbers_of(values)
    _refuse_constant(str(values.name), np.unique(numbers).tolist())
    mean, deviation = (
        (float(numbers.mean()), float(numbers.std(ddof=1)))
        if standardise
        else (0.0, 1.0)
    )
    return NumericColumn(name=str(values.name), mean=mean, deviation=deviation)


def fit_categorical(
    values: pd.Series, *, wanted: Sequence[str] | None
) -> CategoricalColumn:
    """Returns a column with the pool's levels, sorted or in the wanted order.

    Raises DataError.
    """
    name = str(values.name)
    found = sorted(
        levels_of(values)[1], key=lambda level: (isinstance(level, str), level)
    )
    _refuse_constant(name, found)
    if wanted is None:
        return CategoricalColumn(name=name, levels=tuple(found))
    by_text = {str(level): level for level in found}
    if sorted(by_text) != sorted(wanted):
        raise DataError(
            f"column {name!r}: expected the levels {listed(wanted)} (data.levels), "
            f"each in at least one row of the pool, got {listed(found)}"
        )
    return CategoricalColumn(
        name=name, levels=tuple(by_text[level] for level in wanted)
    )


def _refuse_constant(name: str, found: Sequence[float | Level]) -> None:
    if len(found) < 2:
        raise DataError(
            f"column {name!r}: expected at least 2 different values in the pool, got "
            f"{listed(found) or 'no row'}; a constant column cannot be scaled or "
            "explained: leave it out of data.columns"
        )


def numbers_of(values: pd.Series) -> np.ndarray:
    """Returns finite float64 values. Raises DataError."""
    _refuse_missing(values)
    try:
        numbers: np.ndarray = values.to_numpy().astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"column {values.name!r}: expected numbers, got {error}"
        ) from error
    if not np.isfinite(numbers).all():
        raise DataError(
            f"column {values.name!r}: expected finite numbers, got "
            f"{int((~np.isfinite(numbers)).sum())} rows without"
        )
    return numbers


def levels_of(values: pd.Series) -> tuple[np.ndarray, list[Level]]:
    """Returns a code for every row and the levels that the codes stand for.

    Whole numbers, however stored, are int levels, everything else is text. A missing
    value is the level `MISSING`, which a column has only if its pool had it.
    """
    filled = values.astype(object).where(values.notna(), MISSING)
    codes, found = pd.factorize(filled)
    levels = [_level(value) for value in found]
    distinct = list(dict.fromkeys(levels))
    places = np.array([distinct.index(level) for level in levels], dtype=np.int64)
    return places[codes], distinct


def level_text(written: WrittenLevel) -> str:
    """Returns the text of a level: 2 and "2" are the same one, true is 1."""
    return str(_level(written))


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
