"""What cells share that were trained alike, but for their seed."""

import json
from typing import Any

import pandas as pd

NOT_OF_TRAINING = ("seed", "evaluation")
"""Parts of a run that do not make its training another one. Seeds deeper in it do: they
are those of data and of generators.
"""

PLACES = ("root", "network_timeout_seconds")
"""Keys at any depth that say where data are, not what they are."""


def setting(cell: pd.Series) -> str:
    """Equal for rows of the table of cells that differ in their training seed, or in
    their evaluation, which has the column `protocol`.
    """
    config = json.loads(cell["config"] or "{}")
    kept = {key: part for key, part in config.items() if key not in NOT_OF_TRAINING}
    return json.dumps([cell["data_source"], _without_places(kept)])


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_places(v) for k, v in value.items() if k not in PLACES}
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    return value
