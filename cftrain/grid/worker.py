"""Do a task: train its stack, evaluate its cells, and write what came of both."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from cftrain.cores import in_use
from cftrain.data.dataset import Dataset, check_identity
from cftrain.errors import DataError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, protocol_id, stack_id
from cftrain.grid.faults.attempts import marked
from cftrain.grid.faults.causes import (
    FilesError,
    is_of_files,
    is_of_the_machine,
    lacks_memory,
    reason_of,
)
from cftrain.grid.measured import (
    OnPart,
    evaluation_id,
    measure,
    write_evaluation,
    write_failed_evaluation,
)
from cftrain.grid.plan import dealt
from cftrain.grid.records import TrainedStack, write_failure, write_training
from cftrain.grid.task import Task
from cftrain.results.store import Store, done
from cftrain.training.checkpoint import Checkpoint, checkpoint_of
from cftrain.training.history import EpochRecord
from cftrain.training.stack import train
from cftrain.training.trainer import OnEpoch
from cftrain.training.watching.logger import Logger
from cftrain.training.watching.watching import watched

THREADS = 1
"""Of one operation: two threads on small work cost up to 100 times as much as one when
cores are busy. Those of a workplace take operations of their own.
"""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where a task is done and by how many threads of a process, where its results go,
    and who watches how it goes.
    """

    folder: Path
    name: str
    device: str
    logger: Logger | None = None
    threads: int = 1

    @property
    def store(self) -> Store:
        return Store(self.folder)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many cells of a task are done, and why the others are not."""

    done: int
    failed: dict[str, str]


class Data:
    """The datasets of some tasks, each read once and checked for its first cells."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._read: dict[str, Dataset] = {}

    def of(self, cells: Sequence[Cell]) -> Dataset:
        """Raises FilesError if it is not what the cells were planned with."""
        expected = cells[0].data
        if expected not in self._read:
            try:
                dataset = cells[0].run.data.load()
                check_identity(dataset, expected)
            except DataError as error:
                raise FilesError(str(error)) from error
            self._read[expected] = dataset.to(self._device)
        return self._read[expected]


def perform(
    task: Task,
    place: Workplace,
    on_epoch: OnEpoch = lambda epoch, record: None,
    on_part: OnPart = lambda done, total: None,
    data: Data | None = None,
) -> Outcome:
    """Train what the task asks for, then evaluate it, on data read before or now.

    If that fails, each cell is tried alone, to find the culprit; a failed evaluation
    leaves the training as it is, and an older evaluation too. Where memory does not
    suffice, the cells are halved. Raises ResultError, or what the system raised, if
    nothing can be read or written: then no failure is noted.
    """
    torch.set_num_threads(THREADS)
    data = data or Data(place.device)
    begun = [*task.wider]

    def train_stack(cells: Sequence[Cell]) -> dict[str, str]:
        stack = stack_id(cell.id for cell in cells)
        wider = list(reversed(begun))
        begun.append(stack)
        return _train(cells, data, place, on_epoch, wider)

    def note_training(cell: Cell, reason: str) -> None:
        if cell.id not in done(place.store.cells()):  # its weights are still there
            write_failure(cell, stack_id([cell.id]), reason, place.store, place.name)

    with in_use(place.threads):
        untrained = _all_or_parts(task.train, train_stack, note_training)
        failures = dict(untrained)
        for protocol, wanted in task.evaluate:
            trained = [cell for cell in wanted if cell.id not in untrained]
            failures |= _evaluated(trained, protocol, data, place, on_part)
    return Outcome(done=len(task.cells) - len(failures), failed=failures)


def _all_or_parts(
    cells: Sequence[Cell],
    work: Callable[[Sequence[Cell]], dict[str, str]],
    note: Callable[[Cell, str], None],
) -> dict[str, str]:
    """Work on all cells at once, or else in halves or one by one; who failed, and why.

    Only what a cell does by itself is noted. What the machine does is raised, but for
    a cell that has not enough memory alone: the others may have.
    """
    if not cells:
        return {}
    try:
        return work(cells)
    except Exception as error:  # whatever it is belongs to this stack, not to the grid
        reason, memory = reason_of(error), lacks_memory(error)
        if is_of_the_machine(error) and not memory:
            raise
        noted = not memory and not is_of_files(error)
    # By now the memory of what has failed is free: the error is gone with its frames.
    if len(cells) > 1:
        found = [
            _all_or_parts(part, work, note)
            for part in dealt(cells, 2 if memory else len(cells))
        ]
        return {name: why for part in found for name, why in part.items()}
    (cell,) = cells
    if memory:
        reason = f"not enough memory for this cell alone ({reason})"
    if noted:
        note(cell, reason)
    return {cell.id: reason}


def _train(
    cells: Sequence[Cell],
    data: Data,
    place: Workplace,
    on_epoch: OnEpoch,
    wider: Sequence[str],
) -> dict[str, str]:
    """Train a stack and write it; the cells that diverged, and how."""
    ids = [cell.id for cell in cells]
    stack = stack_id(ids)
    dataset = data.of(cells)
    checkpoint = checkpoint_of(place.folder, stack, ids, wider)
    with marked(
        place.folder,
        stack,
        cells,
        process=os.getpid(),
        epochs=checkpoint.epochs,
    ):
        diverged = _trained(cells, stack, dataset, checkpoint, place, on_epoch)
    checkpoint.remove()
    return diverged


def _trained(
    cells: Sequence[Cell],
    stack: str,
    dataset: Dataset,
    checkpoint: Checkpoint,
    place: Workplace,
    on_epoch: OnEpoch,
) -> dict[str, str]:
    start = time.perf_counter()
    runs = [(cell.id, cell.run) for cell in cells]
    with watched(place.logger, runs, place.folder) as tell:

        def on_both(epoch: int, record: EpochRecord) -> None:
            tell(epoch, record)
            on_epoch(epoch, record)

        trained = train(
            [cell.run for cell in cells],
            dataset,
            device=torch.device(place.device),
            checkpoint=checkpoint,
            on_epoch=on_both,
        )
    result = TrainedStack(
        stack=stack,
        cells=cells,
        dataset=dataset,
        trained=trained,
        seconds=time.perf_counter() - start,
    )
    return write_training(result, place.store, name=place.name)


def _evaluated(
    cells: Sequence[Cell],
    protocol: Protocol,
    data: Data,
    place: Workplace,
    on_part: OnPart,
) -> dict[str, str]:
    """Evaluate trained cells and write it; those for which it failed, and why."""

    def evaluate_stack(cells: Sequence[Cell]) -> dict[str, str]:
        stack = evaluation_id(cells, protocol)
        process = os.getpid()
        with marked(place.folder, stack, cells, process=process, epochs=None):
            found = measure(
                cells, protocol, data.of(cells), place.store, on_part=on_part
            )
            write_evaluation(found, place.store)
        return {}

    def note_evaluation(cell: Cell, reason: str) -> None:
        found = place.store.evaluations()
        found = found[found["protocol"] == protocol_id(protocol)]
        if cell.id not in done(found):  # its numbers are still true
            stack = evaluation_id([cell], protocol)
            write_failed_evaluation(cell, stack, protocol, reason, place.store)

    return _all_or_parts(cells, evaluate_stack, note_evaluation)
