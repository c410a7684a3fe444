import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.errors import ResultError
from cftrain.results.parts.parquet import Unreadable, read_parquet, write_parquet
from cftrain.results.schema import HISTORY, LATER, METRICS
from tests.results.rows import metric_rows, row

VALUES = {(0.5, number): number / 8 for number in range(20)}
TABLE = pa.Table.from_pylist(metric_rows("c", "s", "ip", VALUES), schema=METRICS)


@pytest.fixture
def path(tmp_path):
    write_parquet(tmp_path / "part.parquet", TABLE)
    return tmp_path / "part.parquet"


def test_what_is_written_is_read_by_us_and_by_others(path):
    assert read_parquet(path, METRICS).equals(TABLE)
    assert pq.read_table(path, partitioning=None).equals(TABLE)


def test_some_columns_are_read_in_their_order(path):
    assert read_parquet(path, METRICS, ["value", "cell"]).column_names == [
        "value",
        "cell",
    ]


def refused(path, content: bytes | bytearray) -> None:
    path.write_bytes(content)
    with pytest.raises(ResultError):
        read_parquet(path, METRICS)


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.torture)])
def test_no_flipped_bit_goes_unnoticed(path, every):
    """Wherever it is: in pages, in the footer, in the digest itself."""
    whole = path.read_bytes()
    for place in range(0, len(whole), every):
        content = bytearray(whole)
        content[place] ^= 1 << (place % 8)
        refused(path, content)


@pytest.mark.parametrize("every", [71, pytest.param(1, marks=pytest.mark.torture)])
def test_no_truncated_file_goes_unnoticed(path, every):
    whole = path.read_bytes()
    for length in range(0, len(whole), every):
        refused(path, whole[:length])


def test_a_file_that_another_program_wrote_again_is_refused(path):
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table, path)
    with pytest.raises(Unreadable, match="not that of its digest"):
        read_parquet(path, METRICS)


def test_a_file_that_is_not_there_is_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "part.parquet", METRICS)


def test_a_folder_in_its_place_is_unreadable(tmp_path):
    (tmp_path / "part.parquet").mkdir()
    with pytest.raises(Unreadable):
        read_parquet(tmp_path / "part.parquet", METRICS)


@pytest.mark.parametrize("columns", [None, ["head_loss", "epoch"]])
def test_columns_that_older_versions_did_not_write_are_null(path, columns):
    whole = pa.Table.from_pylist([row("history", epoch=3)], schema=HISTORY)
    write_parquet(path, whole.drop_columns(sorted(LATER)))
    found = read_parquet(path, HISTORY, columns)
    assert found.column_names == (columns or HISTORY.names)
    assert found["head_loss"].to_pylist() == [None]
    assert found["epoch"].to_pylist() == [3]


def test_other_columns_may_not_be_missing(path):
    whole = pa.Table.from_pylist([row("history", epoch=3)], schema=HISTORY)
    write_parquet(path, whole.drop_columns(["epoch"]))
    with pytest.raises(ResultError, match="expected results of format"):
        read_parquet(path, HISTORY)
