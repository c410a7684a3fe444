"""What is read off a file, and that it comes to a data set that is what was told."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from omegaconf import OmegaConf

from cftrain.config.build import build_object
from cftrain.config.identity import describe
from cftrain.config.tree import literal, plain
from cftrain.data.dataset import Dataset, DatasetSpec, check_identity
from cftrain.data.kinds.dates import DateColumn
from cftrain.data.kinds.imputed import ImputedColumn
from cftrain.data.tables.guessing.declared import declaration
from cftrain.data.tables.guessing.guess import GuessedTable, guessed
from cftrain.data.tables.guessing.table import Table
from cftrain.data.tables.guessing.told import told
from cftrain.errors import CftrainError, ConfigError, DataError
from cftrain.training.run import rebuild
from tests.console import read
from tests.data.tables import nasty

DEFAULTS = yaml.safe_load(
    (Path(__file__).parents[3] / "conf" / "data" / "table.yaml").read_text()
)


def guess(path: Path, label: str | None = "repaid", **changes: object) -> GuessedTable:
    values = {**DEFAULTS, "name": "loans", "root": None, "path": str(path)}
    return guessed(build_object({**values, "label": label, **changes}, Table, "data"))


def built(found: GuessedTable) -> Dataset:
    """The data set of the declaration, by the way that a command takes."""
    values = plain(OmegaConf.create(literal(declaration(found))))
    spec = build_object(values, DatasetSpec, "data")
    identity = spec.identity()
    dataset = spec.load()
    check_identity(dataset, identity)
    return dataset


def written(folder: Path, frame: pd.DataFrame, **how: object) -> Path:
    path = folder / "loans.csv"
    frame.to_csv(path, index=False, **how)
    return path


def plain_frame(rows: int = 100) -> pd.DataFrame:
    place = np.arange(rows)
    return pd.DataFrame(
        {
            "age": 20 + place * 7 % 50,
            "job": np.array(["nurse", "clerk", "baker"])[place % 3],
            "repaid": np.where(place % 5 < 2, "yes", "no"),
        }
    )


def column(found: GuessedTable, name: str):
    return next(each for each in found.columns if each.name == name)


@pytest.fixture(scope="module")
def nasty_guess(tmp_path_factory) -> GuessedTable:
    path = tmp_path_factory.mktemp("nasty") / "nasty.csv"
    nasty.frame().to_csv(path, index=False, sep=";", decimal=",", encoding="cp1252")
    return guess(path, immutable=["age"], increase=[nasty.MONEY])


def test_every_column_of_a_nasty_table_is_taken_for_what_it_is(nasty_guess):
    kinds = {each.name: each.kind for each in nasty_guess.columns}
    assert kinds == {
        nasty.ROW_NUMBER: None,
        "age": "numeric",
        nasty.MONEY: "numeric",
        "überzogen?": "categorical",
        "born": "date_day_first",
        "savings": "numeric",
        "city": "grouped",
        "school": "categorical",
        "country": None,
        "comment": None,
    }
    rules = {each.name: each.rule for each in nasty_guess.columns if each.rule}
    assert rules == {"age": "drop_rows", "savings": "median", "school": "own_level"}
    assert column(nasty_guess, "city").levels[-1] == "other"
    assert "identifier" in column(nasty_guess, nasty.ROW_NUMBER).reason
    assert "constant" in column(nasty_guess, "country").reason
    assert nasty_guess.copies == 10
    form = nasty_guess.raw.form
    assert (form.encoding, form.delimiter, form.decimal) == ("cp1252", ";", ",")


def test_what_is_told_names_every_column(nasty_guess):
    text = told(nasty_guess)
    for each in nasty_guess.columns:
        assert each.name in text
    assert "39.0%: median and a flag" in text
    assert "10 rows are copies of others" in text
    assert "immutable" in text
    assert max(map(len, text.splitlines())) < 150


def test_the_declaration_is_the_table(nasty_guess):
    dataset = built(nasty_guess)
    assert dataset.class_names == ("no", "yes")
    assert len(dataset.labels) == (
        nasty_guess.training_rows + nasty_guess.validation_rows
    )
    parts = [dataset.labels, dataset.test_labels]
    shares = [float(labels.double().mean()) for labels in parts]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    columns = {each.name: each for each in dataset.units.columns}
    assert isinstance(columns["savings"], ImputedColumn)
    assert isinstance(columns["born"], DateColumn)
    raw = dataset.units.decode(dataset.test_features)
    assert dataset.units.encode(raw).allclose(dataset.test_features, atol=1e-5)
    assert raw["born"].str.fullmatch(r"\d\d\.\d\d\.\d{4}").all()
    limits = dataset.constraints
    names = dataset.feature_names
    flag = names.index("savings is missing")
    assert (limits.lower[flag], limits.upper[flag]) == (0, 1)
    assert limits.may_decrease[flag]
    assert not limits.may_increase[flag]
    money = names.index(nasty.MONEY)
    assert limits.may_increase[money]
    assert not limits.may_decrease[money]


def test_the_same_rows_in_any_form_are_the_same_data_set(tmp_path):
    frame = nasty.frame(3).drop(columns="born")
    (tmp_path / "a").mkdir()
    path = written(tmp_path, frame)
    other = tmp_path / "a" / "loans.csv"
    frame.to_csv(other, index=False, sep="\t", decimal=",", encoding="utf-16")
    parquet = tmp_path / "a" / "loans.parquet"
    frame.to_parquet(parquet)
    first, *others = [built(guess(each)) for each in (path, other, parquet)]
    for dataset in others:
        assert dataset.feature_names == first.feature_names
        assert dataset.features.allclose(first.features, atol=1e-5)
        assert dataset.labels.equal(first.labels)


def test_where_a_table_lies_is_remembered_but_no_part_of_what_it_is(tmp_path):
    path = written(tmp_path, plain_frame())
    values = plain(OmegaConf.create(literal(declaration(guess(path)))))
    spec = build_object(values, DatasetSpec, "data")
    assert str(tmp_path) not in str(describe(spec))
    recorded = describe(spec, remembered=True)
    again = build_object(recorded, DatasetSpec, "data")
    identity = spec.identity()
    assert again.identity() == identity
    moved = tmp_path / "moved"
    moved.mkdir()
    path.rename(moved / path.name)
    with pytest.raises(DataError, match=r"expected .*/loans\.csv, or a file of that n"):
        again.identity()
    assert dataclasses.replace(again, root=str(moved)).identity() == identity


def test_a_run_is_identified_by_the_declaration_not_by_the_guess(tmp_path):
    """The guess is gone before a run is made: what is composed is what is described."""
    path = written(tmp_path, plain_frame())
    run, _ = read("data=table", f"data.path={path}", "data.label=repaid")
    assert describe(run.data)["_target_"] == "tabular"
    assert describe(rebuild(describe(run, remembered=True)).data) == describe(run.data)
    spelt = [
        "data.encoding=utf-8",
        "data.delimiter=','",
        "data.classes=['no','yes']",
        "+data.kinds.age=numeric",
    ]
    said, _ = read("data=table", f"data.path={path}", "data.label=repaid", *spelt)
    assert describe(said) == describe(run)


def test_settings_follow_from_the_rows_and_can_be_typed(tmp_path):
    path = written(tmp_path, plain_frame())
    words = ("data=table", f"data.path={path}", "data.label=repaid")
    run, options = read(*words)
    assert (run.data.training_rows, run.schedule.batch_rows) == (70, 16)
    assert (run.schedule.epochs, run.schedule.counterfactuals) == (100, 70)
    assert (run.schedule.shuffle, options.evaluation.rounds) == ("epoch", 20)
    run, _ = read(*words, "schedule.epochs=3", "schedule=large")
    assert (run.schedule.epochs, run.schedule.batch_rows) == (3, 70)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "0"] * 50, "categorical"),
        (["2020-01-31", "2021-12-01"] * 50, "date"),
        (["01/31/2020", "12/01/2021"] * 50, "date_month_first"),
        (["2020-01-31T10:00:00", "2021-12-01T23:30:00"] * 50, "date"),
        (["1.234.567,5", "0,25"] * 50, "numeric"),
        (["1,234,567.5", "0.25"] * 50, "numeric"),
        (["1e5", "-3", "2.5", ".5"] * 25, "numeric"),
        (["True", "False"] * 50, "categorical"),
        ([f"{number}-x" for number in range(100)], None),
        (list(range(100, 200)), None),
        (["", "NA"] * 50, None),
    ],
)
def test_kinds_are_read_off_the_values(values, kind, tmp_path):
    path = written(tmp_path, plain_frame().assign(x=values))
    assert column(guess(path), "x").kind == kind


def test_a_declared_order_gives_a_category_a_direction(tmp_path):
    place = np.arange(100)
    levels = ["none", "basic", "high"]
    frame = plain_frame().assign(school=np.array(levels)[place * 7 % 3])
    path = written(tmp_path, frame.replace({"none": "no school"}))
    levels[0] = "no school"
    found = guess(path, levels={"school": levels}, increase=["school"])
    dataset = built(found)
    place = dataset.feature_names.index("school")
    raw = dataset.units.decode(dataset.features)["school"]
    inputs = dataset.features[:, place]
    ranks = raw.map(levels.index).to_numpy()
    assert (np.diff(inputs.numpy()[ranks.argsort(kind="stable")]) >= 0).all()
    assert not dataset.constraints.may_decrease[place]


def test_a_level_that_stands_for_no_value_is_refused(tmp_path):
    path = written(tmp_path, plain_frame())
    with pytest.raises(ConfigError) as caught:
        guess(path, levels={"job": ["None", "clerk"]}, classes=["yes", "n/a"])
    job, label = str(caught.value).splitlines()
    assert job.startswith("data.levels.job: expected texts that stand for a value, got")
    assert "got 'None', which is one of data.missing_texts" in job
    assert label.startswith("data.classes: ")
    kept = guess(path, levels={"job": ["baker", "clerk", "nurse"]}, missing_texts=[""])
    assert kept.raw.form is not None
    assert kept.raw.form.missing == ("",)


def test_levels_that_only_test_rows_have_are_rare_ones(tmp_path):
    """No split can make a table unreadable: every level is in the pool, or `other`."""
    for row in range(0, 100, 3):
        frame = plain_frame()
        frame.loc[row, "job"] = "astronaut"
        built(guess(written(tmp_path, frame)))


def test_texts_of_a_table_are_never_interpolated(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    odd = ["${oc.env:SECRET}", "\\${x}", "a\\\\${y}", "'; --", "${", "<b>"]
    frame = plain_frame().assign(odd=[odd[place % len(odd)] for place in range(100)])
    frame["${oc.env:SECRET}"] = frame["age"]
    found = guess(written(tmp_path, frame))
    values = plain(OmegaConf.create(literal(declaration(found))))
    assert values["levels"]["odd"] == sorted(odd)
    assert "s3cret" not in str(values)
    assert built(found).units.columns[2].levels == tuple(sorted(odd))


def test_one_class_too_few_is_balanced_if_wished(tmp_path):
    frame = plain_frame(400)
    frame["repaid"] = np.where(np.arange(400) % 20 == 0, "yes", "no")
    path = written(tmp_path, frame)
    assert "uneven classes: 5.0% of the rows are yes" in told(guess(path))
    dataset = built(guess(path, balance=True))
    labels = np.concatenate([dataset.labels, dataset.test_labels])
    assert np.bincount(labels).tolist() == [20, 20]


def test_numbers_become_two_classes_by_a_threshold(tmp_path):
    path = written(tmp_path, plain_frame())
    found = guess(path, label="age", label_threshold=40)
    assert built(found).class_names == ("below 40", "40 or more")


def changed(**columns: object) -> pd.DataFrame:
    return plain_frame().assign(**columns)


def with_cell(row: int, column: str, value: object) -> pd.DataFrame:
    frame = plain_frame().assign(age=np.arange(100) * 1.5).astype(object)
    frame.loc[row, column] = value
    return frame


MISTAKES = [
    (changed(), {"label": "repayed"}, "did you mean 'repaid'?"),
    (changed(repaid="yes"), {}, "column 'repaid': expected at least 2 classes, got"),
    (changed(repaid=np.arange(100) / 7), {}, "expected at most 30 classes, got 100"),
    (with_cell(7, "repaid", "perhaps"), {}, "got only 1 of 'perhaps'"),
    (with_cell(7, "age", "abc"), {}, "loans.csv, line 9, column 'age': expected a num"),
    (changed().iloc[:20], {}, "expected at least 40 rows, got 20"),
    (changed()[["repaid"]], {}, "expected at least one column to learn from"),
    (changed(job="x", age=3), {}, "constant, but for test rows at most"),
    (changed(), {"immutable": ["agee"]}, "data.immutable: expected columns of"),
    (changed(), {"leave_out": ["zip"]}, "data.leave_out: expected columns of"),
    (changed(), {"classes": ["no"]}, "label 'repaid': expected one of 'no', got 'yes'"),
    (changed(), {"kinds": {"age": "number"}}, "data.kinds.age: expected one of"),
    (changed(), {"encoding": "latin-99"}, "data.encoding: expected an encoding such"),
    (changed(), {"label_threshold": 3}, "expected numbers, as data.label_threshold"),
    (
        changed(),
        {"immutable": ["age"], "increase": ["age"]},
        "data.increase: expected columns that no other list names, got 'age'",
    ),
]


@pytest.mark.parametrize(("frame", "changes", "message"), MISTAKES)
def test_tables_that_cannot_be_used_are_refused(frame, changes, message, tmp_path):
    path = written(tmp_path, frame)
    with pytest.raises(CftrainError) as caught:
        guess(path, **{"label": "repaid", **changes})
    assert message in str(caught.value)


FILES = [
    (b"", "loans.csv: expected a table, got an empty file"),
    (b"\n\n", "loans.csv: expected a header and rows, got nothing"),
    (b"a,repaid\n", "loans.csv: expected at least one row, got none"),
    (b"a,b,a,repaid\n1,2,3,yes\n", "line 1: expected a name for each column, got 'a'"),
    (b"a,repaid\n1,yes\n\n2\n", "line 4: expected 2 cells as in the header, got 1"),
    (b"a,repaid\n1,yes\n2,no,x\n", "line 3: expected 2 cells as in the header, got 3"),
    (b'a,repaid\n1,"yes\n2,no\n', "loans.csv, line 2: expected a quote to be closed"),
    (b"PAR1 but no more", "loans.csv: expected a readable Parquet file, got"),
]


@pytest.mark.parametrize(("content", "message"), FILES)
def test_files_that_are_no_tables_are_refused(content, message, tmp_path):
    path = tmp_path / "loans.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        guess(path)
    assert message in str(caught.value)


def test_a_wrong_encoding_is_told_with_its_line(tmp_path):
    path = tmp_path / "loans.csv"
    path.write_bytes("a,repaid\n1,yes\n2,nö\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"loans.csv, line 3: expected text in utf-8"):
        guess(path, encoding="utf-8")


def test_a_path_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"which is no file of that name"):
        guess(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"which is a folder"):
        guess(tmp_path)


def test_all_mistakes_of_what_was_said_are_told_at_once(tmp_path):
    path = written(tmp_path, plain_frame())
    with pytest.raises(ConfigError) as caught:
        guess(path, immutable=["a"], missing={"b": "median"}, domain={"c": [0, 1]})
    assert len(caught.value.mistakes) == 3


def test_a_table_needs_a_path_and_a_label():
    with pytest.raises(ConfigError, match=r"data\.path: expected a value, as in"):
        read("data=table", "data.label=repaid")
    with pytest.raises(ConfigError, match=r"data\.label: expected a value, as in"):
        read("data=table", "data.path=loans.csv")


def test_a_category_has_no_direction_without_an_order(tmp_path):
    path = written(tmp_path, plain_frame())
    with pytest.raises(
        ConfigError, match=r"got the category 'job'; data\.levels gives"
    ):
        guess(path, increase=["job"])
    guess(path, increase=["job"], levels={"job": ["clerk", "nurse", "baker"]})
