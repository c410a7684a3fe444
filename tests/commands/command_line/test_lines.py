"""What is typed, as overrides."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from cftrain.commands.command_line.lines import (
    extra_folders,
    is_folder,
    overrides,
    quoted,
)
from cftrain.errors import ConfigError
from tests.console import call, compose

OWN = ("data=table", "data.path=a.csv", "data.label=b")
SIZED = ("schedule=table", "evaluation=table")
WITHIN_BUDGET = ("objective=aligned", "budget=one_point")


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [
        ("train", ["data=moons", "--cfg", "job"], ["data=moons", "--cfg", "job"]),
        ("train", ["+experiment=moons"], ["experiment=moons"]),
        ("train", ["-m", "+experiment=a,b"], ["-m", "experiment=a,b"]),
        ("grid", ["--dry-run", "+a.b=1"], ["dry_run=true", "+a.b=1"]),
        ("train", [*OWN], [*SIZED, *WITHIN_BUDGET, *OWN]),
        ("grid", [*OWN], [*SIZED, *OWN]),
        ("train", [*OWN, "objective=full"], [*SIZED, *OWN, "objective=full"]),
        (
            "train",
            [*OWN, "budget=none"],
            [*SIZED, WITHIN_BUDGET[0], *OWN, "budget=none"],
        ),
        (
            "train",
            [*OWN, "budget.accuracy=0.1", "objective.margin=2"],
            [*SIZED, *WITHIN_BUDGET, *OWN, "budget.accuracy=0.1", "objective.margin=2"],
        ),
        (
            "train",
            [*OWN, "objective.strength=0.3"],
            [*SIZED, *OWN, "objective.strength=0.3"],
        ),
        ("tables", [], []),
        ("tables", ["table=main"], ["table=main"]),
        ("tables", ["out puts", "table=main"], ["folder='out puts'", "table=main"]),
        ("tables", ["--help"], ["--help"]),
        ("evaluate", ["/a=b", "evaluation=full"], ["folder='/a=b'", "evaluation=full"]),
        ("evaluate", ["evaluation=full"], ["evaluation=full"]),
        ("figure", [], ["experiment=credit", "name=figures"]),
        (
            "figure",
            ["boundary", "seeds=2"],
            ["experiment=moons", "name=figures", "picture=boundary", "seeds=2"],
        ),
        (
            "figure",
            ["boundary", "+experiment=circles"],
            ["picture=boundary", "experiment=circles"],
        ),
        (
            "tables",
            ["--explain", "main", "LS", "ip"],
            ["table=main", "explain=['LS','ip']"],
        ),
        (
            "tables",
            ["x", "--explain", "accuracy", "LS", "fgsm 0.03", "CT", "interval=t"],
            [
                "folder='x'",
                "table=accuracy",
                "explain=['LS','fgsm 0.03','CT']",
                "interval=t",
            ],
        ),
    ],
)
def test_words_become_overrides(command, words, expected):
    assert overrides(command, words) == expected


@pytest.mark.parametrize("words", [["--explain"], ["--explain", "main", "LS", "a=b"]])
def test_what_is_to_be_explained_has_three_words(words):
    with pytest.raises(ConfigError, match="expected a table, a row and a column"):
        overrides("tables", words)


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1))
def test_any_text_is_one_value_for_hydra(text):
    line = f"folder={quoted(text)}"
    (override,) = OverridesParser.create().parse_overrides([line])
    assert override.value() == text.replace("${", "\\${")


@pytest.mark.parametrize(
    "name",
    ["a b", "a=b", "a,b", "it's", "x[1]", "{a}", "trail\\", "$HOME", "${x}", "#1"],
)
def test_a_folder_arrives_as_it_was_typed(name):
    (line,) = overrides("tables", [f"/deep/{name}"])
    assert compose(line, root="tables").folder == f"/deep/{name}"


def test_a_folder_of_any_name_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a=b").mkdir()
    for word in ("outputs", "./x=y", "../x", "/x", "a=b"):
        assert is_folder(word)
    for word in ("c=d", "--help", "-m", "+a=b", "~a", ""):
        assert not is_folder(word)


def test_extra_folders_are_told_in_three_ways():
    found, others = extra_folders(
        ["list", "--config-dir", "a", "-cd", "b", "--config-dir=c", "x=1"]
    )
    assert found == [Path("a"), Path("b"), Path("c")]
    assert others == ["list", "x=1"]


def test_the_plus_of_an_experiment_changes_nothing():
    assert compose("experiment=moons") == compose("+experiment=moons")
    assert compose("experiment=moons").name == "moons"
    outcomes = [call("train", word, "--cfg", "job") for word in PLUS]
    assert outcomes[0].code == 0
    assert outcomes[0] == outcomes[1]


PLUS = ("experiment=moons", "+experiment=moons")


def test_what_is_typed_wins_over_the_experiment():
    config = compose("experiment=moons", "name=mine", "data=circles")
    assert (config.name, config.data.name) == ("mine", "circles")


@pytest.mark.parametrize(
    ("word", "given"),
    [
        ("target=yes", "target=yes"),
        ("target=true", "target=true"),
        ("target=>50K", "target='>50K'"),
        ("target=a, b = {c}", "target='a, b = {c}'"),
        ("target='>50K'", "target='>50K'"),
        ("target=null", "target=null"),
        ("groups=years (in school)", "groups='years (in school)'"),
        ("rows=a b.csv", "rows='a b.csv'"),
    ],
)
def test_names_of_classes_and_columns_are_taken_as_typed(word, given):
    assert overrides("explain", ["folder", word]) == ["folder='folder'", given]
