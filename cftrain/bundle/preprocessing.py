"""The codec in a bundle: what turns raw rows into the inputs of a model and back."""

import math
from pathlib import Path
from typing import Any

import torch

from cftrain.bundle.layout import PREPROCESSING
from cftrain.bundle.manifest import json_text
from cftrain.bundle.sealed import Sealed
from cftrain.data.columns import LARGEST
from cftrain.data.encoding import Codec
from cftrain.errors import DataError, ResultError

MOST_DECIMALS = 300
"""Digits behind the point: 10 to that power is a float64 still."""


def write_codec(folder: Path, codec: Codec) -> None:
    (folder / PREPROCESSING).write_text(json_text(codec.to_dict()), encoding="utf-8")


def read_codec(files: Sealed) -> Codec:
    """The codec of a bundle. Raises ResultError for one that cannot be used."""
    saved = files.values(PREPROCESSING)
    try:
        _check_numbers(saved)
        codec = Codec.from_dict(saved)
        if codec.to_dict() != saved:
            raise DataError("expected a codec and nothing else")
        _check_names(codec)
        _check_use(codec)
    except Exception as error:  # whatever values of the wrong type run into
        raise ResultError(
            f"{files.folder / PREPROCESSING}: expected the columns of a codec, got "
            f"others: {error}"
        ) from error
    return codec


def _check_numbers(value: Any) -> None:
    """Raises DataError for numbers that inputs cannot have."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_numbers(item)
    elif isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise DataError("expected finite numbers that 32-bit inputs can hold")


def _check_names(codec: Codec) -> None:
    names = [column.name for column in codec.columns]
    texts = all(isinstance(name, str) for name in names)
    if not names or not texts or len(set(names)) < len(names):
        raise DataError("expected columns of different names")
    if len(set(codec.feature_names)) < len(codec.feature_names):
        raise DataError("expected different levels in each column")


def _check_use(codec: Codec) -> None:
    """Raises an error of any class unless rows can be encoded, decoded and told."""
    for column in codec.columns:
        scale = column.scale
        if scale is None:
            continue
        scaled = scale.raw(1.0) - scale.raw(-1.0)
        if not (math.isfinite(scaled) and scale.deviation > 0):
            raise DataError(f"column {column.name!r}: expected a deviation above 0")
        decimals = scale.told_decimals
        if type(decimals) is not int:
            raise DataError(
                f"column {column.name!r}: expected a whole number of decimals, got "
                f"{decimals!r}"
            )
        if not 0 <= decimals <= MOST_DECIMALS:
            raise DataError(f"column {column.name!r}: expected fewer decimals")
    raw = codec.decode(torch.zeros(1, len(codec.feature_names)))
    if not torch.isfinite(codec.encode(raw)).all():
        raise DataError("expected columns that can be encoded")
