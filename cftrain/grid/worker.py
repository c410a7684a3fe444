"""Do a task: train its stack, evaluate its cells, and write what came of both."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from cftrain.data.dataset import Dataset, check_identity
from cftrain.data.sources import cache
from cftrain.errors import CftrainError, ResultError, WeightsError
from cftrain.evaluation.evaluate import evaluate
from cftrain.evaluation.gallery import exhibits
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, pictures_id, protocol_id, stack_id
from cftrain.grid.measured import (
    EvaluatedStack,
    write_evaluation,
    write_failed_evaluation,
)
from cftrain.grid.records import TrainedStack, write_failure, write_training
from cftrain.grid.tasks import Task
from cftrain.results.store import Store, done
from cftrain.seeding import Stream
from cftrain.training.checkpoint import checkpoint_of
from cftrain.training.restore import restored
from cftrain.training.stack import train
from cftrain.training.trainer import OnEpoch

THREADS = 1
"""Two threads on small work cost up to 100 times as much as one when cores are busy."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where a task is done, and where its results go."""

    folder: Path
    name: str
    device: str

    @property
    def store(self) -> Store:
        return Store(self.folder)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many cells of a task are done, and why the others are not."""

    done: int
    failed: dict[str, str]


def perform(
    task: Task, place: Workplace, on_epoch: OnEpoch = lambda epoch, record: None
) -> Outcome:
    """Train what the task asks for, then evaluate it.

    If that fails, each cell is tried alone, to find the culprit; a failed evaluation
    leaves the training as it is, and an older evaluation too. Raises ResultError if
    results cannot be written: then no failure can be noted.
    """
    torch.set_num_threads(THREADS)
    data = _Data(place)

    def train_stack(cells: Sequence[Cell]) -> dict[str, str]:
        return _train(cells, data, place, on_epoch)

    def note_training(cell: Cell, reason: str) -> None:
        if cell.id not in done(place.store.cells()):  # its weights are still there
            write_failure(cell, stack_id([cell.id]), reason, place.store, place.name)

    untrained = _all_or_each(task.train, train_stack, note_training)
    failures = dict(untrained)
    for protocol, wanted in task.evaluate:
        trained = [cell for cell in wanted if cell.id not in untrained]
        failures |= _evaluated(trained, protocol, data, place)
    return Outcome(done=len(task.cells) - len(failures), failed=failures)


class _Data:
    """The dataset of the task's cells, read once and checked for each of them."""

    def __init__(self, place: Workplace) -> None:
        self._device = torch.device(place.device)
        self._read: dict[str, Dataset] = {}

    def of(self, cells: Sequence[Cell]) -> Dataset:
        """Raises DataError if it is not what the cells were planned with."""
        expected = cells[0].data
        if expected not in self._read:
            dataset = cells[0].run.data.load()
            check_identity(dataset, expected)
            self._read[expected] = dataset.to(self._device)
        return self._read[expected]


def _all_or_each(
    cells: Sequence[Cell],
    work: Callable[[Sequence[Cell]], dict[str, str]],
    note: Callable[[Cell, str], None],
) -> dict[str, str]:
    """Work on all cells at once, or else on one after the other; who failed, and why.

    What the machine does (no memory, no disk) is no failure of a cell and is raised.
    """
    if not cells:
        return {}
    try:
        return work(cells)
    except Exception as error:  # whatever it is belongs to this stack, not to the grid
        if _is_of_the_machine(error):
            raise
        if len(cells) > 1:
            failures: dict[str, str] = {}
            for cell in cells:
                failures |= _all_or_each([cell], work, note)
            return failures
        reason = _reason(error)
        note(cells[0], reason)
        return {cells[0].id: reason}


def _train(
    cells: Sequence[Cell], data: _Data, place: Workplace, on_epoch: OnEpoch
) -> dict[str, str]:
    """Train a stack and write it; the cells that diverged, and how."""
    ids = [cell.id for cell in cells]
    stack = stack_id(ids)
    dataset = data.of(cells)
    checkpoint = checkpoint_of(place.folder, stack, ids)
    start = time.perf_counter()
    trained = train(
        [cell.run for cell in cells],
        dataset,
        device=torch.device(place.device),
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
    result = TrainedStack(
        stack=stack,
        cells=cells,
        dataset=dataset,
        trained=trained,
        seconds=time.perf_counter() - start,
    )
    diverged = write_training(result, place.store, name=place.name)
    checkpoint.remove()
    return diverged


def _evaluated(
    cells: Sequence[Cell], protocol: Protocol, data: _Data, place: Workplace
) -> dict[str, str]:
    """Evaluate trained cells and write it; those for which it failed, and why."""

    def evaluate_stack(cells: Sequence[Cell]) -> dict[str, str]:
        write_evaluation(_measured(cells, protocol, data, place), place.store)
        return {}

    def note_evaluation(cell: Cell, reason: str) -> None:
        found = place.store.evaluations()
        found = found[found["protocol"] == protocol_id(protocol)]
        if cell.id not in done(found):  # its numbers are still true
            stack = _evaluation_id([cell], protocol)
            write_failed_evaluation(cell, stack, protocol, reason, place.store)

    return _all_or_each(cells, evaluate_stack, note_evaluation)


def _measured(
    cells: Sequence[Cell], protocol: Protocol, data: _Data, place: Workplace
) -> EvaluatedStack:
    """Evaluate stored weights: those of a moment ago are read back like any others."""
    start = time.perf_counter()
    dataset = data.of(cells)
    runs = [cell.run for cell in cells]
    models = restored(place.store, [cell.id for cell in cells], runs, dataset)
    fitted = protocol.fitted(dataset, cache())
    streams = [Stream(run.seed) for run in runs]
    found = evaluate(models.classifier, dataset, fitted, streams=streams)
    gallery = fitted.gallery
    return EvaluatedStack(
        stack=_evaluation_id(cells, protocol),
        cells=cells,
        dataset=dataset,
        protocol=protocol,
        evaluation=found,
        exhibits=exhibits(models.classifier, dataset, gallery) if gallery else (),
        seconds=time.perf_counter() - start,
    )


def _evaluation_id(cells: Sequence[Cell], protocol: Protocol) -> str:
    """The stack of an evaluation: another protocol or other pictures, another part."""
    ids = [cell.id for cell in cells]
    return stack_id(ids, protocol_id(protocol), pictures_id(protocol))


def _is_of_the_machine(error: Exception) -> bool:
    """Whether no cell is to blame: the disk or the memory is full, say."""
    if isinstance(error, WeightsError):
        return False
    return isinstance(error, ResultError | OSError | MemoryError)


def _reason(error: Exception) -> str:
    if isinstance(error, CftrainError):
        return str(error)
    return f"{type(error).__name__}: {error}"
