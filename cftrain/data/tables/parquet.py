"""Tables in Parquet: their columns, and those of them that are asked for."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cftrain.data.sources import File
from cftrain.data.tables.unfolding import MOST_MEMORY, read_bounded, schema_of
from cftrain.errors import DataError


def read_parquet(file: File, schema: pa.Schema) -> pa.Table:
    """Returns the columns of the schema. Raises DataError for any other file."""
    found = read_schema(file)
    kinds = dict(zip(found.names, found.types, strict=True))
    for field in schema:
        if kinds.get(field.name) != field.type:
            columns = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
            raise DataError(
                f"{file.path}: expected column {field.name!r} of type {field.type}, "
                f"got columns {columns}"
            )
    return read_columns(file, schema.names)


def read_schema(file: File) -> pa.Schema:
    """Returns the columns of a table. Raises DataError."""
    with _readable(file):
        schema = schema_of(file.content)
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise DataError(
            f"{file.path}: expected a name for each column, got "
            f"{', '.join(sorted(twice))} more than once"
        )
    return schema


def read_columns(
    file: File, names: Sequence[str], most: float = MOST_MEMORY
) -> pa.Table:
    """Returns the named columns, of sound values and whatever type. Raises DataError
    for any other file, for lists, and for what takes more than so many GiB.
    """
    found = dict.fromkeys(read_schema(file).names)
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{file.path}: expected columns {', '.join(missing)}, got only "
            f"{', '.join(found)}"
        )
    with _readable(file):
        table = read_bounded(file.content, list(names), most)
        table.validate(full=True)
    return table


@contextmanager
def _readable(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise DataError(
            f"{file.path}: expected a readable Parquet file, got {error}"
        ) from error


def framed(path: Path, table: pa.Table) -> pd.DataFrame:
    """Returns the columns. Raises DataError for what pandas cannot hold."""
    try:
        return frame_of(table)
    except (pa.ArrowException, MemoryError, LookupError, TypeError, ValueError) as e:
        raise DataError(
            f"{path}: expected columns that pandas can hold, got {type(e).__name__}: "
            f"{e}"
        ) from e


def frame_of(table: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """Returns the columns, in which whole numbers stay whole beside missing values.

    What pandas noted in a file of its index and types steers nothing; it would be
    looked at even where it is to be ignored, and so it is taken away.
    """
    plain = table.replace_schema_metadata(None)
    return plain.to_pandas(integer_object_nulls=True)


def indices(schema: pa.Schema) -> set[str]:
    """Returns the columns that pandas wrote for an index of rows."""
    try:
        noted = json.loads((schema.metadata or {})[b"pandas"])["index_columns"]
        return {name for name in noted if isinstance(name, str)}
    except (LookupError, TypeError, ValueError, RecursionError):
        return set()
