"""What may become part of a path: ids and names, and nothing that leads elsewhere."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cftrain.errors import ResultError

LONGEST = 120
"""Characters; file systems take 255 bytes."""

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
NAME = re.compile(r"[^\W_][\w .,:+=@()-]*")

IDS = ("cell", "stack", "pair", "protocol", "other", "budget", "baseline")
NAMES = ("data", "model", "generator", "objective", "metric", "grid")
CHOICES = {"role": ("model", "baseline")}
NEEDED = (*IDS, *NAMES, *CHOICES, "status", "config", "created", "seed")
"""Columns that have a value in every row of whatever table they are in."""


def is_id(text: object) -> bool:
    """Whether a text may be the id of a cell, of a stack or of a protocol."""
    return _matches(ID, text)


def is_name(text: object) -> bool:
    """Whether a text may be the name of a dataset or of another part of a run."""
    return _matches(NAME, text)


def check_columns(path: Path, rows: pa.Table) -> None:
    """Raises ResultError unless the ids and names in some columns of a table are such:
    they become names of files, also where somebody else made the table.
    """
    for column in rows.column_names:
        values = rows[column]
        if column in NEEDED and values.null_count:
            _refuse(path, column, "a value in every row", None)
        if column in (*IDS, *NAMES, *CHOICES):
            for value in pc.unique(values).to_pylist():
                _check(path, column, value)


def _check(path: Path, column: str, value: str) -> None:
    if column in IDS and not is_id(value):
        _refuse(path, column, "an id of letters and digits", value)
    if column in NAMES and not is_name(value):
        _refuse(path, column, "a name of letters, digits and plain signs", value)
    choices = CHOICES.get(column)
    if choices is not None and value not in choices:
        _refuse(path, column, f"one of {', '.join(choices)}", value)


def _refuse(path: Path, column: str, expected: str, value: str | None) -> None:
    got = "none" if value is None else repr(value[:LONGEST])
    raise ResultError(f"{path}: column {column}: expected {expected}, got {got}")


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    if not isinstance(text, str) or len(text) > LONGEST:
        return False
    return pattern.fullmatch(text) is not None
