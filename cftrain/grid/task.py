"""A portion of work for one worker, and the parts it may be done in."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, protocol_id, stack_id
from cftrain.grid.faults.attempts import limit_of
from cftrain.grid.plan import dealt
from cftrain.results.store import Store, failed


@dataclass(frozen=True, kw_only=True)
class Task:
    """Cells to train as one stack, none if all are trained already, and what they are
    evaluated by afterwards. Sent to a worker as it is.
    """

    train: tuple[Cell, ...]
    evaluate: tuple[tuple[Protocol, tuple[Cell, ...]], ...]
    seconds: float
    wider: tuple[str, ...] = ()
    """Stacks whose checkpoints have a beginning of this training, the best first."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells that the task is about, each once."""
        every = [*self.train, *(cell for _, cells in self.evaluate for cell in cells)]
        return tuple({cell.id: cell for cell in every}.values())

    @property
    def id(self) -> str:
        return stack_id(cell.id for cell in self.train or self.cells)


def narrowed(task: Task, limits: Mapping[str, int]) -> list[Task]:
    """A task in parts of so few cells as the limits of their kinds allow."""
    cells = task.cells
    count = -(-len(cells) // max(1, limit_of(cells, limits)))
    if count <= 1:
        return [task]
    wider = (task.id, *task.wider) if task.train else ()
    return [
        replace(_only(task, members), seconds=task.seconds / count, wider=wider)
        for members in dealt(cells, count)
    ]


def remaining(tasks: Iterable[Task], store: Store, since: datetime) -> list[Task]:
    """What is left of tasks of which some parts have been done since a moment."""
    cells = store.cells()
    evaluations = store.evaluations(cells=cells)
    settled = set(cells["cell"][cells["created"] >= since])
    new = evaluations[evaluations["created"] >= since]
    measured = set(zip(new["cell"], new["protocol"], strict=True))
    lost = settled & set(failed(cells))
    found = []
    for task in tasks:
        left_over = replace(
            task,
            train=tuple(cell for cell in task.train if cell.id not in settled),
            evaluate=_chosen(
                task,
                lambda cell, protocol: (
                    cell.id not in lost
                    and (cell.id, protocol_id(protocol)) not in measured
                ),
            ),
        )
        if left_over.train != task.train:
            left_over = replace(left_over, wider=(task.id, *task.wider))
        if left_over.cells:
            found.append(left_over)
    return found


def without(task: Task, cells: Collection[str]) -> list[Task]:
    """The task without some cells; none if it has no others."""
    kept = _only(task, [cell for cell in task.cells if cell.id not in cells])
    return [kept] if kept.cells else []


def _only(task: Task, cells: Collection[Cell]) -> Task:
    """The part of a task that is about some of its cells."""
    chosen = {cell.id for cell in cells}
    return replace(
        task,
        train=tuple(cell for cell in task.train if cell.id in chosen),
        evaluate=_chosen(task, lambda cell, protocol: cell.id in chosen),
    )


def _chosen(
    task: Task, wanted: Callable[[Cell, Protocol], bool]
) -> tuple[tuple[Protocol, tuple[Cell, ...]], ...]:
    """The evaluations of a task that are wanted."""
    chosen = (
        (protocol, tuple(cell for cell in cells if wanted(cell, protocol)))
        for protocol, cells in task.evaluate
    )
    return tuple((protocol, cells) for protocol, cells in chosen if cells)
