"""What a killed attempt leaves, and what the next one makes of it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cftrain.grid.cells import Cell, cell, stack_id
from cftrain.grid.faults.attempts import forget, kind, limit_of, limits, marked, marks
from cftrain.grid.task import Task, narrowed, without
from cftrain.training.checkpoint import checkpoint_of
from tests.console import read

WIDE = 5


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    run, _ = read()
    return [cell(replace(run, seed=seed), "generated") for seed in range(WIDE)]


def die(
    folder: Path, cells: list[Cell], *, epochs: int | None = 0, process: int = 7
) -> str:
    """Leave the mark of a process that was killed at this."""
    stack = stack_id(made.id for made in cells)
    with marked(folder, stack, cells, process=process, epochs=epochs):
        (mark,) = [mark for mark in marks(folder) if mark.path.stem == stack]
        content = mark.path.read_bytes()
    mark.path.write_bytes(content)
    return stack


def save(folder: Path, stack: str, cells: list[Cell], epochs: int) -> None:
    ids = [made.id for made in cells]
    state = {"history": torch.zeros(epochs, len(ids), 2), "weights": torch.zeros(1)}
    checkpoint_of(folder, stack, ids).save(state)


def test_who_ends_in_good_order_leaves_no_mark(tmp_path, cells):
    def interrupted() -> None:
        with marked(tmp_path, "stack", cells, process=os.getpid(), epochs=0):
            assert len(marks(tmp_path)) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert marks(tmp_path) == []


def test_an_attempt_in_vain_halves_cells_of_its_kind(tmp_path, cells):
    assert limits(marks(tmp_path)) == {}
    die(tmp_path, cells)
    (mark,) = marks(tmp_path)
    assert (mark.process, mark.epochs) == (7, 0)
    assert mark.cells == tuple(made.id for made in cells)
    assert limits([mark]) == {kind(cells[0].run): 3}
    die(tmp_path, cells[:2])
    assert limits(marks(tmp_path)) == {kind(cells[0].run): 1}


def test_an_attempt_that_gained_an_epoch_was_not_in_vain(tmp_path, cells):
    stack = die(tmp_path, cells, epochs=4)
    save(tmp_path, stack, cells, 4)
    assert limits(marks(tmp_path)) != {}
    save(tmp_path, stack, cells, 5)
    assert limits(marks(tmp_path)) == {}


def test_an_evaluation_gains_no_epochs(tmp_path, cells):
    stack = die(tmp_path, cells, epochs=None)
    save(tmp_path, stack, cells, 5)
    assert limits(marks(tmp_path)) != {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": 1}', b"\xff"])
def test_a_mark_that_cannot_be_read_says_nothing(tmp_path, cells, content):
    die(tmp_path, cells)
    marks(tmp_path)[0].path.write_bytes(content)
    assert marks(tmp_path) == []
    forget(tmp_path)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_link_in_the_place_of_a_mark_is_not_followed(tmp_path, cells):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "s.begun").symlink_to(tmp_path / "mine")
    with marked(tmp_path, "s", cells, process=7, epochs=0):
        assert len(marks(tmp_path)) == 1
    assert (tmp_path / "mine").read_text() == "mine"


def test_marks_of_the_living_can_be_forgotten_alone(tmp_path, cells):
    die(tmp_path, cells[:2], process=7)
    die(tmp_path, cells[2:], process=8)
    forget(tmp_path, processes={8})
    assert [mark.process for mark in marks(tmp_path)] == [7]


def test_a_narrower_task_has_the_same_cells_and_goes_on(cells):
    protocol = read()[1].evaluation
    evaluate = ((protocol, tuple(cells[1:])),)
    task = Task(train=tuple(cells), evaluate=evaluate, seconds=5.0)
    assert narrowed(task, {}) == narrowed(task, {"another kind": 1}) == [task]
    known = {kind(cells[0].run): 2}
    assert limit_of(cells, known) == 2
    parts = narrowed(task, known)
    assert [len(part.train) for part in parts] == [2, 2, 1]
    assert {part.wider for part in parts} == {(task.id,)}
    assert sorted(made.id for part in parts for made in part.train) == sorted(
        made.id for made in cells
    )
    for part in parts:
        for _, measured in part.evaluate:
            assert measured == tuple(made for made in part.train if made != cells[0])


def test_a_task_without_some_cells(cells):
    protocol = read()[1].evaluation
    evaluate = ((protocol, tuple(cells)),)
    task = Task(train=tuple(cells), evaluate=evaluate, seconds=5.0)
    (kept,) = without(task, {cells[0].id})
    assert kept.train == kept.evaluate[0][1] == tuple(cells[1:])
    assert without(task, {made.id for made in cells}) == []
