"""What the documents show exists: code runs, commands can be read, paths are there."""

import math
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir

from cftrain.cli import CONFIGURED, PLAIN
from cftrain.commands import (
    best,
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
from cftrain.counterfactuals.generator import Progress
from cftrain.counterfactuals.space import FeatureSpace
from cftrain.errors import ConfigError
from cftrain.seeding import Stream
from tests.console import TINY_MOONS, call
from tests.tutorial import make_tables, not_printed

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

ALONE = (
    "concepts/constraints.md",
    "concepts/counterfactuals.md",
    "concepts/objective.md",
    "concepts/uncertainty.md",
    "design.md",
)
"""Pages whose Python needs nothing that was made before."""

READ = {"toml": tomllib.loads, "yaml": yaml.safe_load}
"""Files of configuration, which can be read."""

RUN = (
    *ALONE,
    "README.md",
    "extending.md",
    "grids.md",
    "python.md",
    "results.md",
    "your-own-images.md",
)
"""Pages whose Python is run by a test."""

PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(
    r"^(?P<mark><!-- not run: .+ -->\n+)?```(?P<kind>\w+)\n(?P<code>.*?)^```$",
    re.M | re.S,
)
INLINE = re.compile(r"(?<!`)`(cftrain [^`]+)`(?!`)")
PROGRAM = re.compile(r"^(?:\$ )?(?:mpirun -n \d+ )?cftrain (.*)$")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
NAMED = re.compile(r"\b(?:cftrain|conf|docs|scripts|tests)/[\w/.-]+\.\w+")

ABBREVIATED = re.compile(r"\.\.\.|FOLDER|NAME|TABLE|\[overrides|-m |-sc |--config-dir")
"""Commands that are no whole ones, sweeps, and those that need files of the reader."""

NEW_CLASS = re.compile(r"elastic|nearest|spirals|--plugins")
"""In commands with what a plug-in brings; tests/test_plugin_template.py runs these."""

TO_BE_MADE = {
    "conf/data/spirals.yaml",
    "conf/evaluation/generator/elastic.yaml",
    "conf/generator/elastic.yaml",
    "conf/metric/nearest.yaml",
    "tests/generators/test_elastic.py",
    "cftrain/models/quadratic.py",
    "conf/model/quadratic.yaml",
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


def named(page: Path) -> str:
    """A page by its path from docs/, or by its name beside it."""
    return str(page.relative_to(DOCS)) if DOCS in page.parents else page.name


def commands() -> Iterator[Command]:
    for page in PAGES:
        text = page.read_text()
        for block in SHELL.findall(text):
            lines = block.replace("\\\n", " ").splitlines()
            for line, answer in zip(lines, [*lines[1:], ""], strict=True):
                if found := PROGRAM.match(line):
                    fails = answer.startswith("cftrain: ")
                    yield Command(named(page), found[1].split("  #")[0].strip(), fails)
        for line in INLINE.findall(SHELL.sub("", text)):
            yield Command(named(page), " ".join(line.split()[1:]), fails=False)


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
        "best": lambda: read_words(words, best.BestOptions, best.DEFAULTS),
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
        run_examples("your-own-images.md")
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


@pytest.mark.parametrize("page", PAGES, ids=named)
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
    scope: dict[str, object] = {}
    for code in PYTHON.findall((DOCS / page).read_text()):
        exec(compile(code, page, "exec"), scope)
    assert scope


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("page", ALONE)
def test_the_examples_of_a_page_run(page):
    run_examples(page)


@pytest.mark.usefixtures("unchecked")
def test_the_examples_of_results_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("train", *TINY_MOONS, "hydra.run.dir=outputs/moons").code == 0
    run_examples("results.md")


@pytest.mark.usefixtures("unchecked")
def test_the_example_of_grids_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [word for word in TINY_MOONS if not word.startswith("search.max_steps")]
    words += ["grid.axes={search.max_steps: [2, 3]}", "hydra.run.dir=outputs/steps"]
    assert call("grid", *words, "workers=1").code == 0
    run_examples("grids.md")


NEIGHBOURS = {
    "Nearest": (
        "cftrain.config.ranges",
        "cftrain.evaluation.individuals",
        "cftrain.evaluation.metrics.redundancy",
    ),
    "Quadratic": (
        "cftrain.tensors",
        "cftrain.evaluation.metrics.redundancy",
        "cftrain.models.layers",
        "cftrain.models.mlp",
    ),
}
"""Whose imports serve what is shown without its own."""


@pytest.mark.usefixtures("registry", "unchecked")
def test_the_classes_of_extending_are_what_they_say():
    made: dict[str, Any] = {}
    for code in PYTHON.findall((DOCS / "extending.md").read_text(encoding="utf-8")):
        package = "my_package" if "my_package:" in code else "cftrain"
        scope: dict[str, Any] = {}
        for cls, modules in NEIGHBOURS.items():
            for module in modules if f"class {cls}" in code else ():
                scope |= vars(import_module(module))
        scope["__name__"] = f"{package}.made"
        exec(compile(code, "extending.md", "exec"), scope)
        made |= scope
    elastic = made["Elastic"](
        name="elastic", distance_weight=0.1, square_weight=0.1, space=FeatureSpace()
    )
    logits, rows = torch.zeros(1, 2, 2), torch.ones(1, 2, 3)
    progress = Progress(step=0, max_steps=5)
    target = torch.ones(1, 2, dtype=torch.int64)
    lost = elastic.loss(logits, target, rows, 0 * rows, progress=progress)
    torch.testing.assert_close(
        lost, torch.full((1, 2), math.log(2) + 0.1 * 3 + 0.1 * 3)
    )
    model = made["Quadratic"](name="quadratic").build(
        features=3, classes=2, streams=[Stream(1)]
    )
    assert model(rows).shape == (1, 2, 2)
    drawn = made["Spirals"].draw(
        SimpleNamespace(turns=1.0, noise=0.0),
        torch.tensor([0, 1]),
        torch.Generator().manual_seed(1),
    )
    assert (drawn.norm(dim=1) <= 1).all()
    assert made["Nearest"](neighbours=1).unit == "L1"


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_example_of_the_readme_prints_what_it_shows(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```\s+```text\n(.*?)```", text, re.DOTALL)
    assert found is not None
    exec(compile(found[1], "README.md", "exec"), {})
    assert not_printed(found[2].splitlines(), capsys.readouterr().out) == []


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_examples_in_python_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_examples("python.md")
    assert (tmp_path / "folder" / "MODEL_CARD.md").is_file()
    assert (tmp_path / "outputs" / "moons" / "cells").is_dir()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_is_not_run_says_why(page):
    """Python runs in a test of its page, commands are read, YAML can be read."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind, code = block["kind"], block["code"]
        if block["mark"] or kind in ("console", "sh"):
            continue
        if kind in READ:
            assert READ[kind](code)
        elif kind == "text":
            assert not code.startswith(("cftrain ", "import ")), code
        else:
            assert kind == "python", f"{kind}:\n{code}"
            assert named(page) in RUN, code
