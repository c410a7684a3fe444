"""Raw tables to model inputs and back: a scaler and an encoder, fitted and frozen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from cftrain.data.columns import (
    CategoricalColumn,
    ColumnKind,
    NumericColumn,
    listed,
)
from cftrain.data.fitting import fit_column
from cftrain.data.kinds.column import Column
from cftrain.data.kinds.dates import DateColumn
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.data.kinds.ordered import OrderedColumn
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
    imputed: Collection[str] = (),
) -> Codec:
    """Returns a codec with the pool's statistics and levels, in the order of `kinds`.

    `levels` fixes the order of a column's levels; those of other columns are sorted.
    The `imputed` ones get a median and a flag where they miss a value. Raises DataError
    with all mistakes at once.
    """
    columns: list[Column] = []
    mistakes = []
    for name, kind in kinds.items():
        try:
            column = fit_column(
                pool[name],
                kind,
                wanted=levels.get(name),
                imputed=name in imputed,
                standardise=standardise,
            )
            columns.append(column)
        except DataError as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise DataError("\n".join(mistakes))
    return Codec(columns=tuple(columns))


KINDS: dict[str, type[Column]] = {
    "numeric": NumericColumn,
    "categorical": CategoricalColumn,
    "date": DateColumn,
    "ordered": OrderedColumn,
}
"""Kinds of columns by the names under which they are stored."""


def _column(entry: Mapping[str, Any]) -> Column:
    values = dict(entry)
    kind = values.pop("kind")
    if "levels" in values:
        values["levels"] = tuple(values["levels"])
    if kind == "imputed":
        inner = _column(values.pop("inner"))
        if inner.scale is not inner:
            raise ValueError("an imputed column without a scale")
        return ImputedColumn(**values, inner=inner)
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}")
    return KINDS[kind](**values)
