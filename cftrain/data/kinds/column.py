"""One raw column and the model inputs that stand for it."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

Number = TypeVar("Number", float, np.ndarray)


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """One raw column and the model inputs that stand for it."""

    name: str

    @property
    @abstractmethod
    def feature_names(self) -> tuple[str, ...]:
        """Returns the names of its model inputs."""

    @property
    def scale(self) -> "ScaledColumn | None":
        """Returns how its first input measures raw values; None for categories."""
        return None

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
class ScaledColumn(Column):
    """One input: (measure - mean) / deviation, with the pool's mean and deviation.

    A measure is the number that stands for a raw value, which for numbers is the value
    itself. `decimals` is how many digits behind the point the pool's measures have at
    most: 0 for whole numbers, None for numbers that are not written on such a grid.
    """

    mean: float
    deviation: float
    decimals: int | None = None

    @abstractmethod
    def measured(self, values: pd.Series) -> np.ndarray:
        """Returns the measures (row,) of raw values. Raises DataError."""

    @abstractmethod
    def written(self, measures: np.ndarray) -> np.ndarray:
        """Returns the raw values (row,) that stand for measures on the grid."""

    def known_measures(self, values: pd.Series) -> np.ndarray:
        """Returns the measures (row,) of raw values, NaN where they are missing."""
        there = values.notna().to_numpy()
        measures = np.full(len(values), np.nan)
        if there.any():
            measures[there] = self.measured(values[there].infer_objects())
        return measures

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def scale(self) -> "ScaledColumn":
        return self

    @property
    def told_decimals(self) -> int:
        """Returns the digits behind the point that people are told: those of the pool,
        or else such that a thousandth of a deviation can be seen.
        """
        if self.decimals is not None:
            return self.decimals
        return max(0, 3 - math.floor(math.log10(self.deviation)) - 1)

    def scaled(self, measure: Number) -> Number:
        return (measure - self.mean) / self.deviation

    def raw(self, scaled: Number) -> Number:
        """Returns the measure of an input."""
        return scaled * self.deviation + self.mean

    def encode(self, values: pd.Series) -> np.ndarray:
        return (self.measured(values)[:, None] - self.mean) / self.deviation

    def decode(self, inputs: np.ndarray) -> np.ndarray:
        measures = np.round(self.raw(inputs[:, 0]), self.told_decimals) + 0.0  # no -0.0
        return self.written(measures)
