"""Files that unfold to more than a memory holds are refused before they do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.results import folders
from cftrain.results.parts import parquet as parts
from cftrain.results.parts.pages import VALUE_BYTES, unfolded
from cftrain.results.parts.parquet import KEY, ZEROS, Unreadable, read_parquet
from cftrain.results.schema import GALLERY, METRICS
from tests.results.rows import metric_rows
from tests.results.test_footer import resealed

ROWS = 200_000
LITTLE = 2**27
"""Bytes that reading a file that is refused may take."""


def sealed(path: Path, blocks: list[pa.Table], **options: Any) -> Path:
    """A file as whoever sends it may write it, with its true digest."""
    with pq.ParquetWriter(
        path, blocks[0].schema, **{"compression": "zstd", **options}
    ) as writer:
        for block in blocks:
            writer.write_table(block)
        writer.add_key_value_metadata({KEY: ZEROS, **blocks[0].schema.metadata})
    path.write_bytes(resealed(path.read_bytes()))
    return path


def columns(schema: pa.Schema, rows: int, **values: pa.Array) -> pa.Table:
    """A table that is as the schema says but for the types of some columns."""
    fields, arrays = [], []
    for field in schema:
        one = pa.scalar("c" if field.type == pa.string() else 1)
        array = values.get(field.name)
        array = pa.repeat(one, rows).cast(field.type) if array is None else array
        fields.append(field.with_type(array.type))
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, schema.metadata))


def repeated(path: Path, **options: Any) -> Path:
    """One text of a hundred kilobytes in every row: 20 GB in a file of some kB."""
    text = pa.array(["x" * 100_000])
    places = pa.repeat(pa.scalar(0, pa.int32()), ROWS)
    units = pa.DictionaryArray.from_arrays(places, text)
    table = columns(METRICS, ROWS, unit=units)
    # Without Arrow's own schema nobody sees that the column had a dictionary.
    return sealed(path, [table], store_schema=False, **options)


def zeros(path: Path) -> Path:
    """Numbers in a row, far more of them than bytes."""
    values = pa.array([[0.0] * 200_000], pa.list_(pa.float32()))
    block = columns(GALLERY, 1, values=values)
    return sealed(path, [block] * 20)


def plain(path: Path) -> Path:
    """A text that compresses well."""
    units = pa.array(["x" * 2**26])
    return sealed(path, [columns(METRICS, 1, unit=units)], use_dictionary=False)


BOMBS: dict[str, tuple[Callable[[Path], Path], pa.Schema]] = {
    "a text in every row": (repeated, METRICS),
    "numbers in a list": (zeros, GALLERY),
    "a long text": (plain, METRICS),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_would_fill_the_memory_is_refused(name, tmp_path, monkeypatch):
    write, schema = BOMBS[name]
    if name != "a text in every row":  # these would be slow to write in full
        monkeypatch.setattr(folders, "LEAST_BYTES", 2**20)
    path = write(tmp_path / "part.parquet")
    assert path.stat().st_size < 2**20
    pool = pa.default_memory_pool()
    pool.release_unused()
    before = pool.bytes_allocated()
    peak = pool.max_memory()
    with pytest.raises(Unreadable, match=r"expected at most \d+ bytes from a file of"):
        read_parquet(path, schema)
    assert pool.bytes_allocated() <= before
    assert pool.max_memory() <= max(peak, before + LITTLE)


def test_a_column_that_nobody_asks_for_is_not_unfolded(tmp_path):
    path = repeated(tmp_path / "part.parquet")
    assert len(read_parquet(path, METRICS, ["value"])) == ROWS


def test_texts_that_many_rows_share_are_read_as_they_are(tmp_path, monkeypatch):
    """Where they may be too long they are read in another way, to the same end."""
    rows = metric_rows("c", "s", "ip", {(0.5, n): n / 8 for n in range(20)})
    rows += metric_rows("d" * 40, "s", "ip", {(0.5, n): None for n in range(20)})
    table = pa.Table.from_pylist(rows, schema=METRICS)
    path = tmp_path / "part.parquet"
    parts.write_parquet(path, table)
    usual = read_parquet(path, METRICS)
    monkeypatch.setattr(parts, "LEAST_BYTES", 0)
    folded = read_parquet(path, METRICS)
    assert usual.equals(table)
    assert folded.equals(usual, check_metadata=True)


def test_pages_hold_what_the_footer_says_of_a_true_file(tmp_path):
    rows = metric_rows("c", "s", "ip", {(0.5, n): n / 8 for n in range(2000)})
    path = tmp_path / "part.parquet"
    parts.write_parquet(path, pa.Table.from_pylist(rows, schema=METRICS))
    metadata = pq.read_metadata(path)
    column = metadata.row_group(0).column(0)
    found = unfolded(path.read_bytes(), metadata, [column.path_in_schema])
    headers = 200
    size = found.least - VALUE_BYTES * len(rows)
    assert abs(size - column.total_uncompressed_size) < headers
    assert found.most > found.least


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compression": "gzip"}, "expected ZSTD, got a codec of number 2"),
        (
            {"use_dictionary": False, "column_encoding": {"unit": "DELTA_BYTE_ARRAY"}},
            "expected an encoding of PLAIN, .*, got number 7",
        ),
    ],
)
def test_ways_to_write_that_are_not_ours_are_refused(options, message, tmp_path):
    path = sealed(tmp_path / "part.parquet", [columns(METRICS, 3)], **options)
    with pytest.raises(Unreadable, match=message):
        read_parquet(path, METRICS)


def test_headers_that_are_none_are_refused(tmp_path):
    """Readers look for the first page where the footer says that it is."""
    path = tmp_path / "part.parquet"
    parts.write_parquet(path, columns(METRICS, 3).cast(METRICS))
    whole = path.read_bytes()
    metadata = pq.read_metadata(path)
    for end in range(5, 400, 7):
        for filler in (b"\x00", b"\xff", b"\x8c", b"\x1c"):
            content = whole[:4] + filler * (end - 4) + whole[end:]
            with pytest.raises(OSError, match="expected"):
                unfolded(content, metadata, METRICS.names)
