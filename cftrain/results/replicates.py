"""Which cells are replicates of one another: the same but for their seeds."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

TRAINING_SEED = ("seed",)
"""Seeds deeper in a run are others: those of data and of generators."""


def replicate_key(cell: pd.Series, varies: Sequence[str] = TRAINING_SEED) -> str:
    """Returns what is equal for rows of the table of cells that are replicates.

    These differ in nothing but the hyperparameters that vary, named by their keys; the
    content of their data is the same.
    """
    config = json.loads(cell["config"])
    for key in varies:
        _forget(config, key)
    return json.dumps([cell["data_identity"], config])


def _forget(config: Any, key: str) -> None:
    """Drop a value, such as `data.draw_seed`, if it is there."""
    *nodes, last = key.split(".")
    for name in nodes:
        config = config.get(name, {}) if isinstance(config, dict) else {}
    if isinstance(config, dict):
        config.pop(last, None)
