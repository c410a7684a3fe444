"""Footers of Parquet files: as pyarrow reads them, or refused."""

import io
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cftrain.advice.raw_files import opened
from cftrain.data.tables.unfolding import ANY_ENCODINGS, read_bounded
from cftrain.errors import DataError
from cftrain.results.parts import parquet as parts
from cftrain.results.parts.footer import Chunk, chunks
from cftrain.results.parts.pages import extent
from cftrain.results.parts.parquet import Unreadable, read_parquet
from cftrain.results.schema import METRICS
from tests.results.rows import metric_rows
from tests.results.thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Field,
    changed,
    footer,
    refooted,
    reheaded,
)

OPTIONS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "groups of rows": {"row_group_size": 20},
    "no dictionary": {"use_dictionary": False},
    "no statistics": {"write_statistics": False},
    "second version": {"data_page_version": "2.0", "compression": "zstd"},
    "indexes": {"write_page_index": True, "compression": "gzip"},
    "bloom filters": {"bloom_filter_options": {"text": True}},
    "sorted": {"sorting_columns": [pq.SortingColumn(0)]},
}

COLUMNS = (4, 0, 1)
"""The path to the columns of the first group of rows."""

UNFIT: dict[str, tuple[tuple[int, ...], list[Field]]] = {
    "definition levels": (
        (3, 16),
        [(16, STRUCT, [(3, LIST, (I64, [1, 2, 3, 4]))])],
    ),
    "repetition levels": (
        (3, 16),
        [(16, STRUCT, [(2, LIST, (I64, [1, 2, 3, 4]))])],
    ),
    "bytes of numbers": ((3, 16), [(16, STRUCT, [(1, I64, 9)])]),
    "a secret column": (
        (8,),
        [(8, STRUCT, [(2, STRUCT, [(1, LIST, (8, []))])])],
    ),
    "no description": ((3,), []),
    "a column less": ((), []),
}
"""What of a column's description is exchanged for what."""


def table(rows: int = 50) -> pa.Table:
    return pa.table(
        {
            "number": range(rows),
            "text": [None if n % 7 == 0 else f"{n % 5}" for n in range(rows)],
            "list": [list(range(n % 3)) for n in range(rows)],
            "pair": [{"a": n, "b": f"{n}"} for n in range(rows)],
            "none": pa.nulls(rows),
        }
    )


