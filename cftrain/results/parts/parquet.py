"""Parquet files that carry a digest of all their bytes.

Parquet's own checksums cover pages but no footer, and a damaged footer may be read as
other numbers. The digest stands in the footer's metadata, where any tool lets it be,
and is that of the file with zeros in its place.
"""

import io
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cftrain.errors import ResultError
from cftrain.results.folders import (
    LEAST_BYTES,
    refuse_bytes,
    refuse_special,
    refuse_unfolding,
)
from cftrain.results.parts.pages import unfolded
from cftrain.results.schema import FORMAT, LATER
from cftrain.results.writing import written_whole

KEY = b"cftrain_digest"
ZEROS = b"0" * 32
BEFORE_VALUE = 2
"""Bytes between the key and its value: the value's field and its length."""

MOST_BYTES = 2**31
"""Of one part: far more than any has, and less than fills a memory."""

ANEW = (
    "move the folder away and run its command again (its config.yaml has the "
    "configuration), or use the version of cftrain that made it"
)


class Unreadable(ResultError):
    """A file of results that is not what was written: truncated, damaged, exchanged."""


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a file whole, with its digest. Raises ResultError."""
    with written_whole(path, pa.ArrowException) as partial:
        partial.write_bytes(_sealed(table))


def read_parquet(
    path: Path, schema: pa.Schema, columns: Sequence[str] | None = None
) -> pa.Table:
    """Some columns of a file, or all. Raises FileNotFoundError, Unreadable if it is not
    what was written, ResultError if it is of another format.
    """
    content = _content(path)
    place = _place(content)
    whole = place is not None and content[place : place + len(ZEROS)] == _digest(
        content, place
    )
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        refuse_unfolding(len(content), file.metadata.num_rows)
        found = file.schema_arrow
        _check_format(path, found, schema)
        if not whole:
            raise Unreadable(f"{path}: its content is not that of its digest")
        chosen = schema.names if columns is None else list(columns)
        there = [name for name in chosen if name in found.names]
        return _completed(_read(content, file, there), schema, chosen)
    except MemoryError as error:
        raise ResultError(f"{path}: not enough memory to read it: {error}") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from error


def _read(content: bytes, file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Some columns, unless they would fill the memory. Raises OSError if so."""
    size = unfolded(content, file.metadata, columns)
    refuse_bytes(len(content), size.least)
    if size.most <= LEAST_BYTES:
        return file.read(columns=columns, use_threads=False).select(columns)
    # Texts that rows repeat are in memory once until it is known how long all are.
    schema = file.schema_arrow
    texts = [name for name in columns if schema.field(name).type == pa.string()]
    source = pa.BufferReader(content)
    folded = pq.ParquetFile(source, metadata=file.metadata, read_dictionary=texts)
    found = folded.read(columns=columns, use_threads=False).select(columns)
    refuse_bytes(len(content), size.least + sum(map(_repeated, found.select(texts))))
    wanted = pa.schema(map(schema.field, columns), found.schema.metadata)
    return found.cast(wanted)


def _completed(table: pa.Table, schema: pa.Schema, columns: list[str]) -> pa.Table:
    """With the columns that an older version did not write, which are null."""
    for name in (name for name in columns if name not in table.column_names):
        field = schema.field(name)
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(columns)


def _repeated(texts: pa.ChunkedArray) -> int:
    """Bytes of all texts of a column of which each is held once."""
    lengths = [
        pc.sum(pc.binary_length(part.dictionary).take(part.indices)).as_py()
        for part in texts.chunks
    ]
    return sum(filter(None, lengths))


def _content(path: Path) -> bytes:
    try:
        refuse_special(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"{path}: {error}") from error
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"{path}: expected at most {MOST_BYTES} bytes, got more")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:  # the disk's doing: nothing is known of the file
        raise ResultError(f"{path}: could not be read: {error}") from error


def _check_format(path: Path, found: pa.Schema, schema: pa.Schema) -> None:
    told = (
        (found.metadata or {}).get(b"cftrain_format", b"none").decode(errors="replace")
    )
    written = [
        name for name in schema.names if name in found.names or name not in LATER
    ]
    expected = pa.schema(map(schema.field, written))
    if told != FORMAT or not found.equals(expected):
        raise ResultError(
            f"{path}: expected results of format {FORMAT}, got format {told} with "
            f"columns {', '.join(found.names)}; {ANEW}"
        )


def _sealed(table: pa.Table) -> bytearray:
    """The bytes of a file that holds the table and its own digest."""
    sink = io.BytesIO()
    # Nothing asks for statistics, and every header of a page would carry some.
    with pq.ParquetWriter(
        sink, table.schema, compression="zstd", write_statistics=False
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({KEY: ZEROS})
    content = bytearray(sink.getbuffer())
    place = _place(content)
    assert place is not None
    content[place : place + len(ZEROS)] = _digest(content, place)
    return content


def _place(content: bytes | bytearray) -> int | None:
    """Where the digest stands."""
    key = content.rfind(KEY)
    return None if key < 0 else key + len(KEY) + BEFORE_VALUE


def _digest(content: bytes | bytearray, place: int) -> bytes:
    view, end = memoryview(content), place + len(ZEROS)
    hashed = blake2b(view[:place], digest_size=len(ZEROS) // 2)
    hashed.update(ZEROS)
    hashed.update(view[end:])
    return hashed.hexdigest().encode()
