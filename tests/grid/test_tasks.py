"""What is left to do in a folder: pure functions of its state."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cftrain.evaluation.protocol import Attributions, Protocol
from cftrain.grid.cells import Cell, cell, pictures_id, protocol_id, stack_id
from cftrain.grid.plan import Costs
from cftrain.grid.task import Task
from cftrain.grid.tasks import NOTHING, State, Wanted, interrupted, left, tasks
from cftrain.results.store import Store
from cftrain.training.checkpoint import checkpoint_of, checkpoints
from tests.console import read
from tests.results.rows import cell_row


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return read()[1].evaluation


@pytest.fixture(scope="module")
def wanted(protocol) -> list[Wanted]:
    run, _ = read()
    cells = [cell(replace(run, seed=seed), "generated") for seed in range(6)]
    return [
        Wanted(cell=made, protocols={protocol_id(protocol): protocol}) for made in cells
    ]


def planned(
    untrained: list[Cell], lacking: list[Wanted], **changes: object
) -> list[Task]:
    given = {"interrupted": {}, "most": None, "workers": 1, **changes}
    return tasks(
        untrained, lacking, Costs(features={"moons": 2}, protocols={}), **given
    )


def names(cells: list[Cell] | tuple[Cell, ...]) -> list[str]:
    return [made.id for made in cells]


def test_at_first_everything_is_left(wanted):
    untrained, lacking = left(wanted, NOTHING, retry=False)
    assert untrained == [each.cell for each in wanted]
    assert lacking == wanted


def test_what_is_there_is_not_left(wanted, protocol):
    done, trained, *rest = wanted
    state = replace(
        NOTHING,
        trained=dict.fromkeys([done.cell.id, trained.cell.id]),
        evaluated={(done.cell.id, protocol_id(protocol)): ""},
    )
    untrained, lacking = left(wanted, state, retry=False)
    assert untrained == [each.cell for each in rest]
    assert lacking == [trained, *rest]


def test_what_failed_is_left_only_if_it_is_to_be_retried(wanted, protocol):
    lost, unmeasured, *rest = wanted
    state = State(
        trained={each.cell.id: None for each in (unmeasured, *rest)},
        gone=(),
        failed={lost.cell.id: "reason"},
        evaluated={(each.cell.id, protocol_id(protocol)): "" for each in rest},
        unevaluated={(unmeasured.cell.id, protocol_id(protocol)): "reason"},
    )
    assert left(wanted, state, retry=False) == ([], [])
    assert left(wanted, state, retry=True) == ([lost.cell], [lost, unmeasured])


def test_pictures_that_are_not_there_are_lacking(wanted, protocol):
    (first, *_) = wanted
    shown = replace(protocol, attributions=Attributions(steps=2, seed=1))
    key = (first.cell.id, protocol_id(protocol))
    plain = replace(NOTHING, evaluated={key: ""})
    pictured = replace(NOTHING, evaluated={key: pictures_id(shown)})
    assert plain.lacks(first.cell, protocol_id(shown), shown)
    assert not plain.lacks(first.cell, protocol_id(protocol), protocol)
    assert not pictured.lacks(first.cell, protocol_id(shown), shown)
    assert not pictured.lacks(first.cell, protocol_id(protocol), protocol), (
        "more than was asked for"
    )


def test_interrupted_stacks_are_formed_again_in_their_order(wanted):
    cells = [each.cell for each in wanted]
    before = [(cells[4].id, cells[1].id), (cells[0].id,)]
    made = planned(
        cells, wanted, interrupted={names: stack_id(names) for names in before}, most=1
    )
    stacks = {task.id: names(task.train) for task in made}
    for stack in before:
        assert stacks[stack_id(stack)] == list(stack)
    trained = [name for stack in stacks.values() for name in stack]
    assert sorted(trained) == sorted(names(cells))


def test_a_stack_whose_cells_are_not_all_wanted_is_not_formed_again(wanted):
    cells = [each.cell for each in wanted]
    made = planned(
        cells, wanted, interrupted={(cells[0].id, "stranger"): "s"}, most=None
    )
    assert [sorted(names(task.train)) for task in made] == [sorted(names(cells))]


def test_every_cell_is_evaluated_once_where_it_is_trained(wanted, protocol):
    untrained = [each.cell for each in wanted[2:]]
    made = planned(untrained, wanted, most=2)
    for task in made:
        (evaluation,) = task.evaluate
        assert evaluation[0] == protocol
        if task.train:
            assert evaluation[1] == task.train
    evaluated = [name for task in made for name in names(task.evaluate[0][1])]
    assert sorted(evaluated) == sorted(names([each.cell for each in wanted]))
    assert [task.seconds for task in made] == sorted(
        (task.seconds for task in made), reverse=True
    )


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_evaluations_are_shared_by_all_workers(wanted, workers):
    assert len(planned([], wanted, workers=workers)) == workers


def save(store: Store, *cells: str) -> Path:
    checkpoint = checkpoint_of(store.folder, stack_id(cells), cells)
    checkpoint.save({"weights": torch.zeros(1)})
    return checkpoint.path


def test_checkpoints_of_settled_cells_go_and_others_stay(wanted, tmp_path):
    store = Store(tmp_path)
    (going_on, *_) = cells = [each.cell for each in wanted]
    store.write("cells", "s", [cell_row("settled", "s")])
    gone = save(store, "settled")
    kept, other = save(store, going_on.id), save(store, "of another grid")
    found = interrupted(store, cells)
    assert sorted(found) == sorted([(going_on.id,), ("of another grid",)])
    assert not gone.exists()
    assert kept.exists()
    assert other.exists()
    assert len(list(checkpoints(tmp_path))) == 2


def test_a_checkpoint_serves_those_of_its_cells_that_are_left(wanted, tmp_path):
    store = Store(tmp_path)
    cells = [each.cell for each in wanted]
    store.write("cells", "s", [cell_row("settled", "s")])
    left = (cells[3].id, cells[1].id)
    wide = save(store, cells[3].id, "settled", cells[1].id)
    found = interrupted(store, cells)
    assert found == {left: wide.stem}
    (task, *_) = [t for t in planned(cells, wanted, interrupted=found) if t.wider]
    assert (names(task.train), task.wider) == (list(left), (wide.stem,))
    narrow = save(store, *left)  # it has come further
    assert interrupted(store, cells) == {left: narrow.stem}
