"""A model that is trained on a frame, by the code that trains on a file of its rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import DictConfig, open_dict

from cftrain.api.composing import with_configuration
from cftrain.api.frames import write_frame
from cftrain.api.given import Network, with_network
from cftrain.api.training import threads_kept
from cftrain.bundle.writing import Contents, contents
from cftrain.commands.command_line.budgeted import chosen, tried
from cftrain.commands.command_line.lines import quoted
from cftrain.commands.command_line.options import read_trained
from cftrain.commands.command_line.own_data import declared
from cftrain.config.tree import literal
from cftrain.data.tables.guessing.guess import GuessedTable
from cftrain.data.tables.guessing.told import told
from cftrain.errors import ConfigError, DataError, ResultError
from cftrain.grid.cells import cell
from cftrain.grid.coordinate import choose_device
from cftrain.grid.task import Task
from cftrain.grid.worker import Workplace, perform
from cftrain.results.budget.table import load_budgets
from cftrain.results.store import Store
from cftrain.training.stack import started

DEVICES = ("cpu", "cuda")
FILE = "frame.parquet"
PARTS = ("data.test_share=0", "data.least_rows=2", "data.least_class_rows=1")
"""All rows are for training and validation: who has called knows about tests."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is said of a training: `words` of `cftrain train data=table`, `table`, keys
    of that data set with their values, and `network` where the model is none of ours.
    """

    label: str
    words: Sequence[str]
    table: Mapping[str, Any]
    network: Network | None
    device: str


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What came of it: the model, a row for each epoch, what the columns were taken
    for, and a row for each strength that a budget tried.
    """

    content: Contents
    history: pd.DataFrame
    told: str
    budget: pd.DataFrame | None


def fit(frame: pd.DataFrame, wishes: Wishes) -> Fit:
    """Returns a model of a frame, one of whose columns is the label.

    Raises DataError, ConfigError, ModelError and ArgumentError, and ResultError for a
    model that diverged.
    """
    if wishes.device not in DEVICES:
        raise ConfigError(f"device: expected cpu or cuda, got {wishes.device!r}")
    choose_device(wishes.device)
    with TemporaryDirectory(prefix="cftrain-") as folder, threads_kept():
        path = Path(folder) / FILE
        write_frame(frame, path)
        with _nameless(path):
            return _fit(path, wishes)


def _fit(path: Path, wishes: Wishes) -> Fit:
    guesses: list[GuessedTable] = []

    def finished(config: DictConfig) -> DictConfig:
        with open_dict(config):
            config.data.update(literal(_plain(wishes.table)))
        return declared(with_network(config, wishes.network), guesses.append)

    words = [
        "data=table",
        f"data.path={quoted(str(path))}",
        f"data.label={quoted(wishes.label)}",
        f"hydra.run.dir={quoted(str(path.parent))}",
        *PARTS,
        *wishes.words,
    ]
    run, options = with_configuration("run", words, read_trained, finished)
    # What is wrong with them is an error of the caller, told as such.
    started([run], run.data.load())
    budget = options.budget.active
    cells = tried(run, options) if budget else [cell(run, run.data.identity())]
    place = Workplace(folder=path.parent, name=run.data.name, device=wishes.device)
    done = perform(Task(train=tuple(cells), evaluate=(), seconds=0.0), place)
    if cells[0].id in done.failed:
        raise ResultError(done.failed[cells[0].id])
    store = Store(path.parent)
    model = chosen(cells, options, store)[0] if budget else cells[0]
    trained = store.cells()
    history = store.rows("history", trained[trained["cell"] == model.id])
    return Fit(
        content=contents(store, model.id),
        history=history.drop(columns=["cell", "stack"]),
        told=_without(path, told(guesses[-1])),
        budget=load_budgets(store.folder) if budget else None,
    )


@contextmanager
def _nameless(path: Path) -> Iterator[None]:
    """Speaks of the table where a message names its file, which nobody knows of."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(_without(path, str(error))) from error


def _without(path: Path, text: str) -> str:
    return text.replace(f"{path}, row", "row").replace(str(path), "the table")


def _plain(value: Any) -> Any:
    """Values as a configuration has them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray | pd.Index):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
