"""Files of rows as they are: what is no table of single values is told."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.errors import DataError
from tests.data.tables.test_guessing import guess, plain_frame

NESTED = {
    "lists": [[1, 2]],
    "records": [{"part": 1}],
    "tensors": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.int64(), [1]),
        pa.array([[1]], pa.list_(pa.int64(), 1)),
    ),
    "maps": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("cell", NESTED.values(), ids=NESTED)
def test_cells_with_several_values_are_refused_or_left_out(cell, tmp_path):
    table = pa.Table.from_pandas(plain_frame(), preserve_index=False)
    whole = pa.concat_arrays([pa.array(cell)] * len(table))
    path = tmp_path / "loans.parquet"
    pq.write_table(table.append_column("more", whole), path)
    with pytest.raises(DataError, match=r"column 'more': expected single values"):
        guess(path)
    found = guess(path, leave_out=["more"])
    assert {column.name for column in found.used} == {"age", "job"}


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ("no JSON", {"age", "job"}),
        ('{"index_columns": ["age"], "columns": 7}', {"job"}),
        ('{"index_columns": ["else", 7], "columns": [{}]}', {"age", "job"}),
    ],
)
def test_pandas_tells_which_columns_were_an_index_and_nothing_else(
    told, used, tmp_path
):
    table = pa.Table.from_pandas(plain_frame(), preserve_index=False)
    path = tmp_path / "loans.parquet"
    pq.write_table(table.replace_schema_metadata({"pandas": told}), path)
    assert {column.name for column in guess(path).used} == used


def test_a_cell_without_end_is_told_by_its_line_and_column(tmp_path):
    frame = plain_frame().astype(object)
    frame.iloc[6, frame.columns.get_loc("job")] = "ä" * 140_000
    path = tmp_path / "loans.csv"
    frame.to_csv(path, index=False)
    expected = (
        r"loans\.csv, line 8, column 'job': expected at most 131,072 characters in a "
        r"cell, got 140,000; a quote"
    )
    with pytest.raises(DataError, match=expected):
        guess(path)


def test_a_quote_after_a_space_is_one(tmp_path):
    """What is counted are the cells that are read."""
    text = plain_frame().to_csv(index=False)
    path = tmp_path / "loans.csv"
    path.write_text(text.replace("baker", ' "baker, at night"'))
    (job,) = (column for column in guess(path).used if column.name == "job")
    assert "baker, at night" in job.levels
