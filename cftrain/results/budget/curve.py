"""The curve of a budget: what it has to be to be told, whoever has written it."""

from collections.abc import Iterator
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa

from cftrain.errors import ResultError
from cftrain.results.described import described
from cftrain.results.identifiers import is_name

LIMITED = ("accuracy", "validity", "reach")
"""Shares of which a budget says how much may be lost."""

NEEDED = ("strength", "rows", "individuals", "within", "kept")
"""Columns with a value in every row, besides ids and the configuration."""

SHARED = ("config", "baseline", "measure")
"""Columns of one value in a budget."""

LARGEST = 1e100
"""Of what can be told and drawn."""


def check_curves(path: Path, table: pa.Table) -> None:
    """Raises ResultError unless each budget of a table is a curve: models of different
    cells, one of them the baseline and one kept, with numbers that can be told.
    """
    # A date may be out of Python's range, and is not asked for here.
    listed = table.drop_columns(["created"]).to_pylist()
    rows = sorted(listed, key=lambda row: str(row["budget"]))
    for name, curve in groupby(rows, key=lambda row: row["budget"]):
        for expected, got in _mistakes(list(curve), f"{path}: column config"):
            raise ResultError(
                f"{path}, budget {name}: expected {expected}, got {got}; remove the "
                "file, and the next cftrain train with this budget writes it again"
            )


def _mistakes(curve: list[dict[str, Any]], where: str) -> Iterator[tuple[str, object]]:
    """What was expected, and what is there instead."""
    for row in curve:
        yield from _mistakes_of_row(row)
    for column in SHARED:
        if len({row[column] for row in curve}) > 1:
            yield f"the same {column} in all of its rows", "several"
    # The baseline may be the same as with one of the strengths.
    tried = [row["cell"] for row in curve if row["cell"] != row["baseline"]]
    if len(set(tried)) < len(tried):
        yield "each cell once", "one of them twice"
    if (kept := sum(row["kept"] for row in curve)) != 1:
        yield "one row that is kept", kept
    if curve[0]["baseline"] not in {row["cell"] for row in curve}:
        yield "the baseline among its rows", "none"
    said = described(curve[0]["config"], where)
    for key in (*LIMITED, "standard_errors"):
        if not _is_limit(said.get(key), missing=key in LIMITED and key in said):
            yield (
                f"numbers of at least 0 in its configuration, {key} too",
                said.get(key),
            )


def _mistakes_of_row(row: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for column in NEEDED:
        if row[column] is None:
            yield f"a {column} in every row", "none"
    if not is_name(row["measure"]):
        yield "a measure of letters, digits and plain signs", repr(row["measure"])[:60]
    for column in ("strength", "rows", "individuals"):
        if not _is_limit(row[column]):
            yield f"a {column} of at least 0", row[column]
    for column, value in row.items():
        # What could not be measured is no finite number, and is told as such.
        if isinstance(value, float) and isfinite(value) and abs(value) > LARGEST:
            yield f"{column} of at most {LARGEST:g}", value


def _is_limit(value: object, *, missing: bool = False) -> bool:
    """Whether it is a number that can be told; or, where that is allowed, missing."""
    if value is None:
        return missing
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isfinite(value) and 0 <= value <= LARGEST
