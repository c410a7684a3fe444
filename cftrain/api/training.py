"""`cftrain train` from Python: the same work, with what came of it as a value."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from torch import Tensor, nn

from cftrain.api.composing import checked, with_configuration
from cftrain.api.given import Network, weights_file, with_network
from cftrain.api.results import Results, of_cells, of_collection
from cftrain.commands.command_line.lines import quoted
from cftrain.commands.command_line.own_data import declared
from cftrain.commands.command_line.recording import recording
from cftrain.commands.train import Finished
from cftrain.commands.train import train as carried_out
from cftrain.config.tree import literal
from cftrain.errors import ResultError
from cftrain.results.budget.table import load_budgets
from cftrain.results.log import Log
from cftrain.results.store import Store
from cftrain.results.weights import read_weights
from cftrain.summary.budget import budget_of
from cftrain.summary.reading.collection import collected


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What a training left in its folder.

    `model` is the id of the trained model, `baseline` that of its twin, which differs
    in its objective only (None with `compare=none`, and where a budget kept the
    baseline itself). `results` are of these two, by the protocol that was asked for;
    `budget` has a row for each strength that a budget tried (None without one).
    """

    folder: Path
    model: str
    baseline: str | None
    results: Results
    budget: pd.DataFrame | None = None

    @property
    def metrics(self) -> pd.DataFrame:
        """Returns what was measured on both; see `Results.metrics`."""
        return self.results.metrics

    @property
    def history(self) -> pd.DataFrame:
        """Returns how both trainings went; see `Results.history`."""
        return self.results.history

    @cached_property
    def weights(self) -> Mapping[str, Tensor]:
        """Returns the model's parameters by their names, on the CPU. Raises
        WeightsError if their file is no longer there.
        """
        return read_weights(self.folder, self.model)[0]


def train(
    overrides: Sequence[str] = (),
    *,
    folder: str | Path | None = None,
    model: Network | None = None,
    init_from: str | Path | nn.Module | None = None,
) -> TrainedRun:
    """Returns a model and its baseline, trained and evaluated as `cftrain train` does.

    `overrides` are the words of that command, such as "+experiment=moons" or "seed=3";
    `cftrain train --help` lists what there is. Results go to `folder`, or to
    outputs/<name> below the current one. What is there already is not repeated. How far
    it is goes to standard error.

    `model` is a network of yours in the place of an option of that name: a class of
    torch modules from (row, ...) to logits (row, class), or a function that makes some,
    by its name at the top of a module; `functools.partial(MyNet, width=64)` says what
    it is made with. What it has to be, and `row_shape`, `features` and `classes`, is in
    docs/python.md. `init_from` are weights to start from: those of a network, or a file
    or folder as the command takes it; the network stays as it is.

    Raises ConfigError for overrides that mean nothing, ArgumentError and ModelError for
    networks that cannot be trained, DataError for data that cannot be had, StackError
    and ResultError for what cannot be trained or stored, and ResultError for a model
    that diverged.

    >>> import cftrain
    >>> run = cftrain.train(
    ...     ["+experiment=moons", "seed=3", "schedule.epochs=2", "evaluation=quick"]
    ... )
    >>> run.folder.name
    'moons'
    >>> run.history.groupby("objective").epoch.max().to_dict()
    {'full': 2, 'vanilla': 2}
    >>> sorted(run.weights)
    ['0.bias', '0.weight', '2.bias', '2.weight']
    """
    place = [] if folder is None else [f"hydra.run.dir={quoted(str(folder))}"]
    with threads_kept(), redirect_stdout(sys.stderr):
        finished = with_configuration(
            "run",
            [*checked(overrides), *place],
            lambda config: _finished(config, init_from),
            lambda config: declared(with_network(config, model)),
        )
    failed = {**finished.noted, **finished.lost}
    if failed:
        told = "; ".join(f"cell {cell}: {reason}" for cell, reason in failed.items())
        raise ResultError(f"{finished.store.folder}: failed: {told}")
    folder = finished.store.folder
    found = of_cells(collected([folder], folder), finished.cells, finished.protocol)
    trained, *twin = finished.cells
    curve = budget_of(load_budgets(folder), finished.cells)
    return TrainedRun(
        folder=folder,
        model=trained,
        baseline=twin[0] if twin else None,
        results=of_collection(found),
        budget=curve if len(curve) else None,
    )


def _finished(config: DictConfig, init_from: str | Path | nn.Module | None) -> Finished:
    store = Store(Path(HydraConfig.get().runtime.output_dir))
    if isinstance(init_from, nn.Module):
        init_from = weights_file(init_from, store.folder)
    if init_from is not None:
        config.init_from = literal(str(init_from))
    with recording(Log(store.folder)) as said:
        return carried_out(config, store, said)


@contextmanager
def threads_kept() -> Iterator[None]:
    """Puts torch back to as many threads as it had: our work is done with one."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
