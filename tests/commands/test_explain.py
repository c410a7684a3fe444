"""`cftrain explain` on a stored model, from the command line."""

import io
import json
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from cftrain.advice import raw_rows
from cftrain.commands import explain as explain_command
from tests import console
from tests.advice import lending
from tests.advice.lent import trained
from tests.console import call, files


@pytest.fixture(scope="module")
def lent(tmp_path_factory) -> Path:
    """A folder with two trained seeds, run from beside its table."""
    return trained(tmp_path_factory.mktemp("lending"))


def explain(lent, *words, code=0):
    found = call("explain", "outputs/all", *words, cwd=lent, CFTRAIN_DATA=str(lent))
    assert found.code == code, found
    return found


def test_answers_are_told_in_raw_units(lent):
    out = explain(lent, "rows=applicants.csv", "target=yes", "count=2").out
    assert "row 1: no (probability" in out
    assert "debt  900.25 -> " in out
    assert "of other seeds' models agree" in out


def test_the_formats_say_the_same(lent, tmp_path):
    words = ("rows=applicants.csv", "count=2")
    before = files(lent)
    lines = explain(lent, *words, "format=json").out.splitlines()
    advice = [json.loads(line) for line in lines]
    assert len(advice) == 12
    changes = sum(
        len(answer["changes"]) or 1 for each in advice for answer in each["answers"]
    )
    changes += sum(not each["answers"] for each in advice)
    printed = explain(lent, *words, "format=csv").out
    (tmp_path / "printed.csv").write_text(printed)
    table = pd.read_csv(tmp_path / "printed.csv")
    assert len(table) == changes
    assert files(lent) == before
    explain(lent, *words, "format=csv", f"output={tmp_path}/a b'c.csv")
    assert (tmp_path / "a b'c.csv").read_text() == printed
    explain(lent, *words, "format=parquet", f"output={tmp_path}/rows.parquet")
    stored = pd.read_parquet(tmp_path / "rows.parquet")
    assert list(stored["column"].dropna()) == list(table["column"].dropna())


def test_constraints_hold_and_more_can_be_added(lent):
    words = ("rows=applicants.csv", "target=yes", "format=json")
    for line in explain(lent, *words, "immutable=[job,rate]").out.splitlines():
        for answer in json.loads(line)["answers"]:
            for change in answer["changes"]:
                assert change["column"] in ("age", "debt")
                assert change["column"] != "age" or change["after"] > change["before"]


def test_another_generator_may_search(lent):
    words = ("rows=applicants.csv", "format=json", "sparse=false")
    own = explain(lent, *words).out
    assert explain(lent, *words, "generator=ecco").out == own
    assert explain(lent, *words, "generator=generic").out != own


def test_without_rows_the_first_test_rows_are_explained(lent):
    out = explain(lent, "test_rows=3").out
    assert [line[:6] for line in out.splitlines() if line.startswith("row")] == [
        "row 1:",
        "row 2:",
        "row 3:",
    ]


def test_the_page_has_a_card_for_each_row_and_needs_no_other_file(lent, tmp_path):
    words = ("rows=applicants.csv", "target=yes", "count=2", "format=html")
    explain(lent, *words, "groups=sex", f"output={tmp_path}/page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<article") == 12
    assert "What is asked of whom, by sex" in page
    assert "&lt;script&gt;" in page
    assert not [word for word in ("<script", "http://", "https://") if word in page]
    assert explain(lent, "test_rows=3", "format=html").out.count("<article") == 3


def test_the_summary_is_about_all_rows(lent):
    words = ("rows=applicants.csv", "target=yes", "summary=true", "groups=sex")
    found = explain(lent, *words)
    assert "12 of 12 others (100%: validity as told)" in found.out
    assert "fewer than 30 rows need an answer in <script>, f, m" in found.out
    assert "row 1" not in found.out
    read = json.loads(explain(lent, *words, "format=json").out)
    assert [burden["group"] for burden in read["groups"]] == ["<script>", "f", "m"]
    assert sum(burden["needed"] for burden in read["groups"]) == read["needed"] == 12
    assert "age" in explain(lent, "test_rows=50", "summary=true", "groups=age").out


def test_what_is_told_does_not_depend_on_portions(lent, monkeypatch):
    words = ("rows=applicants.csv", "format=json")
    whole = explain(lent, *words).out
    monkeypatch.setattr(raw_rows, "PORTION", 5)
    told = [json.loads(line) for line in explain(lent, *words).out.splitlines()]
    for each, other in zip(told, map(json.loads, whole.splitlines()), strict=True):
        assert each["row"] == other["row"]
        assert each["given"] == other["given"]
        for answer, twin in zip(each["answers"], other["answers"], strict=True):
            assert answer["changes"] == twin["changes"]


