"""Tables that people bring: what they unfold to is known before they do."""

import io
import os
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.advice import raw_files
from cftrain.advice.raw_files import opened
from cftrain.data.sources import File
from cftrain.data.tables import unfolding
from cftrain.data.tables.files import plain_parquet
from cftrain.data.tables.parquet import framed, read_columns
from cftrain.data.tables.text import Dialect, cells
from cftrain.data.tables.unfolding import GIB, read_bounded, schema_of
from cftrain.errors import DataError

COMMAS = Dialect(encoding="utf-8", delimiter=",")
ROWS = 200_000
ALLOWED = 2**21
"""Bytes that a table may take."""

ENCODINGS = {
    "dictionary": {},
    "plain": {"use_dictionary": False},
    "differences": {
        "use_dictionary": False,
        "column_encoding": {"number": "DELTA_BINARY_PACKED"},
    },
    "second version": {"data_page_version": "2.0"},
}


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "snappy", **options})
    return sink.getvalue()


def whole(content: bytes, most: float) -> pa.Table:
    """All columns of a file."""
    return read_bounded(content, schema_of(content).names, most)


def texts(rows: int = 300) -> pa.Table:
    found = [None if n % 7 == 0 else f"{n % 5}" * (n % 11) for n in range(rows)]
    return pa.table({"number": range(rows), "text": found})


def repeated() -> pa.Table:
    """A text of ten kilobytes in every row: 2 GB in some kB."""
    places = pa.repeat(pa.scalar(0, pa.int32()), ROWS)
    text = pa.DictionaryArray.from_arrays(places, pa.array(["x" * 10_000]))
    return pa.table({"text": text})


BOMBS: dict[str, tuple[Callable[[], pa.Table], dict[str, Any]]] = {
    "a text in every row": (repeated, {}),
    "zeros": (lambda: pa.table({"a": pa.repeat(0.0, 10**6)}), {}),
    "missing values": (lambda: pa.table({"a": pa.nulls(10**6, pa.int8())}), {}),
    "wide missing values": (
        lambda: pa.table({"a": pa.nulls(50, pa.binary(10**5))}),
        {},
    ),
    "texts that grow": (
        lambda: pa.table({"text": ["x" * n for n in range(3000)]}),
        ENCODINGS["plain"],
    ),
}


@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_whole_tables_are_read_as_they_are(options):
    table = texts()
    assert whole(parquet(table, **options), 1.0).equals(table)


@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_tables_that_may_be_large_are_read_in_portions_and_are_the_same(options):
    """So little is allowed that all texts may be too much, and are not."""
    table = texts()
    assert whole(parquet(table, **options), 30_000 / GIB).equals(table)


def test_categories_are_in_memory_once_and_stay_categories():
    """2 MB as texts, in half of that."""
    frame = pd.DataFrame({"text": pd.Categorical(["a" * 10**3, "b"] * 2000)})
    content = parquet(pa.Table.from_pandas(frame), row_group_size=500)
    found = whole(content, 2**17 / GIB)
    pd.testing.assert_frame_equal(found.to_pandas(), frame)
    kept = plain_parquet(framed(Path("table.parquet"), found))["text"]
    assert kept.tolist() == frame["text"].tolist()
    assert len(set(map(id, kept))) <= 2 * 8


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_unfolds_to_too_much_is_refused_in_little_memory(name):
    make, options = BOMBS[name]
    # Without Arrow's own schema nobody sees that a column had a dictionary.
    content = parquet(make(), compression="zstd", store_schema=False, **options)
    assert len(content) < ALLOWED / 10
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        with pytest.raises(OSError, match="in memory"):
            whole(content, ALLOWED / GIB)
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() <= 3 * ALLOWED


def test_a_refusal_says_how_much_is_allowed(tmp_path):
    path = tmp_path / "table.parquet"
    content = parquet(BOMBS["zeros"][0]())
    with pytest.raises(DataError, match=r"0\.001 GiB in memory \(data\.most_memory\)"):
        read_columns(File(path, content), ["a"], 0.001)


def test_cells_of_text_are_counted(tmp_path):
    content = b"a,b\n" + b",\n" * 1000
    file = File(tmp_path / "table.csv", content)
    assert len(cells(file, COMMAS)) == 1000
    with pytest.raises(DataError, match="in memory"):
        cells(file, COMMAS, most=10 * len(content) / GIB)


