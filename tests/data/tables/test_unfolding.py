"""Tables that people bring: what they unfold to is known before they do."""

import io
import os
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.advice import raw_files
from cftrain.advice.raw_files import opened
from cftrain.data.sources import File, read_all
from cftrain.data.tables import unfolding
from cftrain.data.tables.text import Dialect, cells
from cftrain.data.tables.unfolding import GIB, read_bounded
from cftrain.errors import DataError

COMMAS = Dialect(encoding="utf-8", delimiter=",")
ROWS = 200_000
ALLOWED = 2**21
"""Bytes that a table may take."""

ENCODINGS = {
    "dictionary": {},
    "plain": {"use_dictionary": False},
    "delta": {
        "use_dictionary": False,
        "column_encoding": {"text": "DELTA_BYTE_ARRAY"},
    },
    "lengths": {
        "use_dictionary": False,
        "column_encoding": {"text": "DELTA_LENGTH_BYTE_ARRAY"},
    },
    "second version": {"data_page_version": "2.0"},
}


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "snappy", **options})
    return sink.getvalue()


def texts(rows: int = 300) -> pa.Table:
    found = [None if n % 7 == 0 else f"{n % 5}" * (n % 11) for n in range(rows)]
    return pa.table({"number": range(rows), "text": found})


def repeated() -> pa.Table:
    """A text of ten kilobytes in every row: 2 GB in some kB."""
    places = pa.repeat(pa.scalar(0, pa.int32()), ROWS)
    text = pa.DictionaryArray.from_arrays(places, pa.array(["x" * 10_000]))
    return pa.table({"text": text})


def lists() -> pa.Table:
    return pa.table({"text": pa.array([["x" * 1000] * 5000], pa.list_(pa.string()))})


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
        ENCODINGS["delta"],
    ),
    "lists of texts": (lists, {}),
}


@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_whole_tables_are_read_as_they_are(options):
    table = texts()
    assert read_bounded(parquet(table, **options), 1.0).equals(table)


@pytest.mark.parametrize("options", ENCODINGS.values(), ids=ENCODINGS)
def test_tables_that_may_be_large_are_read_in_portions_and_are_the_same(options):
    """So little is allowed that all texts may be too much, and are not."""
    table = texts()
    assert read_bounded(parquet(table, **options), 30_000 / GIB).equals(table)


def test_categories_stay_categories_in_portions():
    frame = pd.DataFrame({"text": pd.Categorical(["a" * 500, "b"] * 2000)})
    table = pa.Table.from_pandas(frame)
    content = parquet(table)
    found = read_bounded(content, 2**17 / GIB)
    pd.testing.assert_frame_equal(found.to_pandas(), frame)


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
            read_bounded(content, ALLOWED / GIB)
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() <= 3 * ALLOWED


def test_a_refusal_says_how_much_is_allowed(tmp_path):
    path = tmp_path / "table.parquet"
    content = parquet(BOMBS["zeros"][0]())
    with pytest.raises(DataError, match=r"0\.001 GiB in memory \(data\.most_memory\)"):
        read_all(File(path, content), 0.001)


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

    def cut(stream, metadata, columns):
        os.truncate(path, 100)
        return fitting(stream, metadata, columns)

    monkeypatch.setattr(raw_files, "fitting_rows", cut)
    with opened(str(path)) as rows, pytest.raises(DataError, match=r"expected.*got"):
        list(rows.frames(["text"], texts=[], rows=10))
