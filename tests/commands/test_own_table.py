"""Tables that nobody has prepared: train on a file, explain raw rows of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from tests.console import TINY, call, files
from tests.data.tables import nasty

SMALL = (*TINY, "schedule.batch_rows=64", "data.test_share=0.2")
QUICK = (*SMALL, "objective=full")


def with_names(bunch: object) -> pd.DataFrame:
    frame = bunch.frame
    return frame.assign(target=bunch.target_names[frame["target"]])


def diabetes() -> pd.DataFrame:
    """Three equal classes of how the disease went on."""
    frame = load_diabetes(as_frame=True, scaled=False).frame
    classes = pd.qcut(frame["target"], 3, labels=["low", "middle", "high"])
    return frame.assign(target=classes.astype(str))


TABLES = {
    "breast": lambda: with_names(load_breast_cancer(as_frame=True)),
    "wine": lambda: with_names(load_wine(as_frame=True)),
    "diabetes": diabetes,
    "nasty": lambda: nasty.frame().rename(columns={"repaid": "target"}),
}
ACCURACY = {"breast": 0.93, "wine": 0.93, "diabetes": 0.5, "nasty": 0.93}
"""What even a first model has to reach on the test rows."""


def trained(here: Path, name: str, *words: str) -> pd.DataFrame:
    frame = TABLES[name]()
    frame.to_csv(here / "table.csv", index=False)
    rows = frame.drop(columns="target").sample(8, random_state=1)
    rows.to_csv(here / "rows.csv", index=False)
    done = call(
        *("train", "data=table", "data.path=table.csv", "data.label=target", *words),
        cwd=here,
        CFTRAIN_DATA=None,
    )
    assert done.code == 0, done.err
    assert f"table.csv: {len(frame)} rows" in done.err
    return frame


def explained(here: Path, *words: str, model: str = "../outputs/table") -> list[dict]:
    """Advice on the rows, asked for from another folder than that of the training."""
    (here / "elsewhere").mkdir(exist_ok=True)
    done = call(
        *("explain", model, "rows=../rows.csv", "format=json", *words),
        cwd=here / "elsewhere",
        CFTRAIN_DATA=None,
    )
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def check(here: Path, frame: pd.DataFrame) -> None:
    advice = explained(here)
    assert len(advice) == 8
    assert {each["decision"] for each in advice} <= set(frame["target"])
    for each in advice:
        for answer in each["answers"]:
            for change in answer["changes"]:
                assert change["before"] == each["given"][change["column"]]
                assert change["after"] is not None


def check_bundle(here: Path) -> None:
    """A bundle knows the file by its name alone, and gives the same answers."""
    words = ("outputs/table", "elsewhere/bundle", "onnx=false")
    done = call("export", *words, cwd=here, CFTRAIN_DATA=None)
    assert done.code == 0, done.err
    model = (here / "elsewhere" / "bundle" / "model.json").read_text()
    assert '"path": "table.csv"' in model
    assert str(here) not in model
    assert explained(here, model="bundle") == explained(here)


def test_a_nasty_table_is_trained_explained_evaluated_and_verified(tmp_path):
    frame = trained(tmp_path, "nasty", *QUICK, "data.immutable=[age]")
    check(tmp_path, frame)
    config = (tmp_path / "outputs" / "table" / "config.yaml").read_text()
    assert "tabular.Tabular" in config
    assert "guessing" not in config
    away = tmp_path / "elsewhere"
    words = ("evaluation=quick", "evaluation.rounds=1", "evaluation.individuals=4")
    done = call("evaluate", "../outputs/table", *words, cwd=away, CFTRAIN_DATA=None)
    assert done.code == 0, done.err
    done = call("verify", "../outputs/table", "sample=1", cwd=away, CFTRAIN_DATA=None)
    assert done.code == 0, done.err
    assert "all numbers agree" in done.out
    check_bundle(tmp_path)
    again = call(
        *("train", "data=table", "data.path=table.csv", "data.label=target"),
        *(*QUICK, "data.immutable=[age]"),
        cwd=tmp_path,
        CFTRAIN_DATA=None,
    )
    assert "done already" in again.out, again


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_a_first_model_of_a_table_that_nobody_tuned_for_is_good(name, tmp_path):
    frame = trained(tmp_path, name)
    check(tmp_path, frame)
    metrics = pd.read_parquet(tmp_path / "outputs" / "table" / "metrics")
    accuracy = metrics[metrics["metric"] == "accuracy"]
    assert (accuracy["value"] > ACCURACY[name]).all()


def test_without_an_objective_the_strongest_within_a_budget_is_kept(tmp_path):
    """And shown and explained, and nothing else of what was tried."""
    trained(tmp_path, "wine", *SMALL, "budget.individuals=10")
    folder = tmp_path / "outputs" / "table"
    budgets = pd.read_parquet(folder / "budgets.parquet")
    assert sorted(budgets["strength"]) == [0, 0.01, 0.03, 0.1, 0.3, 1]
    limits = json.loads(budgets["config"].iloc[0])
    assert (limits["accuracy"], limits["validity"]) == (0.01, 0.02)
    cells = pd.read_parquet(folder / "cells").set_index("cell")["objective"]
    assert set(cells) == {"aligned", "vanilla"}
    (kept,) = budgets["cell"][budgets["kept"]]
    shown = call("show", str(folder), cwd=tmp_path)
    assert shown.code == 0, shown.err
    assert shown.out.count("wine (") + shown.out.count("table (") == 1
    assert "NOT EVALUATED" not in shown.out
    assert explained(tmp_path)
    bundle = call("export", str(folder), "bundle", "onnx=false", cwd=tmp_path)
    assert f"model {kept}" in bundle.out


def test_what_was_guessed_can_be_read_before_anything_is_trained(tmp_path):
    nasty.frame().to_csv(tmp_path / "loans.csv", index=False)
    words = ("data=table", "data.path=loans.csv", "data.label=repaid")
    before = files(tmp_path)
    found = call("train", *words, "--cfg", "job", cwd=tmp_path)
    assert found.code == 0, found.err
    for line in ("born: date_day_first", "savings: median", "training_rows: 635"):
        assert line in found.out
    assert "left out: country" in found.err
    assert files(tmp_path) == before


def test_a_draft_trains(tmp_path):
    nasty.frame().to_csv(tmp_path / "loans.csv", index=False)
    draft = call("data", "describe", "loans.csv", "label=repaid", cwd=tmp_path)
    assert draft.code == 0, draft.err
    (tmp_path / "conf" / "data").mkdir(parents=True)
    (tmp_path / "conf" / "data" / "loans.yaml").write_text(draft.out)
    assert "# category, 2 levels: 'ja', 'nein'" in draft.out
    sizes = ("schedule=table", "evaluation=table", *TINY)
    done = call(*("train", "--config-dir=conf", "data=loans", *sizes), cwd=tmp_path)
    assert done.code == 0, done.err
    assert "635 training and 181 test rows" in done.out


def test_the_label_of_a_draft_is_guessed(tmp_path):
    nasty.frame().to_csv(tmp_path / "loans.csv", index=False)
    draft = call("data", "describe", "loans.csv", cwd=tmp_path)
    assert "# label repaid: no (" in draft.out


REFUSED = [
    ("", [], "loans.csv: expected a table, got an empty file"),
    ("a,repaid\n1,yes\n2\n", [], "loans.csv, line 3: expected 2 cells"),
    ("a,a,repaid\n1,2,yes\n", [], "line 1: expected a name for each column, got 'a'"),
    (None, ["data.label=repayed"], "data.label: expected a column of loans.csv"),
    (None, ["data.immutable=[agee]"], "data.immutable: expected columns of"),
    (None, ["data.path=none.csv"], "data.path: expected a CSV or Parquet file"),
    (None, ["data.kinds={school: numeric}"], "column 'school': expected a number"),
    (None, ["data.test_share=2"], "data.test_share: expected a number < 1"),
    (None, ["data.colour=1"], "data.colour: expected a key"),
]


@pytest.mark.parametrize(("text", "words", "message"), REFUSED)
def test_bad_tables_are_refused_and_nothing_is_left(text, words, message, tmp_path):
    path = tmp_path / "loans.csv"
    if text is None:
        nasty.frame(rows=200).to_csv(path, index=False)
    else:
        path.write_text(text)
    before = files(tmp_path)
    given = ["data=table", "data.path=loans.csv", "data.label=repaid"]
    found = call("train", *given, *words, cwd=tmp_path)
    assert found.code == 2, found
    said = [line for line in found.err.splitlines() if line.startswith("cftrain: ")]
    assert len(said) == 1
    assert message in found.err
    assert "Traceback" not in found.err
    assert files(tmp_path) == before


ROWS = [
    ("row id,age\n1,2\n", "expected a column 'income, monthly €'"),
    ({"age": "old"}, "line 2, column 'age': expected a number, got 'old'"),
    ({"age": ""}, "line 2, column 'age': expected a number, got nothing"),
    ({"überzogen?": "jein"}, "line 2, column 'überzogen?': expected one of 'ja'"),
    ({"born": "1999-01-01"}, "line 2, column 'born': expected a date like 31.01.2025"),
    ({"savings": "much"}, "line 2, column 'savings': expected a number or nothing"),
]


@pytest.fixture(scope="module")
def nasty_run(tmp_path_factory) -> Path:
    here = tmp_path_factory.mktemp("nasty")
    trained(here, "nasty", *QUICK)
    return here


@pytest.mark.parametrize(("row", "message"), ROWS)
def test_bad_rows_are_refused_with_line_and_column(row, message, nasty_run):
    path = nasty_run / "rows.csv"
    if isinstance(row, str):
        path.write_text(row)
    else:
        good = nasty.frame(rows=40).drop(columns="repaid").dropna().head(2)
        good.astype(object).assign(**row).to_csv(path, index=False)
    found = call("explain", "outputs/table", "rows=rows.csv", cwd=nasty_run)
    assert found.code == 2
    assert message in found.err, found.err
    assert found.out == ""


def test_rows_in_other_notations_get_the_same_advice(nasty_run):
    rows = nasty.frame(7, 6).drop(columns="repaid").dropna(subset=["age"])
    rows["city"] = "a city that nobody saw"
    forms = {"a": {}, "b": {"sep": ";", "decimal": ",", "encoding": "cp1252"}}
    told = []
    for how in forms.values():
        rows.to_csv(nasty_run / "rows.csv", index=False, **how)
        told.append(explained(nasty_run))
    assert told[0] == told[1]


def test_a_model_that_is_taken_along_does_not_need_the_path_of_its_table(nasty_run):
    good = nasty.frame(rows=40).drop(columns="repaid").dropna().head(2)
    good.to_csv(nasty_run / "good.csv", index=False)
    done = call("export", "outputs/table", "model", cwd=nasty_run)
    assert done.code == 0, done
    words = ("rows=good.csv", "format=json")
    told = [
        call("explain", folder, *words, cwd=nasty_run)
        for folder in ("outputs/table", "model")
    ]
    assert [each.code for each in told] == [0, 0], told
    decisions = [
        [json.loads(line)["decision"] for line in each.out.splitlines()]
        for each in told
    ]
    assert decisions[0] == decisions[1]


def test_rows_that_break_a_relation_are_refused_or_kept(tmp_path):
    """Kept ones train, and no answer breaks it."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {"a": rng.integers(0, 50, 150), "b": rng.integers(20, 80, 150)}
    )
    table["label"] = np.where(table["a"] + rng.normal(0, 5, 150) > 25, "yes", "no")
    broken = table["a"] > table["b"]
    assert 0 < broken.sum() < 50
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("train", "data=table", "data.path=t.csv", "data.label=label", *QUICK)
    words = (*words, 'data.relations=["a <= b"]')
    refused = call(*words, cwd=tmp_path)
    assert refused.code == 2
    assert "data.broken_relations=keep" in refused.err
    kept = call(*words, "data.broken_relations=keep", cwd=tmp_path)
    assert kept.code == 0, kept.err
    table[broken].to_csv(tmp_path / "rows.csv", index=False)
    told = call("explain", "outputs/t", "rows=rows.csv", "format=json", cwd=tmp_path)
    assert told.code == 0, told.err
    assert told.err.count("the row itself breaks a <= b") == min(10, broken.sum())
    for line in told.out.splitlines():
        advice = json.loads(line)
        for answer in advice["answers"]:
            row = dict(advice["given"])
            row |= {each["column"]: each["after"] for each in answer["changes"]}
            assert row["a"] <= row["b"]
