"""Advice as a Parquet file, written while it is found."""

from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.advice.advice import Advice
from cftrain.advice.formats.records import KINDS, records
from cftrain.results.writing import written_whole

ROW_GROUP = 10_000
"""Records in memory at a time."""

TYPES = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
SCHEMA = pa.schema({name: TYPES[kind] for name, kind in KINDS.items()})


def write_parquet(advice: Iterable[Advice], path: Path) -> None:
    """Write a record for each change. Raises ResultError."""
    found = chain.from_iterable(map(records, advice))
    with (
        written_whole(path, pa.ArrowException) as partial,
        pq.ParquetWriter(partial, SCHEMA) as writer,
    ):
        while portion := list(islice(found, ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(portion, schema=SCHEMA))
