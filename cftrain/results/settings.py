"""What cells share that were trained alike, but for their seed."""

import json
from typing import Any

import pandas as pd

WITHOUT_EFFECT = ("seed", "evaluation", "root", "network_timeout_seconds")
"""Keys of a run that do not make its training another one."""


def setting(cell: pd.Series) -> str:
    """Equal for rows of the table of cells that differ in their training seed, or in
    their evaluation, which has the column `protocol`.
    """
    config = _without(json.loads(cell["config"] or "{}"))
    return json.dumps([cell["data_source"], config])


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without(v) for k, v in value.items() if k not in WITHOUT_EFFECT}
    if isinstance(value, list):
        return [_without(item) for item in value]
    return value
