"""What is left to do in a folder: stacks to train, and models to evaluate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from cftrain.config.identity import describe, digest
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, pictures_id, protocol_id, stack_id
from cftrain.grid.plan import Costs, Stack, dealt, plan
from cftrain.results.store import Store, done, failed
from cftrain.training.checkpoint import checkpoints


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A cell and the protocols that it is to be evaluated by, by their ids."""

    cell: Cell
    protocols: dict[str, Protocol] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Task:
    """Cells to train as one stack, none if all are trained already, and what they are
    evaluated by afterwards. Sent to a worker as it is.
    """

    train: tuple[Cell, ...]
    evaluate: tuple[tuple[Protocol, tuple[Cell, ...]], ...]
    seconds: float

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells that the task is about, each once."""
        every = [*self.train, *(cell for _, cells in self.evaluate for cell in cells)]
        return tuple({cell.id: cell for cell in every}.values())

    @property
    def id(self) -> str:
        return stack_id(cell.id for cell in self.train or self.cells)


@dataclass(frozen=True, kw_only=True)
class State:
    """What a folder has: cells that are trained, those that failed with the reason,
    and for (cell, protocol) the pictures of evaluations and the failures.
    """

    trained: frozenset[str]
    failed: Mapping[str, str]
    evaluated: Mapping[tuple[str, str], str]
    unevaluated: Mapping[tuple[str, str], str]

    def lacks(self, cell: Cell, protocol: Protocol) -> bool:
        """Whether an evaluation, or a picture that it makes, is not there."""
        found = self.evaluated.get((cell.id, protocol_id(protocol)))
        return found is None or pictures_id(protocol) not in ("", found)


NOTHING = State(trained=frozenset(), failed={}, evaluated={}, unevaluated={})


def state_of(store: Store) -> State:
    """The state of a folder of results. Raises ResultError."""
    if not store.folder.is_dir():
        return NOTHING
    cells, evaluations = store.cells(), store.evaluations()
    finished = evaluations[evaluations["status"] == "done"]
    lost = evaluations[evaluations["status"] == "failed"]
    return State(
        trained=frozenset(done(cells)),
        failed=failed(cells),
        evaluated=_by_key(finished, "pictures"),
        unevaluated=_by_key(lost, "reason"),
    )


def left(
    wanted: Sequence[Wanted], state: State, *, retry: bool
) -> tuple[list[Cell], list[Wanted]]:
    """Cells to train, and trained or wanted cells with the protocols that they lack.

    What has failed is left alone unless it is to be retried.
    """
    settled = state.trained if retry else state.trained | set(state.failed)
    untrained = [each.cell for each in wanted if each.cell.id not in settled]
    new = {cell.id for cell in untrained}
    lacking = []
    for each in wanted:
        if each.cell.id not in new and each.cell.id not in state.trained:
            continue  # failed for good: there is nothing to evaluate
        missing = {
            name: protocol
            for name, protocol in each.protocols.items()
            if state.lacks(each.cell, protocol)
            and (retry or (each.cell.id, name) not in state.unevaluated)
        }
        if each.cell.id in new:
            missing = each.protocols
        if missing:
            lacking.append(Wanted(cell=each.cell, protocols=missing))
    return untrained, lacking


def tasks(
    untrained: Sequence[Cell],
    lacking: Sequence[Wanted],
    costs: Costs,
    *,
    interrupted: Iterable[Sequence[str]],
    most: int | None,
    workers: int,
) -> list[Task]:
    """All of it in portions for workers, the longest first.

    Stacks that were `interrupted`, given by the ids of their cells, are formed again:
    their checkpoints go on with them and with no others.
    """
    by_id = {cell.id: cell for cell in untrained}
    again = [
        tuple(by_id.pop(name) for name in names)
        for names in interrupted
        if set(names) <= set(by_id)
    ]
    stacks = [
        *(Stack(cells=cells, seconds=costs.of_stack(cells)) for cells in again),
        *plan(list(by_id.values()), costs, most=most, workers=workers),
    ]
    protocols = {each.cell.id: each.protocols for each in lacking}
    made = [
        Task(
            train=stack.cells,
            evaluate=_evaluations(stack.cells, protocols),
            seconds=stack.seconds,
        )
        for stack in stacks
    ]
    new = {cell.id for cell in untrained}
    trained = [each.cell for each in lacking if each.cell.id not in new]
    made += _of_trained(trained, protocols, costs, most=most, workers=workers)
    return sorted(made, key=lambda task: (-task.seconds, task.id))


def interrupted(store: Store, untrained: Iterable[Cell]) -> list[tuple[str, ...]]:
    """The cells of every stack whose training was interrupted.

    Checkpoints of cells that are settled meanwhile are of no more use and go.
    """
    wanted = {cell.id for cell in untrained}
    settled = set(store.cells()["cell"]) - wanted
    found = []
    for checkpoint in checkpoints(store.folder):
        if settled & set(checkpoint.cells):
            checkpoint.remove()
        else:
            found.append(checkpoint.cells)
    return found


def _evaluations(
    cells: Sequence[Cell], protocols: Mapping[str, Mapping[str, Protocol]]
) -> tuple[tuple[Protocol, tuple[Cell, ...]], ...]:
    """For each protocol that some of the cells lack, these cells."""
    chosen: dict[str, Protocol] = {}
    lacking: dict[str, list[Cell]] = {}
    for cell in cells:
        for name, protocol in protocols.get(cell.id, {}).items():
            chosen[name] = protocol
            lacking.setdefault(name, []).append(cell)
    return tuple((chosen[name], tuple(found)) for name, found in lacking.items())


def _of_trained(
    cells: Sequence[Cell],
    protocols: Mapping[str, Mapping[str, Protocol]],
    costs: Costs,
    *,
    most: int | None,
    workers: int,
) -> list[Task]:
    """Evaluations of trained cells, enough for all workers: models of one kind on the
    same data together, however they were trained.
    """
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        kind = digest([describe(cell.run.data), describe(cell.run.model)])
        groups.setdefault((kind, *protocols[cell.id]), []).append(cell)
    made = []
    for group in groups.values():
        limit = most or costs.most_cells(group[0])
        parts = max(-(-len(group) // limit), min(len(group), workers))
        for members in dealt(group, parts):
            made.append(
                Task(
                    train=(),
                    evaluate=_evaluations(members, protocols),
                    seconds=sum(map(costs.of_evaluation, members)),
                )
            )
    return made


def _by_key(rows: pd.DataFrame, column: str) -> dict[tuple[str, str], str]:
    keys = zip(rows["cell"], rows["protocol"], strict=True)
    return dict(zip(keys, rows[column].fillna(""), strict=True))
