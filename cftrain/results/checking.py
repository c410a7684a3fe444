"""What stored tables must hold to be used: checked once, where they are read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.described import described

STATUS = ("done", "failed")
NEEDED = ("status", "created", "seed", "data", "objective", "stack_cells")
"""Columns without which a row of a marker says nothing."""


def check_markers(rows: pd.DataFrame, place: Path) -> None:
    """Raises ResultError for rows of `cells` or `evaluations` that nobody wrote so."""
    for column in (name for name in NEEDED if name in rows):
        if rows[column].isna().any():
            raise ResultError(f"{place}: expected a value in {column}, got none")
    if "status" in rows:
        others = sorted(set(rows["status"]) - set(STATUS))
        if others:
            raise ResultError(
                f"{place}: expected status {' or '.join(STATUS)}, got {others[0]!r}"
            )
    if "seconds" in rows:
        seconds = rows["seconds"].dropna()
        if not (np.isfinite(seconds) & (seconds >= 0)).all():
            raise ResultError(
                f"{place}: expected seconds to be finite and at least 0, got others"
            )


def of_cell(row: Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """The configuration of a row of the table of cells. Raises ResultError."""
    return described(row["config"], f"config of cell {row.get('cell', '')}".rstrip())
