"""Rows in memory, as they would be read from a file of the same rows."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.data.tables.files import plain_parquet
from cftrain.errors import DataError


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns the columns as they come out of a Parquet file. Raises DataError."""
    return plain_parquet(_table(frame).to_pandas(integer_object_nulls=True))


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write the columns as Parquet. Raises DataError for what no file can hold."""
    pq.write_table(_table(frame), path, write_page_checksum=True)


def _table(frame: pd.DataFrame) -> pa.Table:
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError) as error:
        said = "; ".join(map(str, error.args)) or str(error)
        raise DataError(
            "expected columns of different names, each of numbers, texts, truth values "
            f"or dates, got: {said}"
        ) from error
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise DataError(f"expected a single value in each cell, got others in {nested}")
    return table