class Terminal(io.StringIO):
    """Where bars are drawn."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("portion", "drawn"), [(5, True), (12, False)])
def test_many_rows_have_a_bar_on_a_terminal(portion, drawn, lent, monkeypatch):
    monkeypatch.setattr(explain_command, "PORTION", portion)
    monkeypatch.setattr(console.io, "StringIO", Terminal)
    words = ("rows=applicants.csv", "target=yes")
    assert ("12/12" in explain(lent, *words, "summary=true").err) == drawn
    assert explain(lent, *words).err == ""


def test_unusual_numbers_are_told_per_row(lent, tmp_path):
    lending.frame(9, 3).assign(age=150).to_csv(tmp_path / "old.csv", index=False)
    words = (f"rows={tmp_path}/old.csv", "target=yes")
    note = "age 150 is outside 18 to 100, the domain of the training"
    assert explain(lent, *words).out.count(f"  note: {note}\n") == 3
    found = explain(lent, *words, "format=csv")
    assert found.err.count(f"warning: row 2: {note}\n") == 1


def test_a_mistake_leaves_no_file_and_no_answer(lent, tmp_path):
    rows = (lent / "applicants.csv").read_text() + "x,1,0.5,nurse,x,f\n"
    (tmp_path / "rows.csv").write_text(rows)
    output = tmp_path / "told.csv"
    words = (f"rows={tmp_path}/rows.csv", "format=csv")
    found = explain(lent, *words, f"output={output}", code=2)
    assert "rows.csv: line 14, column 'age': expected a number, got 'x'" in found.err
    assert not output.exists()
    assert explain(lent, *words, code=2).out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["summary=true", "format=csv"],
            "format: expected text, json or html for summary=true, got csv",
        ),
        (["groups=age"], "groups: expected summary=true or format=html beside it"),
        (
            ["groups=size", "summary=true"],
            "groups: expected a column of lending (age, debt, rate, job), got size",
        ),
        (["target=maybe"], "target: expected one of the classes 'no', 'yes'"),
        (["immutable=[agee]"], "immutable: expected columns of lending (age, debt"),
        (["rows=none.csv"], "none.csv: expected a readable CSV or Parquet file"),
        (["folder=none"], "none: expected a folder with results, got none"),
        (["cell=zzz"], "expected a trained model called zzz, got none"),
        (["count=0"], "count: expected a whole number >= 1, got 0"),
        (["format=parquet"], "output: expected a file for format=parquet, got null"),
        (["format=xml"], "format: expected one of"),
        (["maturity.threshold=2"], "maturity.threshold: expected"),
    ],
)
def test_mistakes_are_refused(words, message, lent):
    before = files(lent)
    found = explain(lent, *words, code=2)
    assert message in found.err
    assert found.err.startswith("cftrain: ")
    assert "Traceback" not in found.err
    assert files(lent) == before


def test_a_file_of_configuration_names_no_file_to_write(lent):
    (lent / "sent").mkdir()
    (lent / "sent" / "theirs.yaml").write_text(
        "defaults: [explain, _self_]\noutput: mine.txt\n"
    )
    (lent / "mine.txt").write_text("mine")
    words = ("--config-dir=sent", "--config-name=theirs", "test_rows=1")
    outcome = call("explain", "outputs/all", *words, cwd=lent, CFTRAIN_DATA=".")
    assert "output: expected a file that is named on the command" in outcome.message
    assert (lent / "mine.txt").read_text() == "mine"


def test_the_rows_are_not_overwritten(lent):
    (lent / "rows.csv").write_text("age,debt,rate,job\n30,5,3,clerk\n")
    before = (lent / "rows.csv").read_bytes()
    words = ("rows=rows.csv", "output=./rows.csv", "format=csv")
    outcome = call("explain", "outputs/all", *words, cwd=lent, CFTRAIN_DATA=".")
    assert "output: expected another file than that of the rows" in outcome.message
    assert (lent / "rows.csv").read_bytes() == before


def test_relations_can_be_added(lent):
    """Each answer obeys them as it is printed, also from a row that breaks them."""
    words = ("rows=applicants.csv", "target=yes", "count=2", "observed_range=false")
    told = '"age + 0.1*debt <= 60"'
    found = explain(lent, *words, f"relations=[{told}]", "format=json")
    assert "the row itself breaks age + 0.1*debt <= 60" in found.err
    obeyed = 0
    for line in found.out.splitlines():
        advice = json.loads(line)
        for answer in advice["answers"]:
            row = dict(advice["given"])
            row |= {each["column"]: each["after"] for each in answer["changes"]}
            limit = Fraction(str(row["age"])) + Fraction(str(row["debt"])) / 10
            assert limit <= 60
            obeyed += 1
    assert obeyed
    page = explain(lent, *words, f"relations=[{told}]", "format=html").out
    assert "the row itself breaks age + 0.1*debt &lt;= 60" in page


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        ('["age <= height"]', "expected numeric columns"),
        ('["age ="]', "relations: "),
        ('["age <= age"]', "relations: "),
    ],
)
def test_relations_that_cannot_be(lent, relations, expected):
    found = explain(lent, "test_rows=2", f"relations={relations}", code=2)
    assert found.err.startswith("cftrain: ")
    assert expected in found.err or "relations" in found.err, found.err
    assert "Traceback" not in found.err
