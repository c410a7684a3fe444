"""Rows to explain whose cells are not one for each column, in any format."""

import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.advice.raw_rows import raw_rows
from cftrain.data.sources import File
from cftrain.data.tables.text import Dialect, cells
from cftrain.errors import DataError
from tests.advice import lending

HEADER = "age,debt,rate,job\n"
GOOD = "30,10.5,0.2,nurse\n"

UNEVEN = {
    "all rows have more": (HEADER + 3 * "5,30,10.5,0.2,nurse\n", 2, 5),
    "a single row has more": (HEADER + GOOD + "30,10.5,0.2,nurse,7\n", 3, 5),
    "a comma at the end": (HEADER + "30,10.5,0.2,nurse,\n", 2, 5),
    "decimal commas": (HEADER + "30,10,5,0.2,nurse\n", 2, 5),
    "a row has less": (HEADER + GOOD + "\n30,10.5,0.2\n", 4, 3),
    "less, of an ignored column": ("x," + HEADER + "1," + GOOD + GOOD, 3, 4),
    "far from the start": (HEADER + 3000 * GOOD + "7," + GOOD, 3002, 5),
}


def values(name: str, groups: str | None = None) -> list[list[object]]:
    with raw_rows(name, lending.codec(), groups=groups) as found:
        portions = [portion.rows.raw for portion in found]
    rows: list[list[object]] = pd.concat(portions).to_numpy().tolist()
    return rows


def plain(path: Path, text: str) -> str:
    (path / "rows.csv").write_text(text)
    return str(path / "rows.csv")


def tabs(path: Path, text: str) -> str:
    (path / "rows.tsv").write_text(text.replace(",", "\t"))
    return str(path / "rows.tsv")


def wide_signs(path: Path, text: str) -> str:
    (path / "rows.txt").write_text(text, encoding="utf-16", newline="\r\n")
    return str(path / "rows.txt")


def pipe(path: Path, text: str) -> str:
    os.mkfifo(path / "pipe")
    threading.Thread(target=(path / "pipe").write_text, args=(text,)).start()
    return str(path / "pipe")


SOURCES = (plain, tabs, wide_signs, pipe)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("text", "line", "got"), UNEVEN.values(), ids=UNEVEN)
def test_rows_with_more_or_fewer_cells_than_the_header_are_refused(
    source: Callable[[Path, str], str], text, line, got, tmp_path
):
    expected = len(text.partition("\n")[0].split(","))
    with pytest.raises(DataError) as caught:
        values(source(tmp_path, text))
    assert (
        f", line {line}: expected {expected} cells as in the header, got {got}; cells "
        "seem to be divided by"
    ) in str(caught.value)
    assert "readable" not in str(caught.value)


def test_rows_of_standard_input_are_refused_too(monkeypatch):
    text = UNEVEN["all rows have more"][0]
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(DataError, match=r"^-, line 2: expected 4 cells"):
        values("-")


@pytest.mark.parametrize("text", [text for text, *_ in UNEVEN.values()], ids=UNEVEN)
def test_the_mistake_is_told_as_of_a_table_to_train_on(text, tmp_path):
    path = Path(plain(tmp_path, text))
    commas = Dialect(encoding="utf-8", delimiter=",")
    with pytest.raises(DataError) as training:
        cells(File(path, path.read_bytes()), commas)
    with pytest.raises(DataError) as explaining:
        values(str(path))
    assert str(explaining.value) == str(training.value)


EVEN = {
    "blank lines": "\n" + HEADER + "\n" + GOOD + "   \n\n" + GOOD + "\n",
    "quoted delimiters": 'x,"y,z",' + HEADER + 2 * ('"a,b","c\nd ""e""",' + GOOD),
    "quotes after spaces": "x, " + HEADER + 2 * (' "a,b", ' + GOOD),
    "nothing after the last comma": "age,debt,rate,job,\n" + 2 * "30,10.5,0.2,nurse,\n",
    "a byte order mark": '\ufeff"x,y",' + HEADER + 2 * ("1," + GOOD),
}


@pytest.mark.parametrize("source", [plain, pipe])
@pytest.mark.parametrize("text", EVEN.values(), ids=EVEN)
def test_even_rows_are_read_whatever_is_between_them(source, text, tmp_path):
    assert values(source(tmp_path, text)) == 2 * [[30, 10.5, 0.2, "nurse"]]


NESTED = {
    "list": pa.array([[1.0, 2.0], [2.0, 3.0]]),
    "large_list": pa.array([[1.0], None], pa.large_list(pa.float64())),
    "fixed_size_list": pa.array([[1.0], [2.0]], pa.list_(pa.float64(), 1)),
    "struct": pa.array([{"part": 1}, {"part": 2}]),
    "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    "tensor": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float64(), [1]),
        pa.array([[1.0], [2.0]], pa.list_(pa.float64(), 1)),
    ),
}


def parquet(path: Path, **columns: pa.Array) -> str:
    plain_columns = pa.table({name: [1, 2] for name in ("age", "debt", "rate")})
    table = plain_columns.append_column("job", pa.array(["nurse", "clerk"]))
    for name, cells_of_it in columns.items():
        place = table.schema.get_field_index(name)
        if place >= 0:
            table = table.remove_column(place)
        table = table.append_column(name, cells_of_it)
    pq.write_table(table, path / "rows.parquet")
    return str(path / "rows.parquet")


@pytest.mark.parametrize("name", ["age", "job", "weights"])
@pytest.mark.parametrize("column", NESTED.values(), ids=NESTED)
def test_columns_with_several_values_in_a_cell_are_refused(name, column, tmp_path):
    """Inputs that are numbers or categories, and what rows are grouped by."""
    rows = parquet(tmp_path, **{name: column})
    with pytest.raises(DataError) as caught:
        values(rows, groups=name)
    start = f"{rows}, column {name!r}: expected single values, got "
    assert str(caught.value).startswith(start)


@pytest.mark.parametrize("column", NESTED.values(), ids=NESTED)
def test_columns_that_are_ignored_may_have_several_values(column, tmp_path):
    found = values(parquet(tmp_path, weights=column))
    assert found == [[1, 1, 1, "nurse"], [2, 2, 2, "clerk"]]
