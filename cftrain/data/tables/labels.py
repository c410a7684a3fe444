"""Rules that turn a column of a table into classes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cftrain.config.names import named
from cftrain.data.columns import (
    Level,
    WrittenLevel,
    level_text,
    levels_of,
    listed,
    numbers_of,
)
from cftrain.errors import DataError


@dataclass(frozen=True, kw_only=True)
class LabelRule(ABC):
    """A column of the table and what it says about the class of a row."""

    column: str

    @property
    @abstractmethod
    def classes(self) -> int:
        """Returns how many classes there are."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Returns what the classes are called."""

    @abstractmethod
    def labels(self, values: pd.Series) -> np.ndarray:
        """Returns classes (row,) from 0 to `classes` - 1. Raises DataError."""


@named("by_value")
@dataclass(frozen=True, kw_only=True)
class ByValue(LabelRule):
    """Class k are the rows with the k-th of the values; other values are refused.

    Values may be written as text, whole numbers or true and false; they are kept as
    text.
    """

    values: tuple[WrittenLevel, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(map(level_text, self.values)))

    @property
    def classes(self) -> int:
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(map(str, self.values))

    def labels(self, values: pd.Series) -> np.ndarray:
        codes, found = levels_of(values)
        unknown = [level for level in found if str(level) not in self.values]
        if unknown:
            raise DataError(
                f"label {self.column!r}: expected one of {listed(self.values)}, got "
                f"{listed(unknown)}{_quoting(unknown)}"
            )
        classes = np.array(
            [self.values.index(str(level)) for level in found], dtype=np.int64
        )
        labels: np.ndarray = classes[codes]
        return labels


def _quoting(unknown: Sequence[Level]) -> str:
    """Returns a hint where YAML may have read words as truth values."""
    if {"yes", "no", "on", "off"} & {str(level).lower() for level in unknown}:
        return ' (YAML reads yes, no, on and off as truth values: quote them, "yes")'
    return ""


@named("by_threshold")
@dataclass(frozen=True, kw_only=True)
class ByThreshold(LabelRule):
    """Class 1 are the rows with at least the threshold."""

    threshold: float

    @property
    def classes(self) -> int:
        return 2

    @property
    def names(self) -> tuple[str, ...]:
        return f"below {self.threshold:g}", f"{self.threshold:g} or more"

    def labels(self, values: pd.Series) -> np.ndarray:
        return (numbers_of(values) >= self.threshold).astype(np.int64)


@named("by_median")
@dataclass(frozen=True, kw_only=True)
class ByMedian(LabelRule):
    """Class 1 are the rows with at least the median of the whole table."""

    @property
    def classes(self) -> int:
        return 2

    @property
    def names(self) -> tuple[str, ...]:
        return "below the median", "the median or more"

    def labels(self, values: pd.Series) -> np.ndarray:
        numbers = numbers_of(values)
        labels: np.ndarray = numbers >= np.median(numbers)
        return labels.astype(np.int64)
