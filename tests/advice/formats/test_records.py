import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from cftrain.advice.formats import parquet
from cftrain.advice.formats.csv_lines import csv_lines, harmless
from cftrain.advice.formats.json_lines import json_line
from cftrain.advice.formats.records import KINDS, records
from tests.advice.telling import advice, change


def test_a_record_for_each_change():
    both = (change("job", "baker", "clerk"), change("debt", 7, -5))
    first, second = records(advice(*both))
    assert (first["row"], first["answer"], first["column"]) == (3, 1, "job")
    assert (second["before"], second["after"]) == ("7", "-5")
    assert first.keys() == second.keys() == KINDS.keys()


def test_without_an_answer_there_is_one_record_with_the_reason():
    (record,) = records(advice(reason="already there"))
    assert (record["answer"], record["reason"]) == (None, "already there")
    (other,) = records(advice(change("a", 1, 2)))
    assert record.keys() == other.keys()


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(1)",
        "@job",
        "-x",
        "+1+cmd|' /C calc'!A0",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text):
    """Whichever cell it is in, read as CSV is read."""
    odd = advice(change(text, text, f"{text},\"'\n{text}"), decision=text)
    header, row = csv.reader(io.StringIO("".join(csv_lines([odd])), newline=""))
    told = dict(zip(header, row, strict=True))
    for name in ("column", "before", "decision"):
        assert told[name] == f"'{text}"
    assert told["after"].startswith(f"'{text},")
    assert not [cell for cell in row if cell[:1] in "=@+-\t\r\n＝" and cell]


@pytest.mark.parametrize("value", ["-1.5", "-2", "1e-7", "a=b", "", None, True, -3])
def test_numbers_below_zero_and_harmless_text_stay(value):
    assert harmless(value) == value


def test_parquet_has_the_values_themselves(tmp_path, monkeypatch):
    """Nothing runs them there; written in portions, it is the same table."""
    told = [advice(change("@job", "=1", "-x")), advice(reason="because")] * 3
    parquet.write_parquet(told, tmp_path / "whole.parquet")
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    parquet.write_parquet(told, tmp_path / "parts.parquet")
    whole = pq.read_table(tmp_path / "whole.parquet")
    assert pq.read_table(tmp_path / "parts.parquet").equals(whole)
    assert whole.column_names == list(KINDS)
    assert whole["before"].to_pylist() == ["=1", None] * 3


def test_json_says_all():
    each = advice(change("debt", 7, 5))
    read = json.loads(json_line(each))
    assert read["answers"][0]["changes"] == [
        {"column": "debt", "before": 7, "after": 5, "by": -2}
    ]
    assert read["given"] == {"job": "=1+1", "debt": -5}
    assert read["notes"] == []
