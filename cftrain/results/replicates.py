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


PLACES = ("data.raw.path", "init_from.path")
"""Where a table and initial weights were read: remembered, but no part of what was
trained.
"""

REMEMBERED = (*PLACES, "data.raw.most_memory")
"""What is stored and shapes nothing: these, and how much memory a table might take."""


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
    if varies:  # each seed starts from weights of its own
        _forget(config, "init_from.digest")
    return json.dumps([cell["data_identity"], config])


def placeless(cell: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """Returns the configuration of a row of the table of cells, without places: where
    its table and its initial weights were read, and how much memory a table might take.

    Raises ResultError.
    """
    config = of_cell(cell)
    for key in REMEMBERED:
        _forget(config, key)
    return config


def elsewhere(cell: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """Returns the same for another machine: of the places, the names of files are left.

    Raises ResultError.
    """
    config = of_cell(cell)
    for place in PLACES:
        path = value_at(config, place)
        if path is not None:
            *nodes, last = place.split(".")
            node: Any = config
            for name in nodes:
                node = node[name]
            node[last] = PurePath(path).name
    return config


def _forget(config: Any, key: str) -> None:
    """Drop a value, such as `data.draw_seed`, if it is there."""
    *nodes, last = key.split(".")
    for name in nodes:
        config = config.get(name, {}) if isinstance(config, dict) else {}
    if isinstance(config, dict):
        config.pop(last, None)
