"""What the documents show exists: code runs, commands can be read, paths are there."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from cftrain.cli import CONFIGURED, PLAIN
from cftrain.commands import (
    data,
    explain_options,
    export,
    show,
    status,
    transfer,
    verify,
)
from cftrain.commands.command_line import options
from cftrain.commands.command_line.lines import overrides
from cftrain.commands.command_line.options import Options
from cftrain.commands.command_line.words import read_words
from cftrain.commands.evaluate import EvaluateOptions
from cftrain.commands.figure import FigureOptions
from cftrain.commands.grid import GridOptions
from cftrain.commands.tables import TablesOptions
from cftrain.config import tree
from cftrain.config.build import build_object
from cftrain.config.overrides import replacing_overrides
from cftrain.errors import ConfigError
from tests.console import TINY_MOONS, call
from tests.tutorial import make_tables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]

PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`(cftrain [^`]+)`(?!`)")
PROGRAM = re.compile(r"^(?:\$ )?(?:mpirun -n \d+ )?cftrain (.*)$")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
NAMED = re.compile(r"\b(?:cftrain|conf|docs|scripts|tests)/[\w/.-]+\.\w+")

ABBREVIATED = re.compile(r"\.\.\.|FOLDER|NAME|TABLE|\[overrides|-m |-sc |--config-dir")
"""Commands that are no whole ones, sweeps, and those that need files of the reader."""

NEW_CLASS = re.compile(r"elastic|Elastic|sparsity")
"""In commands with what the reader adds."""

TO_BE_MADE = {
    "cftrain/generators/elastic.py",
    "conf/generator/elastic.yaml",
    "conf/evaluation/generator/elastic.yaml",
    "tests/generators/test_elastic.py",
    "cftrain/evaluation/metrics/sparsity.py",
    "cftrain/models/quadratic.py",
    "conf/model/quadratic.yaml",
    "cftrain/data/spirals.py",
    "conf/data/spirals.yaml",
    "conf/table/redundancy.yaml",
}
"""Files that the reader adds."""


@dataclass(frozen=True)
class Command:
    """A command line, and whether the document shows how it fails."""

    page: str
    line: str
    fails: bool

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


def commands() -> Iterator[Command]:
    for page in PAGES:
        text = page.read_text()
        for block in SHELL.findall(text):
            lines = block.replace("\\\n", " ").splitlines()
            for line, answer in zip(lines, [*lines[1:], ""], strict=True):
                if found := PROGRAM.match(line):
                    fails = answer.startswith("cftrain: ")
                    yield Command(page.name, found[1].split("  #")[0].strip(), fails)
        for line in INLINE.findall(SHELL.sub("", text)):
            yield Command(page.name, " ".join(line.split()[1:]), fails=False)


COMMANDS = {
    each.line: each
    for each in commands()
    if " " in each.line
    and not ABBREVIATED.search(each.line)
    and not NEW_CLASS.search(each.line)
}


def understood(line: str) -> object:
    """Read a command as far as it can be without its data and results."""
    name, *words = shlex.split(line)
    if name not in PLAIN:
        return configured(name, words) if name in CONFIGURED else None
    if name == "data" and words[0] == "describe":
        return data.described(
            words[1], list(takewhile(lambda word: word != ">", words[2:]))
        )
    if name == "data":
        return words == ["list"] or data._spec(words[1], [])
    Path(words[0]).mkdir(parents=True, exist_ok=True)
    places = ("bundle",)
    return {
        "export": lambda: read_words(
            words, export.ExportOptions, export.DEFAULTS, then=places
        ),
        "show": lambda: read_words(words, show.ShowOptions, show.DEFAULTS),
        "status": lambda: read_words(words, status.StatusOptions, {}),
        "transfer": lambda: read_words(words, transfer.TransferOptions, {"rounds": 1}),
        "verify": lambda: read_words(words, verify.VerifyOptions, verify.DEFAULTS),
    }[name]()


def configured(name: str, words: list[str]) -> object:
    if any(word in ("--help", "--cfg", "--info") for word in words):
        return None
    given = replacing_overrides(overrides(name, words))
    with initialize_config_dir(str(tree.folder()), version_base="1.3"):
        config = compose(CONFIGURED[name], given)
    runs = {"train": Options, "grid": GridOptions, "figure": FigureOptions}
    if name in runs:
        return options.read(config, runs[name])
    values: dict[str, Any] = {"table": None, **tree.plain(config)}
    if name == "tables":
        return build_object(values, TablesOptions, name)
    del values["table"]
    if name == "explain":
        return explain_options.options_of(values)
    return build_object(values, EvaluateOptions, name)


def test_there_is_something_to_read():
    assert len(COMMANDS) > 50
    assert sum(command.fails for command in COMMANDS.values()) > 1
    pages = {command.page for command in COMMANDS.values()}
    assert {"results.md", "README.md", "reproduction.md"} <= pages


@pytest.fixture(scope="session")
def tables(tmp_path_factory) -> Path:
    """A folder with the tables of the tutorial, which other pages go on with."""
    here = tmp_path_factory.mktemp("tables")
    make_tables(here)
    return here


@pytest.mark.parametrize("command", COMMANDS.values(), ids=str)
def test_a_command_means_something(command, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    if ".csv" in command.line:
        for table in request.getfixturevalue("tables").glob("*.csv"):
            shutil.copy(table, tmp_path)
    if "data=images" in command.line:
        run_examples("your-own-data.md")
    if command.fails:
        with pytest.raises(Exception, match=r"expected|Could not override"):
            understood(command.line)
    else:
        understood(command.line)


def test_a_command_that_means_nothing_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        understood("train data=moons objective.ridge_weight=-1")
    with pytest.raises(ConfigError):
        understood("verify outputs/moons samples=5")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page):
    text = page.read_text()
    links = [target for target in LINK.findall(text) if not target.isspace()]
    assert [name for name in links if not (page.parent / name).exists()] == []
    files = set(NAMED.findall(text)) - TO_BE_MADE
    assert [name for name in sorted(files) if not (ROOT / name).exists()] == []


def test_files_that_the_reader_adds_are_new():
    assert [name for name in TO_BE_MADE if (ROOT / name).exists()] == []


def run_examples(page: str) -> None:
    """The Python blocks of a page, one after the other."""
    names: dict[str, object] = {}
    for code in PYTHON.findall((DOCS / page).read_text()):
        exec(compile(code, page, "exec"), names)
    assert names


@pytest.mark.usefixtures("unchecked")
def test_the_example_of_the_stack_axis_runs():
    run_examples("design.md")


@pytest.mark.usefixtures("unchecked")
def test_the_examples_of_results_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("train", *TINY_MOONS, "hydra.run.dir=outputs/moons").code == 0
    run_examples("results.md")


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_examples_in_python_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_examples("python.md")
    assert (tmp_path / "folder" / "MODEL_CARD.md").is_file()
    assert (tmp_path / "outputs" / "moons" / "cells").is_dir()