def parquet(content: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(content, sink, **options)
    return sink.getvalue()


def metadata(content: bytes) -> pq.FileMetaData:
    return pq.read_metadata(pa.BufferReader(content))


def unfit(content: bytes, name: str, column: int = 0) -> bytes:
    """A whole file whose footer has something that does not fit a column of numbers."""
    path, new = UNFIT[name]
    return refooted(content, changed(footer(content), (*COLUMNS, column, *path), *new))


def resealed(content: bytes) -> bytes:
    """Results with the digest that is right, if there is a place for one."""
    sealed = bytearray(content)
    if (place := parts._place(sealed)) is not None:
        of_digest = slice(place, place + len(parts.ZEROS))
        sealed[of_digest] = parts.ZEROS
        sealed[of_digest] = parts._digest(sealed, place)
    return bytes(sealed)


def told(metadata: pq.FileMetaData) -> list[list[Chunk]]:
    """What pyarrow says, with the number that a codec has in Parquet's definition."""
    codecs = {"UNCOMPRESSED": 0, "SNAPPY": 1, "GZIP": 2, "ZSTD": 6}
    found = []
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        found.append([])
        for column in map(group.column, range(group.num_columns)):
            starts = [column.data_page_offset, column.dictionary_page_offset]
            start = min(start for start in starts if start)
            end = start + column.total_compressed_size
            codec = codecs[column.compression]
            found[-1].append(Chunk(start, end, codec, column.num_values))
    return found


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_columns_are_where_pyarrow_says(options):
    content = parquet(table(), **options)
    assert chunks(content, metadata(content)) == told(metadata(content))


def test_a_file_without_rows_has_columns_without_values():
    content = parquet(table(0))
    (group,) = chunks(content, metadata(content))
    assert [chunk.values for chunk in group] == [0] * len(group)
    assert read_bounded(content, ["text"], 1.0).equals(table(0).select(["text"]))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_footer_put_together_again_is_the_same(options):
    """Else what is made of it here would prove nothing."""
    content = parquet(table(), **options)
    assert refooted(content, footer(content)) == content


def test_a_column_of_less_than_no_bytes_is_refused():
    """It would make room for columns that share their pages."""
    path = (*COLUMNS, 0, 3, 7)
    content = refooted(WHOLE, changed(footer(WHOLE), path, (7, I64, -(2**40))))
    with pytest.raises(OSError, match=f"a column of -{2**40} bytes"):
        chunks(content, metadata(content))


@pytest.mark.parametrize("name", UNFIT)
def test_a_table_with_a_footer_that_does_not_fit_is_refused(name):
    """Where pyarrow is asked for its columns the process ends."""
    content = unfit(parquet(table().select(["number", "text"])), name)
    with pytest.raises((OSError, pa.ArrowException)):
        read_bounded(content, ["number"], 1.0)


@pytest.mark.parametrize("name", UNFIT)
def test_rows_with_a_footer_that_does_not_fit_are_refused(name, tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(unfit(parquet(table().select(["number", "text"])), name))
    with opened(str(path)) as rows, pytest.raises(DataError, match=r"expected.*got"):
        list(rows.frames(["number"], texts=[], rows=10))


@pytest.mark.parametrize("name", UNFIT)
def test_results_with_a_footer_that_does_not_fit_are_refused(name, tmp_path):
    """Their digest is right: whoever sends them can compute it."""
    rows = metric_rows("c", "s", "ip", {(0.5, n): n / 8 for n in range(9)})
    path = tmp_path / "part.parquet"
    parts.write_parquet(path, pa.Table.from_pylist(rows, schema=METRICS))
    column = METRICS.names.index("value")
    path.write_bytes(resealed(unfit(path.read_bytes(), name, column)))
    with pytest.raises(Unreadable, match=r"part.parquet: (?!its content)"):
        read_parquet(path, METRICS)


@given(st.floats(0, 1), st.binary(min_size=1, max_size=8))
def test_damaged_footers_are_read_or_refused(share, new):
    content = WHOLE
    first = len(content) - 1200
    at = first + int(share * (len(content) - first))
    damaged = content[:at] + new + content[at + len(new) :]
    try:
        found = chunks(damaged, metadata(content))
    except OSError:
        return
    assert len(found) == 1


WHOLE = parquet(table())


def test_a_page_that_tells_two_sizes_is_refused():
    """A reader that takes no long whole number for a size sees the first of them."""
    schema = pa.schema([pa.field("text", pa.string(), nullable=False)])
    one = pa.table({"text": ["x" * 2**20]}, schema)
    content = parquet(one, use_dictionary=False)
    size = 4 + 2**20
    lying = reheaded(content, (2,), (2, I32, size), (2, I64, 10))
    assert pq.read_table(pa.BufferReader(lying)).equals(one)
    with pytest.raises(OSError, match="field 2 twice"):
        read_bounded(lying, ["text"], 1.0)


def test_a_page_that_is_not_compressed_is_as_large_as_it_is():
    content = parquet(
        pa.table({"text": ["x" * 2**20]}), use_dictionary=False, compression="none"
    )
    lying = reheaded(content, (2,), (2, I32, 4))
    (group,) = chunks(lying, metadata(lying))
    assert extent(lying, group[0], ANY_ENCODINGS).size > 2**20


@pytest.mark.parametrize(
    ("writer", "sound"),
    [
        (b"parquet-mr version 1.2.8 (build 1)", False),
        (b" Parquet-MR version  1.2.8", False),
        (b"parquet-mr", False),
        (b"parquet-mr version one", False),
        (b"parquet-mr version 1.2.99999999999", False),
        (b"parquet-mr version 1.2.9 (build 1)", True),
        (b"parquet-mr version 1.13.1-amzn-0 (build 1)", True),
        (b"parquet-mr-trino version n/a", True),
        (b"", True),
    ],
)
def test_writers_for_which_readers_look_further_are_refused(writer, sound):
    content = refooted(WHOLE, changed(footer(WHOLE), (6,), (6, BINARY, writer)))
    if sound:
        assert read_bounded(content, ["number"], 1.0).num_rows == 50
    else:
        with pytest.raises(OSError, match=r"expected parquet-mr 1\.2\.9 or later"):
            read_bounded(content, ["number"], 1.0)


def test_columns_that_share_their_pages_are_refused():
    """Else a few pages, looked at for each of many columns, take hours."""
    fields = footer(WHOLE)
    ((_, _, (_, groups)),) = [field for field in fields if field[0] == 4]
    many = changed(fields, (4,), (4, LIST, (STRUCT, groups * 9)))
    content = refooted(WHOLE, many)
    with pytest.raises(OSError, match="columns each in a place of its own"):
        chunks(content, metadata(content))


ROWS = (4, 0, 3)
"""The path to the number of rows of the first group."""


def test_a_group_of_more_rows_than_values_is_refused(tmp_path):
    """Readers reserve 4 TB for these, and fill them."""
    many = (ROWS[-1], I64, 2**40)
    content = refooted(WHOLE, changed(footer(WHOLE), ROWS, many))
    with pytest.raises(OSError, match=f"fewer values than its {2**40} rows"):
        read_bounded(content, ["number"], 1.0)
    path = tmp_path / "part.parquet"
    rows = metric_rows("c", "s", "ip", {(0.5, n): n / 8 for n in range(9)})
    parts.write_parquet(path, pa.Table.from_pylist(rows, schema=METRICS))
    whole = path.read_bytes()
    path.write_bytes(resealed(refooted(whole, changed(footer(whole), ROWS, many))))
    with pytest.raises(Unreadable, match=f"fewer values than its {2**40} rows"):
        read_parquet(path, METRICS)


def test_readers_may_take_as_many_values_as_the_footer_says():
    (group,) = chunks(WHOLE, metadata(WHOLE))
    more = replace(group[0], values=10**9)
    usual, found = (extent(WHOLE, one, ANY_ENCODINGS) for one in (group[0], more))
    assert found == replace(usual, values=10**9)
    assert usual.values >= group[0].values


@pytest.mark.parametrize("size", range(12))
def test_what_is_too_short_for_a_footer_is_refused(size):
    with pytest.raises(OSError, match="expected"):
        chunks(b"\xff" * size, metadata(WHOLE))
