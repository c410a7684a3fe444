"""What every command that trains or evaluates does first and last."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch

from cftrain.data.dataset import Dataset
from cftrain.data.order import absence_warning, order_warning
from cftrain.errors import ConfigError, warn
from cftrain.grid.cells import Cell
from cftrain.grid.faults.attempts import forget, limits, marks
from cftrain.grid.plan import Costs
from cftrain.grid.task import Task
from cftrain.grid.tasks import (
    NOTHING,
    State,
    Wanted,
    interrupted,
    left,
    state_of,
    tasks,
)
from cftrain.results.store import Store
from cftrain.training.checkpoint import FOLDER, checkpoint_of, checkpoints
from cftrain.training.run import Run
from cftrain.training.stack import started


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be done in a folder: cells to train, cells to evaluate, in tasks."""

    untrained: Sequence[Cell]
    lacking: Sequence[Wanted]
    tasks: Sequence[Task]


def plan_work(
    wanted: Sequence[Wanted],
    store: Store,
    *,
    overwrite: bool,
    retry: bool,
    most: int | None,
    workers: int,
    evaluate_again: bool = False,
    train: bool = True,
) -> Work:
    """What is left of some cells and their protocols. Raises ResultError, DataError.

    With `overwrite` it is all of them, from the first epoch on; with `evaluate_again`
    all evaluations. Without `train`, models whose weights are gone are not trained: to
    evaluate them fails.
    """
    state: State = NOTHING if overwrite else state_of(store)
    if not train:
        state = replace(state, gone=())
    _warn_of_gone(wanted, state, store)
    if evaluate_again:
        state = replace(state, evaluated={}, unevaluated={})
    untrained, lacking = left(wanted, state, retry=retry)
    loaded = _loaded([*(each.cell for each in lacking), *untrained])
    if untrained:
        _check_models(untrained, loaded)
        _warn_of_order(loaded.values())
    costs = Costs(
        features={name: data.feature_count for name, (_, data) in loaded.items()},
        protocols={each.cell.id: list(each.protocols.values()) for each in lacking},
    )
    going_on = {} if overwrite else interrupted(store, untrained)
    made = tasks(
        untrained,
        lacking,
        costs,
        interrupted=going_on,
        most=most,
        workers=workers,
        limits=limits(marks(store.folder)),
    )
    return Work(untrained=untrained, lacking=lacking, tasks=made)


def forget_interrupted(work: Work, store: Store) -> None:
    """Remove the checkpoints of stacks that are to start with their first epoch."""
    for task in work.tasks:
        ids = [cell.id for cell in task.train]
        for stack in (task.id, *task.wider):
            checkpoint_of(store.folder, stack, ids).remove()


def remove_checkpoints(store: Store) -> None:
    """Remove the checkpoints of cells that are settled, and marks of dead attempts."""
    forget(store.folder)
    settled = set(store.cells()["cell"])
    for checkpoint in checkpoints(store.folder):
        if settled >= set(checkpoint.cells):
            checkpoint.remove()
    with suppress(OSError):  # it holds other checkpoints, or never was there
        (store.folder / FOLDER).rmdir()


def failures(cells: Sequence[Wanted], store: Store) -> Mapping[str, str]:
    """Cells that could not be trained, or not be evaluated, and why."""
    state = state_of(store)
    lost = {}
    for each in cells:
        name = each.cell.id
        reasons = [state.unevaluated.get((name, by)) for by in each.protocols]
        reason = next(filter(None, [state.failed.get(name), *reasons]), None)
        if reason is not None:
            lost[name] = reason
    return lost


def choose_device(name: str) -> torch.device:
    """The device of that name. Raises ConfigError if it is not here."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device: expected a machine with CUDA and a torch built for it, got "
            f"torch {torch.__version__} without a usable device; use device=cpu"
        )
    return torch.device(name)


def _loaded(cells: Iterable[Cell]) -> dict[str, tuple[Run, Dataset]]:
    """Every dataset that is needed, by its name, with a run on it."""
    runs = {cell.run.data.name: cell.run for cell in cells}
    return {name: (run, run.data.load()) for name, run in runs.items()}


def _check_models(
    cells: Iterable[Cell], loaded: Mapping[str, tuple[Run, Dataset]]
) -> None:
    """Build one of each kind: one that does not fit its data is a mistake of the whole.

    Raises ConfigError, ModelError or ArgumentError.
    """
    different = {
        (cell.run.data.name, repr((cell.run.model, cell.run.init_from))): cell.run
        for cell in cells
    }
    for (data, _), run in different.items():
        started([run], loaded[data][1])


def _warn_of_gone(wanted: Sequence[Wanted], state: State, store: Store) -> None:
    """Tell of models whose weights are gone, which costs their training."""
    count = len({each.cell.id for each in wanted}.intersection(state.gone))
    if count:
        warn(
            f"{store.folder}: the weights of {count} cells are missing; they are "
            "trained again"
        )


def _warn_of_order(data: Iterable[tuple[Run, Dataset]]) -> None:
    """Tell of data whose batches, or whose test part, would hold few classes."""
    for run, dataset in data:
        told = [absence_warning(dataset)]
        if run.schedule.shuffle == "none":
            told.append(order_warning(dataset, run.schedule.batch_rows))
        for warning in filter(None, told):
            warn(warning)
