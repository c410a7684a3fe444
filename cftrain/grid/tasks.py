"""What is left to do in a folder: stacks to train, and models to evaluate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from cftrain.evaluation.protocol import Protocol
from cftrain.grid.cells import Cell, pictures_id, stack_id
from cftrain.grid.faults.attempts import kind
from cftrain.grid.plan import Costs, Stack, dealt, plan
from cftrain.grid.task import Task, narrowed
from cftrain.results.store import Store, failed
from cftrain.results.weights_file import stored_weights
from cftrain.training.checkpoint import checkpoints


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A cell and the protocols that it is to be evaluated by, by their ids."""

    cell: Cell
    protocols: dict[str, Protocol] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class State:
    """What a folder has: cells that are trained with the digests of their weights,
    those of which the weights are gone, those that failed with the reason, and for
    (cell, protocol) the pictures of evaluations and the failures.
    """

    trained: Mapping[str, str | None]
    gone: Collection[str]
    failed: Mapping[str, str]
    evaluated: Mapping[tuple[str, str], str]
    unevaluated: Mapping[tuple[str, str], str]

    def lacks(self, cell: Cell, name: str, protocol: Protocol) -> bool:
        """Whether an evaluation, or a picture that it makes, is not there."""
        found = self.evaluated.get((cell.id, name))
        return found is None or pictures_id(protocol) not in ("", found)


NOTHING = State(trained={}, gone=(), failed={}, evaluated={}, unevaluated={})


def state_of(store: Store) -> State:
    """The state of a folder of results. Raises ResultError."""
    if not store.folder.is_dir():
        return NOTHING
    cells = store.cells(["cell", "status", "reason", "weights_sha256"])
    trained = cells[cells["status"] == "done"]
    here = stored_weights(store.folder)
    evaluations = store.evaluations(
        ["cell", "protocol", "pictures", "status", "reason"], cells=cells
    )
    finished = evaluations[evaluations["status"] == "done"]
    lost = evaluations[evaluations["status"] == "failed"]
    return State(
        trained=dict(zip(trained["cell"], trained["weights_sha256"], strict=True)),
        gone=[cell for cell in trained["cell"] if cell not in here],
        failed=failed(cells),
        evaluated=_by_key(finished, "pictures"),
        unevaluated=_by_key(lost, "reason"),
    )


def left(
    wanted: Sequence[Wanted], state: State, *, retry: bool
) -> tuple[list[Cell], list[Wanted]]:
    """Cells to train, and trained or wanted cells with the protocols that they lack.

    What has failed is left alone unless it is to be retried. A model without weights is
    none: it is trained again.
    """
    trained = set(state.trained) - set(state.gone)
    settled = trained | (set() if retry else set(state.failed))
    untrained = [each.cell for each in wanted if each.cell.id not in settled]
    new = {cell.id for cell in untrained}
    lacking = []
    for each in wanted:
        if each.cell.id not in new and each.cell.id not in state.trained:
            continue  # failed for good: there is nothing to evaluate
        missing = {
            name: protocol
            for name, protocol in each.protocols.items()
            if state.lacks(each.cell, name, protocol)
            and (retry or (each.cell.id, name) not in state.unevaluated)
        }
        cell = each.cell
        if cell.id in new:
            missing = each.protocols
        else:
            cell = replace(cell, weights=state.trained[cell.id])
        if missing:
            lacking.append(Wanted(cell=cell, protocols=missing))
    return untrained, lacking


def tasks(
    untrained: Sequence[Cell],
    lacking: Sequence[Wanted],
    costs: Costs,
    *,
    interrupted: Mapping[tuple[str, ...], str],
    most: int | None,
    workers: int,
    limits: Mapping[str, int] | None = None,
) -> list[Task]:
    """All of it in portions for workers, the longest first.

    Stacks that were `interrupted`, given by the ids of their cells, are formed again:
    the checkpoints of the stacks that are named with them go on with them and with no
    others. Where cells of their kind have `limits`, stacks are narrower.
    """
    by_id = {cell.id: cell for cell in untrained}
    begun: dict[str, str] = {}
    again = []
    for names, stack in interrupted.items():
        if set(names) <= set(by_id):
            again.append(tuple(by_id.pop(name) for name in names))
            begun[stack_id(names)] = stack
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
            wider=(begun[stack.id],) if stack.id in begun else (),
        )
        for stack in stacks
    ]
    new = {cell.id for cell in untrained}
    trained = [each.cell for each in lacking if each.cell.id not in new]
    made += _of_trained(trained, protocols, costs, most=most, workers=workers)
    made = [part for task in made for part in narrowed(task, limits or {})]
    return sorted(made, key=lambda task: (-task.seconds, task.id))


def interrupted(store: Store, untrained: Iterable[Cell]) -> dict[tuple[str, ...], str]:
    """The cells of every stack whose training was interrupted, as far as they are not
    settled meanwhile, with the narrowest stack that has a checkpoint of them.

    Checkpoints whose cells are all settled are of no more use and go.
    """
    wanted = {cell.id for cell in untrained}
    settled = set(store.cells(["cell"])["cell"]) - wanted
    found: dict[tuple[str, ...], str] = {}
    for checkpoint in sorted(checkpoints(store.folder), key=lambda c: len(c.cells)):
        left = tuple(cell for cell in checkpoint.cells if cell not in settled)
        if left:
            found.setdefault(left, checkpoint.path.stem)
        else:
            checkpoint.remove()
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
        key = (kind(cell.run), *protocols[cell.id])
        groups.setdefault(key, []).append(cell)
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
