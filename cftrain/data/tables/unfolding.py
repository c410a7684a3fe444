"""Parquet tables of anybody's, which may be far larger in memory than in a file.

What the headers of pages tell is known before anything is unfolded; how long texts are
that a dictionary holds once is not, and so these are read in portions and counted.
"""

import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.config.ranges import Incidental, PositiveFloat
from cftrain.errors import DataError
from cftrain.results.parts.footer import Chunk, chunks
from cftrain.results.parts.pages import ENCODINGS, VALUE_BYTES, extent
from cftrain.results.parts.thrift import Content

GIB = 2**30

MOST_MEMORY = 4.0
"""GiB that a table may take where nobody says otherwise."""

MostMemory = Annotated[
    PositiveFloat, Incidental(today=lambda: MOST_MEMORY, remembered=True)
]
"""GiB that a table may take before it is encoded; a larger one is refused."""

ANY_ENCODINGS = {
    **ENCODINGS,
    4: "BIT_PACKED",
    5: "DELTA_BINARY_PACKED",
    6: "DELTA_LENGTH_BYTE_ARRAY",
    7: "DELTA_BYTE_ARRAY",
    9: "BYTE_STREAM_SPLIT",
}
"""In all of them a text is at most as long as its page, or the dictionary's."""

PORTION_ROWS = 2**16
HELD_BYTES = 2**12


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Bytes in memory: of all values, with each text once, at least; of all, each text
    as long as any, at most; and of the longest row, unless a column `repeats` texts.
    """

    least: int
    most: int
    row: int
    repeats: str | None


def check_memory(size: int, most: float) -> None:
    """Raises OSError for more bytes than the GiB that are allowed."""
    if size > most * GIB:
        raise OSError(
            f"at most {most:g} GiB in memory (data.most_memory), got "
            f"{size / GIB:.3g} GiB or more"
        )


def read_bounded(content: bytes, most: float) -> pa.Table:
    """Returns all of a file. Raises OSError if it takes more than so many GiB."""
    with pq.ParquetFile(
        pa.BufferReader(content), page_checksum_verification=True
    ) as file:
        bound = _bound(content, file.metadata, None, most, total=sum)
        if bound.most <= most * GIB:
            return file.read()
        found, size = [], 0
        rows = _fitting(bound, PORTION_ROWS, most)
        for batch in file.iter_batches(batch_size=rows, use_threads=False):
            size += batch.nbytes
            check_memory(size, most)
            found.append(batch)
        return pa.Table.from_batches(found, schema=file.schema_arrow)


def framed(path: Path, table: pa.Table) -> pd.DataFrame:
    """Returns the columns, in which whole numbers stay whole beside missing values.

    Raises DataError if what the file tells of pandas' index and columns is not so.
    """
    try:
        return table.to_pandas(integer_object_nulls=True)
    except (pa.ArrowException, AttributeError, LookupError, TypeError, ValueError) as e:
        raise DataError(
            f"{path}: expected columns that pandas can hold, as it is told in the "
            f"file, got {type(e).__name__}: {e}"
        ) from e


class OpenFile:
    """The bytes of a file, of which few are in memory at a time.

    It is not mapped: one that becomes shorter meanwhile would end the process.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._number = stream.fileno()
        self._size = os.fstat(self._number).st_size
        self._first, self._held = 0, b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, at: int, /) -> int:
        if not 0 <= at - self._first < len(self._held):
            self._first, self._held = at, os.pread(self._number, HELD_BYTES, at)
        return self._held[at - self._first]


def fitting_rows(
    stream: BinaryIO, metadata: pq.FileMetaData, columns: Collection[str]
) -> int:
    """Returns how many rows at once fit into what is allowed where nobody says
    otherwise. Raises OSError if no single one does, or a group of rows is too large.
    """
    bound = _bound(OpenFile(stream), metadata, columns, MOST_MEMORY, total=max)
    return _fitting(bound, sys.maxsize, MOST_MEMORY)


def _bound(
    content: Content,
    metadata: pq.FileMetaData,
    columns: Collection[str] | None,
    most: float,
    *,
    total: Callable[[list[int]], int],
) -> Bound:
    """The bounds of a file, whose groups of rows are in memory at once (`sum`) or one
    after the other (`max`). Raises OSError if even the least is too much.
    """
    schema = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    bounds = [
        _of_group(content, group, schema, columns)
        for group in chunks(content, metadata)
    ]
    least = total([0, *(bound.least for bound in bounds)])
    check_memory(least, most)
    return Bound(
        least=least,
        most=total([0, *(bound.most for bound in bounds)]),
        row=max((bound.row for bound in bounds), default=0),
        repeats=next((b.repeats for b in bounds if b.repeats is not None), None),
    )


def _fitting(bound: Bound, rows: int, most: float) -> int:
    """At most so many rows, but no more than fit. Raises OSError for lists of texts,
    of which one row may be too much.
    """
    if bound.repeats is not None and bound.most > most * GIB:
        raise OSError(
            f"expected one text in a row, got lists of them in {bound.repeats!r}, "
            f"which may take {bound.most / GIB:.3g} GiB in memory"
        )
    return max(1, min(rows, int(most * GIB) // max(1, bound.row)))


def _of_group(
    content: Content,
    group: list[Chunk],
    schema: list[pq.ColumnSchema],
    columns: Collection[str] | None,
) -> Bound:
    least = most = row = 0
    repeats = None
    for chunk, column in zip(group, schema, strict=True):
        name = column.path
        if not (columns is None or {name, name.partition(".")[0]} & set(columns)):
            continue
        size, values, longest = _of_chunk(content, chunk, column)
        least += size
        most += size + values * longest
        row += longest + VALUE_BYTES
        if longest and column.max_repetition_level:
            repeats = name
    return Bound(least=least, most=most, row=row, repeats=repeats)


def _of_chunk(
    content: Content, chunk: Chunk, column: pq.ColumnSchema
) -> tuple[int, int, int]:
    """Bytes with each text once, the number of values, bytes of the longest text."""
    found = extent(content, chunk, ANY_ENCODINGS)
    size, values = found.size, found.values
    if column.physical_type == "FIXED_LEN_BYTE_ARRAY":  # missing ones take as much
        return size + values * (VALUE_BYTES + column.length), values, 0
    is_text = column.physical_type == "BYTE_ARRAY"
    return size + values * VALUE_BYTES, values, found.longest if is_text else 0
