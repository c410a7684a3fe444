"""Raw tables to model inputs and back: a scaler and an encoder, fitted and frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from cftrain.data.columns import (
    CategoricalColumn,
    Column,
    ColumnKind,
    NumericColumn,
    fit_categorical,
    fit_numeric,
    listed,
)
from cftrain.errors import DataError
from cftrain.tensors import Features


@dataclass(frozen=True, kw_only=True)
class Codec:
    """All columns in the order of the model inputs."""

    columns: tuple[Column, ...]

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.feature_names)

    @cached_property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Returns, for every raw column, the indices of its model inputs."""
        ends = np.cumsum([len(column.feature_names) for column in self.columns])
        return {
            column.name: tuple(range(end - len(column.feature_names), end))
            for column, end in zip(self.columns, ends.tolist(), strict=True)
        }

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Returns the indices of the one-hot inputs of each categorical column."""
        return tuple(
            self.inputs[column.name]
            for column in self.columns
            if isinstance(column, CategoricalColumn)
        )

    def encode(self, frame: pd.DataFrame) -> Features:
        """Returns model inputs of raw rows. Raises DataError with all mistakes."""
        blocks, mistakes = [], []
        for column in self.columns:
            if column.name not in frame:
                mistakes.append(
                    f"expected column {column.name!r}, got {listed(list(frame))}"
                )
                continue
            try:
                blocks.append(column.encode(frame[column.name]))
            except DataError as mistake:
                mistakes.append(str(mistake))
        if mistakes:
            raise DataError("\n".join(mistakes))
        return torch.from_numpy(np.concatenate(blocks, axis=1)).float()

    def decode(self, features: Features) -> pd.DataFrame:
        """Returns raw rows of model inputs, each with valid categories."""
        if features.shape[1] != len(self.feature_names):
            raise DataError(
                f"decode: expected {len(self.feature_names)} features, got "
                f"{features.shape[1]}"
            )
        values = features.detach().cpu().double().numpy()
        return pd.DataFrame(
            {
                column.name: column.decode(values[:, list(self.inputs[column.name])])
                for column in self.columns
            }
        )

    def to_dict(self) -> dict[str, Any]:
        return {"columns": [column.to_dict() for column in self.columns]}

    @staticmethod
    def from_dict(saved: Mapping[str, Any]) -> "Codec":
        """Returns the codec that `to_dict` described. Raises DataError for all else."""
        try:
            return Codec(columns=tuple(_column(entry) for entry in saved["columns"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"codec: expected the columns of a codec, got {error!r}"
            ) from error


def identity_codec(
    names: Sequence[str], *, mean: float = 0.0, deviation: float = 1.0
) -> Codec:
    """Returns a codec of numeric columns on one common scale, else the raw one."""
    return Codec(
        columns=tuple(
            NumericColumn(name=name, mean=mean, deviation=deviation) for name in names
        )
    )


def fit_codec(
    pool: pd.DataFrame,
    kinds: Mapping[str, ColumnKind],
    *,
    levels: Mapping[str, Sequence[str]],
    standardise: bool,
) -> Codec:
    """Returns a codec with the pool's statistics and levels, in the order of `kinds`.

    `levels` fixes the order of a column's levels; those of other columns are sorted.
    Raises DataError with all mistakes at once.
    """
    columns: list[Column] = []
    mistakes = []
    for name, kind in kinds.items():
        try:
            if kind == "numeric":
                columns.append(fit_numeric(pool[name], standardise=standardise))
            else:
                columns.append(fit_categorical(pool[name], wanted=levels.get(name)))
        except DataError as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise DataError("\n".join(mistakes))
    return Codec(columns=tuple(columns))


def _column(entry: Mapping[str, Any]) -> Column:
    values = dict(entry)
    kind = values.pop("kind")
    if kind == "numeric":
        return NumericColumn(**values)
    if kind == "categorical":
        return CategoricalColumn(name=values["name"], levels=tuple(values["levels"]))
    raise ValueError(f"kind {kind!r}")
