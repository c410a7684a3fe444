"""What of a table in Parquet is its columns, and what its writer noted beside them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cftrain.advice.raw_files import opened
from cftrain.data.sources import File
from cftrain.data.tables.parquet import framed, indices, read_columns, read_schema
from cftrain.errors import DataError
from tests.data.tables.test_unfolding import parquet, texts

NOTED: dict[str, Any] = {
    "an index": {"index_columns": ["text"]},
    "a long one": {"index_columns": [{"kind": "range", "start": 0, "stop": 10**30}]},
    "deep": None,
    "types": {"columns": [{"name": "number", "numpy_type": "i8,("}]},
    "a sparse type": {"columns": [{"name": "number", "numpy_type": "Sparse[" * 9}]},
    "names": {"column_indexes": [{"name": None, "numpy_type": "S2147483647"}]},
    "nothing": [],
}


@pytest.mark.parametrize("name", NOTED)
def test_what_pandas_notes_in_a_file_steers_nothing(name, tmp_path):
    """But which columns were an index of rows."""
    noted = b"[" * 10**5 if name == "deep" else json.dumps(NOTED[name]).encode()
    table = texts().replace_schema_metadata({b"pandas": noted})
    file = File(Path("table.parquet"), parquet(table))
    schema = read_schema(file)
    frame = framed(file.path, read_columns(file, schema.names))
    assert frame["number"].tolist() == list(range(300))
    assert frame["text"].isna().sum() == 43
    path = tmp_path / "rows.parquet"
    path.write_bytes(file.content)
    with opened(str(path)) as rows:
        (portion,) = rows.frames(["number"], texts=[], rows=300)
    assert portion["number"].tolist() == list(range(300))
    assert indices(schema) == ({"text"} if name == "an index" else set())


def test_a_name_twice_is_told_at_once_also_in_a_wide_table():
    names = [*map(str, range(3000)), "7"]
    table = pa.Table.from_arrays([pa.array([1])] * 3001, names)
    with pytest.raises(DataError, match="a name for each column, got 7 more than once"):
        read_schema(File(Path("wide.parquet"), parquet(table)))
