"""The hyperparameters of stored runs and protocols, as columns."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from cftrain.results.described import described


def leaves(described: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of a configuration with its key, `objective.ridge_weight`.

    Classes have the key of their node: `generator` is `ecco`. A list is one value.
    """
    for name, value in described.items():
        key = prefix.removesuffix(".") if name == "_target_" else f"{prefix}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{key}.")
        elif key:
            yield key, value


def hyperparameters(cells: pd.DataFrame) -> pd.DataFrame:
    """A row for each row of the table of cells, and a column for each key of any run.

    Nothing here knows a hyperparameter: a new one is a new column.
    """
    rows = [dict(leaves(described(text, "a cell"))) for text in cells["config"]]
    return pd.DataFrame(rows, index=cells.index)


def value_at(described: Any, key: str, default: Any = None) -> Any:
    """The value of a key such as `search.max_steps`, or the default."""
    for name in key.split("."):
        if not isinstance(described, dict) or name not in described:
            return default
        described = described[name]
    return described
