"""Which cells are replicates of one another: the same but for their seeds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from cftrain.results.checking import of_cell
from cftrain.results.leaves import value_at

TRAINING_SEED = ("seed",)
"""Seeds deeper in a run are others: those of data and of generators."""


PLACE = "data.raw.path"
"""Where a table was read: remembered, but no part of what was trained."""


def replicate_key(
    cell: Mapping[str, Any] | pd.Series, varies: Sequence[str] = TRAINING_SEED
) -> str:
    """Returns what is equal for rows of the table of cells that are replicates.

    These differ in nothing but the hyperparameters that vary, named by their keys; the
    content of their data is the same.
    """
    config = placeless(cell)
    for key in varies:
        _forget(config, key)
    return json.dumps([cell["data_identity"], config])


def placeless(cell: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """Returns the configuration of a row of the table of cells, without the place where
    its table was read. Raises ResultError.
    """
    config = of_cell(cell)
    _forget(config, PLACE)
    return config


def elsewhere(cell: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """Returns the same for another machine: of the place, the name of the file is left.

    Raises ResultError.
    """
    config = of_cell(cell)
    path = value_at(config, PLACE)
    if path is not None:
        config["data"]["raw"]["path"] = PurePath(path).name
    return config


def _forget(config: Any, key: str) -> None:
    """Drop a value, such as `data.draw_seed`, if it is there."""
    *nodes, last = key.split(".")
    for name in nodes:
        config = config.get(name, {}) if isinstance(config, dict) else {}
    if isinstance(config, dict):
        config.pop(last, None)
