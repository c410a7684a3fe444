"""Parquet tables of anybody's, which may be far larger in memory than in a file.

What the headers of pages tell is known before anything is unfolded; how long texts are
that a dictionary holds once is not, and so these are read in portions and counted.
"""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from cftrain.config.ranges import Incidental, PositiveFloat
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
    9: "BYTE_STREAM_SPLIT",
}
"""In all of them a text is at most as long as its page, or the dictionary's. For texts
as differences (DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY) readers reserve for a number
of them that only the unfolded page tells.
"""

OBJECT_BYTES = 256
"""Of a date, a time or a decimal, which is an object of Python and then a text."""

PORTION_ROWS = 2**16
HELD_BYTES = 2**12


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Bytes in memory: of all values, with each text once, at least; of all, each text
    as long as any, at most; and of the longest row.
    """

    least: int
    most: int
    row: int


def check_memory(size: int, most: float) -> None:
    """Raises OSError for more bytes than the GiB that are allowed."""
    if size > most * GIB:
        raise OSError(
            f"at most {most:g} GiB in memory (data.most_memory), got "
            f"{size / GIB:.3g} GiB or more"
        )


def schema_of(content: bytes) -> pa.Schema:
    """Returns the columns of a file. Raises OSError or ArrowException."""
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        return file.schema_arrow


def read_bounded(content: bytes, columns: Sequence[str], most: float) -> pa.Table:
    """Returns some columns of a file. Raises OSError if they take more than so many
    GiB, or have several values in a row.
    """
    with pq.ParquetFile(
        pa.BufferReader(content), page_checksum_verification=True
    ) as file:
        bound = _bound(content, file, columns, most, total=sum)
        if bound.most <= most * GIB:
            return file.read(columns=columns).select(columns)
        found, size = [], 0
        rows = _fitting(bound, PORTION_ROWS, most)
        for batch in file.iter_batches(rows, columns=columns, use_threads=False):
            size += batch.nbytes
            check_memory(size, most)
            found.append(batch.select(columns))
        schema = pa.schema(map(file.schema_arrow.field, columns))
        return pa.Table.from_batches(
            found, schema.with_metadata(file.schema_arrow.metadata)
        )


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
    stream: BinaryIO, file: pq.ParquetFile, columns: Collection[str]
) -> int:
    """Returns how many rows at once fit into what is allowed where nobody says
    otherwise. Raises OSError if no single one does, a group of rows is too large or
    has several values in a row.
    """
    bound = _bound(OpenFile(stream), file, columns, MOST_MEMORY, total=max)
    return _fitting(bound, sys.maxsize, MOST_MEMORY)


def _bound(
    content: Content,
    file: pq.ParquetFile,
    columns: Collection[str],
    most: float,
    *,
    total: Callable[[list[int]], int],
) -> Bound:
    """The bounds of a file, whose groups of rows are in memory at once (`sum`) or one
    after the other (`max`). Raises OSError if even the least is too much.
    """
    schema = file.schema_arrow
    every = dict(zip(schema.names, schema.types, strict=True))
    kinds = {name: every[name] for name in columns if name in every}
    leaves = map(file.metadata.schema.column, range(file.metadata.num_columns))
    lengths = sorted({len(name) for name in kinds})
    widths = [_width(leaf, kinds, lengths) for leaf in leaves]
    bounds = [
        _of_group(content, group, widths) for group in chunks(content, file.metadata)
    ]
    least = total([0, *(bound.least for bound in bounds)])
    check_memory(least, most)
    return Bound(
        least=least,
        most=total([0, *(bound.most for bound in bounds)]),
        row=max((bound.row for bound in bounds), default=0),
    )


def _fitting(bound: Bound, rows: int, most: float) -> int:
    """At most so many rows, but no more than fit."""
    return max(1, min(rows, int(most * GIB) // max(1, bound.row)))


@dataclass(frozen=True)
class Width:
    """Bytes of a value of a column, beside those of its pages, and whether it is a text
    that each row has in full.
    """

    value: int
    is_text: bool


def _width(
    leaf: pq.ColumnSchema, kinds: Mapping[str, pa.DataType], lengths: list[int]
) -> Width | None:
    """None for a column that is not read. Raises OSError for lists."""
    # As readers choose, for which `a.b` is a column of that name and one within `a`.
    path = leaf.path
    heads = (path[:end] for end in lengths if path[end : end + 1] in ("", "."))
    name = next((head for head in heads if head in kinds), None)
    if name is None:
        return None
    if leaf.max_repetition_level:
        raise OSError(f"expected one value in a row, got lists of them in {name!r}")
    kind = kinds[name]
    is_text = leaf.physical_type == "BYTE_ARRAY"
    if pa.types.is_dictionary(kind):  # which has each text once in memory, too
        kind, is_text = kind.value_type, False
    in_python = pa.types.is_temporal(kind) or pa.types.is_decimal(kind)
    value = leaf.max_definition_level + (OBJECT_BYTES if in_python else VALUE_BYTES)
    if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":  # missing ones take as much
        value += leaf.length
    return Width(value, is_text)


def _of_group(
    content: Content, group: list[Chunk], widths: list[Width | None]
) -> Bound:
    least = most = row = 0
    for chunk, width in zip(group, widths, strict=True):
        if width is None:
            continue
        found = extent(content, chunk, ANY_ENCODINGS)
        size = found.size + found.values * width.value
        longest = found.longest * width.is_text
        least += size
        most += size + found.values * longest
        row += longest + width.value
    return Bound(least=least, most=most, row=row)
