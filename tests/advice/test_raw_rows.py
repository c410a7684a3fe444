import io
import os
import sys
import threading

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from cftrain.advice import raw_rows as module
from cftrain.advice.raw_rows import raw_rows
from cftrain.data.encoding import Codec, fit_codec
from cftrain.data.tables import pipes
from cftrain.data.told import Told
from cftrain.errors import DataError
from tests.advice import lending
from tests.console import in_time

HEADER = "age,debt,rate,job\n"
GOOD = "30,10.5,0.2,nurse\n"


def read_rows(name: str, codec: Codec) -> Told:
    """All rows of a file together."""
    with raw_rows(name, codec, groups=None) as found:
        portions = [portion.rows for portion in found]
    assert sum(map(len, portions)) == found.count
    raw = pd.concat([rows.raw for rows in portions], ignore_index=True)
    return Told(raw=raw, inputs=torch.cat([rows.inputs for rows in portions]))


def written(tmp_path, text, name="rows.csv"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_rows_of_csv_parquet_and_standard_input_are_the_same(tmp_path, monkeypatch):
    frame = lending.frame(5, 9)
    frame["other"] = "ignored"
    text = frame.to_csv(index=False)
    parquet = [tmp_path / f"rows{ending}" for ending in (".parquet", ".PQ", "")]
    for path in parquet:
        frame.to_parquet(path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    sources = (written(tmp_path, text), *map(str, parquet), "-")
    first, *others = [read_rows(source, lending.codec()) for source in sources]
    assert list(first.raw) == ["age", "debt", "rate", "job"]
    assert len(first) == 9
    for rows in others:
        assert rows.raw.astype(str).equals(first.raw.astype(str))
        assert rows.inputs.equal(first.inputs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header and rows, got nothing"),
        (HEADER, "expected at least one row, got none"),
        (
            "age,debt,rate\n30,1,0.2\n",
            "expected a column 'job', got 'age', 'debt', 'rate'",
        ),
        (
            HEADER + GOOD + "x,1,0.2,nurse\n",
            "line 3, column 'age': expected a number, got 'x'",
        ),
        (
            HEADER + "30,,0.2,nurse\n",
            "line 2, column 'debt': expected a number, got nothing",
        ),
        (
            HEADER + "30,inf,0.2,nurse\n",
            "line 2, column 'debt': expected a number, got np.float64(inf)",
        ),
        (
            HEADER + '30,"1,5",0.2,nurse\n',
            "line 2, column 'debt': expected a number, got '1,5'",
        ),
        (
            HEADER + "30,1,0.2,cook\n",
            "line 2, column 'job': expected one of 'baker', 'clerk', 'nurse', got "
            "'cook'",
        ),
        (
            HEADER + "30,1,0.2,\n",
            "line 2, column 'job': expected one of 'baker', 'clerk', 'nurse', got "
            "nothing",
        ),
        (
            HEADER + '30,1,0.2,"nurse\n',
            "expected a readable CSV or Parquet file",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(text, message, tmp_path):
    with pytest.raises(DataError) as caught:
        read_rows(written(tmp_path, text), lending.codec())
    assert message in str(caught.value)


def test_many_mistakes_are_cut(tmp_path):
    text = HEADER + 50 * "x,1,0.2,nurse\n"
    with pytest.raises(DataError) as caught:
        read_rows(written(tmp_path, text), lending.codec())
    assert str(caught.value).endswith("rows.csv: and 30 more")
    assert str(caught.value).count("\n") == 20


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_files_that_are_none_are_refused(name, tmp_path):
    with pytest.raises(DataError, match="expected a readable CSV or Parquet file"):
        read_rows(str(tmp_path / name), lending.codec())
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    with pytest.raises(DataError):
        read_rows(str(tmp_path / name), lending.codec())


def test_portions_are_the_file(tmp_path, monkeypatch):
    name = written(tmp_path, lending.frame(5, 23).to_csv(index=False))
    whole = read_rows(name, lending.codec())
    monkeypatch.setattr(module, "PORTION", 5)
    with raw_rows(name, lending.codec(), groups=None) as found:
        assert [portion.first_row for portion in found] == [0, 5, 10, 15, 20]
    again = read_rows(name, lending.codec())
    assert again.raw.equals(whole.raw)
    assert again.inputs.equal(whole.inputs)


def test_a_mistake_in_the_last_portion_is_told_first(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PORTION", 2)
    text = HEADER + 4 * GOOD + "x,1,0.2,cook\n"
    with (
        pytest.raises(DataError) as caught,
        raw_rows(written(tmp_path, text), lending.codec(), groups=None),
    ):
        pytest.fail("rows were handed out")
    assert "line 6, column 'age': expected a number, got 'x'" in str(caught.value)
    assert "line 6, column 'job': expected one of" in str(caught.value)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_that_stand_there_twice_are_refused(kind, tmp_path):
    if kind == "csv":
        name = written(tmp_path, "age,debt,rate,job,job\n30,1,0.2,nurse,clerk\n")
    else:
        name = str(tmp_path / "rows.parquet")
        row = pa.array([1.0])
        names = ["age", "debt", "rate", "job", "job"]
        pq.write_table(pa.Table.from_arrays([row] * 5, names=names), name)
    with pytest.raises(DataError, match="got twice 'job'"):
        read_rows(name, lending.codec())


def test_columns_that_are_ignored_may_stand_there_twice(tmp_path):
    text = "age,x,debt,x,rate,job\n30,1,2.5,2,0.2,nurse\n"
    rows = read_rows(written(tmp_path, text), lending.codec())
    assert rows.raw.iloc[0].to_dict() == {
        "age": 30,
        "debt": 2.5,
        "rate": 0.2,
        "job": "nurse",
    }


def test_a_pipe_is_read_once(tmp_path):
    """As in rows=<(zcat rows.csv.gz)."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = lending.frame(5, 9).to_csv(index=False)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    assert len(read_rows(str(pipe), lending.codec())) == 9
    writer.join()


def test_a_pipe_that_nobody_writes_to_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(pipes, "PATIENCE_SECONDS", 0.01)
    os.mkfifo(tmp_path / "pipe")
    with in_time(), pytest.raises(DataError, match="to which nothing was written"):
        read_rows(str(tmp_path / "pipe"), lending.codec())


@pytest.mark.parametrize("name", ["zero.csv", "zero.parquet", "pipe.parquet"])
def test_neither_a_device_nor_a_pipe_of_parquet_is_read(name, tmp_path):
    os.mkfifo(tmp_path / "pipe.parquet")
    for each in ("zero.csv", "zero.parquet"):
        (tmp_path / each).symlink_to("/dev/zero")
    with in_time(), pytest.raises(DataError, match="got something else of that name"):
        read_rows(str(tmp_path / name), lending.codec())


LEVELS = pd.DataFrame(
    {
        "code": ["01", "1", "NA", "x"] * 2,
        "flag": [True, False] * 4,
        "number": [1, 2, None, 3] * 2,
    }
)


@pytest.mark.parametrize("portion", [1, 100])
def test_levels_are_found_by_what_is_written(portion, tmp_path, monkeypatch):
    """Whatever else is in the portion: 01 is not 1, NA may be a level, true is one."""
    monkeypatch.setattr(module, "PORTION", portion)
    kinds = dict.fromkeys(LEVELS, "categorical")
    codec = fit_codec(LEVELS, kinds, levels={}, standardise=False)
    text = "code,flag,number\n01,True,1\n1,false,2.0\nNA,1,\nx,0,nan\n"
    rows = read_rows(written(tmp_path, text), codec)
    assert rows.raw.to_numpy().tolist() == [
        ["01", 1, 1],
        ["1", 0, 2],
        ["NA", 1, None],
        ["x", 0, None],
    ]


def test_the_column_of_groups_is_told_as_written(tmp_path):
    text = "age,debt,rate,job,sex\n30,1,0.2,nurse,01\n40,1,0.2,nurse,\n"
    name = written(tmp_path, text)
    with raw_rows(name, lending.codec(), groups="sex") as found:
        assert [list(portion.groups) for portion in found] == [["01", ""]]
    with raw_rows(name, lending.codec(), groups="age") as found:
        assert [list(portion.groups) for portion in found] == [[30, 40]]
    with (
        pytest.raises(DataError, match="expected a column 'size'"),
        raw_rows(name, lending.codec(), groups="size"),
    ):
        pytest.fail("was opened")
