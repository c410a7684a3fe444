from dataclasses import dataclass
from typing import Annotated

import pytest

from cftrain.commands.command_line import words
from cftrain.commands.command_line.words import read_words
from cftrain.config.ranges import AtLeast, Count
from cftrain.errors import ConfigError
from tests.console import call

DEFAULTS = {"sample": 5, "tolerance": 0.0, "note": "none"}


@dataclass(frozen=True, kw_only=True)
class WordsOfTest:
    sample: Count
    tolerance: Annotated[float, AtLeast(0)]
    note: str


@pytest.fixture(autouse=True)
def of_the_package(monkeypatch):
    """Only classes of the package are built from a configuration."""
    monkeypatch.setattr(WordsOfTest, "__module__", words.__name__)
    monkeypatch.setattr(words, "WordsOfTest", WordsOfTest, raising=False)


def test_the_folder_comes_first_and_defaults_hold(tmp_path):
    folder, options = read_words([str(tmp_path)], WordsOfTest, DEFAULTS)
    assert folder == tmp_path
    assert options == WordsOfTest(sample=5, tolerance=0.0, note="none")


@dataclass(frozen=True, kw_only=True)
class PlacesOfTest:
    target: str
    cell: str | None
    rows: bool


def test_places_follow_the_folder_and_texts_stay_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(PlacesOfTest, "__module__", words.__name__)
    monkeypatch.setattr(words, "PlacesOfTest", PlacesOfTest, raising=False)
    defaults = {"cell": None, "rows": True}

    def read(*arguments):
        given = [str(tmp_path), *arguments]
        return read_words(given, PlacesOfTest, defaults, then=("target",))[1]

    assert read("7") == PlacesOfTest(target="7", cell=None, rows=True)
    assert read("x", "cell=0012").cell == "0012"
    assert read("x", "cell=1e5", "rows=false").cell == "1e5"
    assert read("x", "cell=null").cell is None
    usage = "cftrain words FOLDER TARGET [cell=null] [rows=true]"
    for wrong in ([], ["cell=x"], ["--x", "cell=x"]):
        with pytest.raises(ConfigError, match="expected target after it") as refused:
            read(*wrong)
        assert usage in str(refused.value)


def test_values_have_the_types_of_the_fields(tmp_path):
    arguments = [str(tmp_path), "sample=3", "tolerance=1e-6", "note=a=b"]
    _, options = read_words(arguments, WordsOfTest, DEFAULTS)
    assert options == WordsOfTest(sample=3, tolerance=1e-6, note="a=b")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "first, as in cftrain words FOLDER [sample=5] [tolerance=0.0]"),
        (
            ["sample=3"],
            "[tolerance=0.0] [note=none], got 'sample=3'",
        ),
        (["x", "y"], "got 'y'"),
        (["x", "--sample", "5"], "[sample=5] [tolerance=0.0] [note=none], got '--sam"),
        (["x", "--sample=5"], "got '--sample=5'"),
        (["x", "sample=0"], "sample: expected a whole number >= 1, got 0"),
        (["x", "sample=many"], "sample: expected a whole number >= 1, got 'many'"),
        (["x", "tolerance=nan"], "tolerance: expected a number >= 0, got nan"),
        (["x", "samples=5"], "did you mean 'sample'?"),
    ],
)
def test_a_wrong_word_is_a_mistake(arguments, said):
    with pytest.raises(ConfigError) as refused:
        read_words(arguments, WordsOfTest, DEFAULTS)
    assert said in str(refused.value)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ConfigError) as refused:
        read_words(["x", "sample=0", "tolerance=-1"], WordsOfTest, DEFAULTS)
    assert len(refused.value.mistakes) == 2


@pytest.mark.parametrize(
    "arguments",
    [("verify", "sample=0"), ("transfer", "rounds=0"), ("transfer", "rounds=1.5")],
)
def test_commands_check_the_ranges_of_their_words(tmp_path, arguments):
    command, word = arguments
    assert "expected a whole number >= 1" in call(command, str(tmp_path), word).message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "verify", "transfer"])
def test_a_folder_that_is_not_there_is_one_message_and_is_not_made(tmp_path, command):
    message = call(command, str(tmp_path / "nowhere")).message
    assert message == f"{tmp_path}/nowhere: expected a folder with results, got none"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "verify", "transfer"])
def test_help_tells_the_words(command):
    outcome = call(command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: cftrain {command} FOLDER")