def test_rows_to_explain_are_read_in_portions_that_fit(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    table = texts()
    path.write_bytes(parquet(table))
    monkeypatch.setattr(unfolding, "MOST_MEMORY", 30_000 / GIB)
    with opened(str(path)) as file:
        frames = list(file.frames(["text", "number"], texts=[], rows=300))
    assert len(frames) > 1
    whole = pd.concat(frames, ignore_index=True)
    assert whole["number"].tolist() == list(range(300))
    assert whole["text"].fillna("").tolist() == [
        text or "" for text in table["text"].to_pylist()
    ]


def test_groups_of_rows_to_explain_that_are_too_large_are_refused(
    tmp_path, monkeypatch
):
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet(pa.table({"a": pa.repeat(0.0, 10**6)})))
    monkeypatch.setattr(unfolding, "MOST_MEMORY", 10**6 / GIB)
    with opened(str(path)) as file, pytest.raises(DataError, match="in memory"):
        list(file.frames(["a"], texts=[], rows=10))


def test_rows_of_a_file_that_becomes_shorter_are_refused(tmp_path, monkeypatch):
    """A file that is mapped to memory would end the process."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet(texts(20_000), use_dictionary=False))
    fitting = raw_files.fitting_rows

    def cut(stream, file, columns):
        os.truncate(path, 100)
        return fitting(stream, file, columns)

    monkeypatch.setattr(raw_files, "fitting_rows", cut)
    with opened(str(path)) as rows, pytest.raises(DataError, match=r"expected.*got"):
        list(rows.frames(["text"], texts=[], rows=10))


SEVERAL: dict[str, pa.Array] = {
    "lists": pa.array([["x"]] * 4, pa.list_(pa.string())),
    "lists of one length": pa.nulls(4, pa.list_(pa.float32(), 1000)),
    "maps": pa.array([[("a", 1)]] * 4, pa.map_(pa.string(), pa.int64())),
    "lists within": pa.array([{"a": [1]}] * 4),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_lists_are_refused_where_they_are_asked_for_and_only_there(name, tmp_path):
    """Each has more values than rows, and some have far more than the file."""
    table = pa.table({"one": range(4), "several": SEVERAL[name]})
    content = parquet(table)
    with pytest.raises(OSError, match="one value in a row, got lists of them in 'se"):
        whole(content, 1.0)
    assert read_bounded(content, ["one"], 1.0).equals(table.select(["one"]))


def test_a_column_within_another_counts_where_it_has_the_name_of_one(tmp_path):
    """`x.y` is a column, and `x.y.z` one within `x`: readers read both for `x.y`."""
    texts = repeated()["text"].combine_chunks().slice(0, 30_000)
    inner = pa.StructArray.from_arrays([texts], ["z"])
    outer = pa.StructArray.from_arrays([inner], ["y"])
    table = pa.table({"x.y": pa.repeat(1.0, len(texts)), "x": outer})
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet(table, store_schema=False))
    with pytest.raises(OSError, match="in memory"):
        read_bounded(path.read_bytes(), ["x.y"], 0.01)
    dots = pa.table({"." * 10**6: [1]})  # a name has as many beginnings as dots
    with pytest.raises(OSError, match="in memory"):
        whole(parquet(dots), 1 / GIB)
    small = pa.table({"x.y": [1.0, 2.0], "x": pa.array([{"y": {"z": "a"}}] * 2)})
    path.write_bytes(parquet(small))
    assert read_bounded(path.read_bytes(), ["x.y"], 0.01).column_names == ["x.y"]
    with opened(str(path)) as file:
        (frame,) = file.frames(["x.y"], texts=[], rows=10)
    assert frame.to_dict("list") == {"x.y": [1.0, 2.0]}


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_texts_as_differences_are_refused(encoding):
    """Readers reserve for as many as the page says once it is unfolded."""
    options = {"use_dictionary": False, "column_encoding": {"text": encoding}}
    content = parquet(texts(), **options)
    with pytest.raises(OSError, match=r"expected an encoding of PLAIN, .*, got number"):
        whole(content, 1.0)
    assert len(read_bounded(content, ["number"], 1.0)) == 300


@pytest.mark.parametrize(
    "value",
    [
        datetime(2020, 1, 2, 3),
        date(2020, 1, 2),
        time(1, 2, 3),
        Decimal("1.5"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_becomes_objects_and_texts_counts_as_such(value):
    content = parquet(pa.table({"a": pa.repeat(pa.scalar(value), 10_000)}))
    with pytest.raises(OSError, match="in memory"):
        whole(content, 200 * 10_000 / GIB)
    assert len(whole(content, 300 * 10_000 / GIB)) == 10_000
