"""Every file of the configuration composes and reads; every experiment runs."""

from pathlib import Path

import pytest

from cftrain import config
from cftrain.data import sources
from cftrain.data.tabular import Table
from tests.console import TINY, call, files, read, run_of

FOLDER = config.folder()
OPTIONS = sorted(
    str(path.relative_to(FOLDER).with_suffix(""))
    for path in FOLDER.rglob("*.yaml")
    if path.parent != FOLDER
)
EXPERIMENTS = [name for name in OPTIONS if name.startswith("experiment/")]
GROUPS = [name for name in OPTIONS if name not in EXPERIMENTS]

ENOUGH_ROWS = "data.training_rows=50000"
"""For schedules that ask for many counterfactuals."""

FEW_ROWS = (
    "data.training_rows=200",
    "data.validation_rows=50",
    "schedule.batch_rows=100",
)


def choice(name: str) -> str:
    group, _, option = name.rpartition("/")
    return f"{'+' if group == 'experiment' else ''}{group}={option}"


def needs_tables(name: str) -> bool:
    """Whether a data set is neither generated nor carried by a package."""
    return isinstance(run_of(choice(name)).data, Table)


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


@pytest.mark.parametrize("name", GROUPS)
def test_every_option_reads(name):
    run, settings = read(choice(name), ENOUGH_ROWS)
    group, _, option = name.rpartition("/")
    part = {**vars(run), **vars(settings)}[group]
    assert (part is None) == (name == "compare/none")
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
    assert "CT against baseline" in outcome.out
    assert "Traceback" not in outcome.err
    written = {Path(name).parts[0] for name in files(tmp_path / "run")}
    assert written == {"cells", "history", "metrics", "weights", "config.yaml"}


def no_network(*_: object, **__: object) -> None:
    raise sources.Unavailable("no network in tests")
