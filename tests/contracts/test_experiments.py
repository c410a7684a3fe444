"""Every file of the configuration composes and reads; every experiment runs."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from cftrain.commands.command_line import options
from cftrain.commands.command_line.options import Options
from cftrain.commands.evaluate import EvaluateOptions
from cftrain.commands.explain_options import ExplainOptions
from cftrain.commands.figure import FigureOptions
from cftrain.commands.grid import GridOptions
from cftrain.commands.tables import TablesOptions
from cftrain.config import tree
from cftrain.config.build import build_object
from cftrain.data import images, sources
from cftrain.data.tables.tabular import Tabular
from tests.console import TINY, call, compose, files, read, run_of
from tests.contracts.configured import NEEDED

FOLDER = tree.folder()
ROOTS = {"run": Options, "grid": GridOptions, "figure": FigureOptions}
"""What a file at the top of the tree describes besides a run."""

WITHOUT_RUN = {
    "tables": TablesOptions,
    "evaluate": EvaluateOptions,
    "explain": ExplainOptions,
}
"""Files at the top that describe no run."""

OPTIONS = sorted(
    str(path.relative_to(FOLDER).with_suffix(""))
    for path in FOLDER.rglob("*.yaml")
    if path.parent != FOLDER
)
EXPERIMENTS = [name for name in OPTIONS if name.startswith("experiment/")]
GRIDS = [name for name in OPTIONS if name.startswith("grid/")]
TABLES = [name for name in OPTIONS if name.startswith("table/")]
OWN = ["data/images", "data/table", "declaration/file"]
"""Nothing without files of the user's: test_own_table.py and test_own_images.py of
tests/commands have them.
"""

SHARED = ["compare/shared/stack", "objective/terms/published"]
"""Parts of other options, which are none themselves."""

OTHERS = (*EXPERIMENTS, *GRIDS, *TABLES, *OWN, *SHARED)
GROUPS = [name for name in OPTIONS if name not in OTHERS]

ENOUGH_ROWS = "data.training_rows=50000"
"""For schedules that ask for many counterfactuals."""

FEW_ROWS = (
    "data.training_rows=200",
    "data.validation_rows=50",
    "schedule.batch_rows=100",
)


EMBEDDED_DIGITS = cache(images.embedded_digits)
"""Read once: they are a text file of 10 MB."""


def choice(name: str) -> str:
    group, _, option = name.rpartition("/")
    return f"{'+' if group == 'experiment' else ''}{group}={option}"


def needs_tables(name: str) -> bool:
    """Whether an experiment's data is neither generated nor carried by a package."""
    data = yaml.safe_load((FOLDER / "data" / f"{data_of(name)}.yaml").read_text())
    return data["_target_"] == f"{Tabular.__module__}.{Tabular.__qualname__}"


def data_of(name: str) -> str:
    """The data of an experiment, or of the one that it builds on."""
    for entry in yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["defaults"]:
        if isinstance(entry, str) and entry != "_self_":
            return data_of(f"experiment/{entry}")
        if isinstance(entry, dict) and "override /data" in entry:
            return entry["override /data"]
    raise AssertionError(f"{name}: expected its data among the defaults")


def marked(name: str):
    marks = [pytest.mark.data] if needs_tables(name) else []
    return pytest.param(name, marks=marks)


def test_there_are_options_of_every_group():
    assert {name.split("/")[0] for name in GROUPS} >= {
        "compare",
        "data",
        "evaluation",
        "generator",
        "maturity",
        "model",
        "objective",
        "schedule",
        "search",
    }
    assert {"experiment/mnist", "experiment/moons"} <= set(EXPERIMENTS)


def test_every_root_reads():
    found = {path.stem for path in FOLDER.glob("*.yaml")}
    assert found == {*ROOTS, *WITHOUT_RUN}
    for root, settings in ROOTS.items():
        run, _ = options.read(compose(root=root), settings)
        assert run == run_of()
    values = tree.plain(compose(root="evaluate"))
    assert build_object(values, EvaluateOptions, "evaluate").evaluation == (
        read()[1].evaluation
    )


@pytest.mark.parametrize("name", GRIDS)
def test_every_grid_reads(name):
    _, settings = options.read(compose(choice(name), root="grid"), GridOptions)
    assert settings.grid.name == name.partition("/")[2]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_reads(name):
    values = tree.plain(compose(choice(name), root="tables"))
    settings = build_object(values, TablesOptions, "tables")
    assert settings.table.name == name.partition("/")[2]


@pytest.mark.parametrize("name", GROUPS)
def test_every_option_reads(name):
    needed = NEEDED.get(name.removeprefix("evaluation/"), ())
    words = ("compare=none",) if needed else ()
    run, settings = read(*needed, *words, choice(name), ENOUGH_ROWS)
    group, _, option = name.rpartition("/")
    first, *inner = group.split("/")
    part = {**vars(run), **vars(settings)}[first]
    for field in inner:
        part = getattr(part, field)
    assert (part is None) == (name in ("compare/none", "logger/none"))
    if group in ("data", "generator", "model", "objective"):
        assert part.name == option


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_reads_as_it_is(name):
    read(choice(name))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_says_no_more_than_it_changes(name):
    """Overrides of a whole node would hide values of the file they replace."""
    text = (FOLDER / f"{name}.yaml").read_text()
    assert text.startswith("# @package _global_\n")
    assert "_target_" not in text


@pytest.mark.parametrize("name", [marked(name) for name in EXPERIMENTS])
def test_every_experiment_runs(name, tmp_path, monkeypatch, request):
    root = None
    if needs_tables(name):
        root = str(request.getfixturevalue("data_root"))
    monkeypatch.setattr(sources, "fetch_openml", no_network)
    monkeypatch.setattr(images, "embedded_digits", EMBEDDED_DIGITS)
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "cache")
    outcome = call(
        "train",
        choice(name),
        *TINY,
        *FEW_ROWS,
        f"hydra.run.dir={tmp_path}/run",
        CFTRAIN_DATA=root,
    )
    assert outcome.code == 0, outcome.err
    assert "CT against BL" in outcome.out
    assert "Traceback" not in outcome.err
    written = {Path(name).parts[0] for name in files(tmp_path / "run")}
    tables = {"cells", "history", "evaluations", "individuals", "metrics", "protocols"}
    told = {"config.yaml", "overrides.yaml", "log.txt", ".lock"}
    assert written == {*tables, "weights", *told}


def no_network(*_: object, **__: object) -> None:
    raise sources.Unavailable("no network in tests")
