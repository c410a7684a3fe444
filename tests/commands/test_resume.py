"""What was trained before a grid was stopped is not trained again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cftrain.results.points import load_points
from cftrain.results.store import Store, done
from cftrain.results.writing import MARK
from cftrain.training.trainer import Trainer
from tests.commands.grids import same_numbers, small
from tests.console import ROOT, call, files

EPOCHS, CELLS = 12, 10
LENGTH = f"schedule.epochs={EPOCHS}"

NOTES = '''
"""Every Python process of the test notes each epoch that it starts, with its stack."""

import os

from cftrain.training.trainer import Trainer

train, epoch = Trainer.train, Trainer._epoch
stack = "none"


def noted_train(self, classifier, *, checkpoint=None, **options):
    global stack
    stack = checkpoint.path.stem
    return train(self, classifier, checkpoint=checkpoint, **options)


def noted_epoch(self, number, *learning):
    with open(os.environ["EPOCHS_STARTED"], "a") as log:
        log.write(f"{stack} {number}\\n")
    return epoch(self, number, *learning)


Trainer.train, Trainer._epoch = noted_train, noted_epoch
'''


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    outcome = call(*small(folder, "workers=1", LENGTH))
    assert outcome.code == 0, outcome.err
    return folder


class Interrupter:
    """Notes every epoch that is started, and interrupts after so many of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started: list[int] = []
        self.stop: int | None = None
        epoch = Trainer._epoch

        def noted(trainer: Trainer, number: int, *arguments: object) -> object:
            if len(self.started) == self.stop:
                raise KeyboardInterrupt
            self.started.append(number)
            return epoch(trainer, number, *arguments)

        monkeypatch.setattr(Trainer, "_epoch", noted)


@pytest.fixture
def interrupter(monkeypatch) -> Interrupter:
    return Interrupter(monkeypatch)


def interrupted(folder: Path, interrupter: Interrupter, *overrides: str) -> None:
    """A grid in stacks of 4, 4 and 1 model and the baseline; the second one stops."""
    interrupter.stop = EPOCHS + EPOCHS // 2
    assert call(*small(folder, "workers=1", LENGTH, *overrides)).code == 130
    assert len(list((folder / "checkpoints").iterdir())) == 1
    interrupter.stop = None


def assert_clean(folder: Path) -> None:
    assert not (folder / "checkpoints").exists()
    assert [path for path in folder.rglob("*") if MARK in path.name] == []


@pytest.mark.parametrize("later", [(), ("stack_width=1",), ("stack_width=9",)])
def test_no_epoch_is_trained_twice_whatever_the_width(
    undisturbed, tmp_path, interrupter, later
):
    folder = tmp_path / "grid"
    interrupted(folder, interrupter, "stack_width=4")
    before = len(interrupter.started)
    outcome = call(*small(folder, "workers=1", LENGTH, *later))
    assert outcome.code == 0, outcome.err
    assert interrupter.started[before : before + 1] != []
    resumed = interrupter.started[before:]
    assert resumed.count(EPOCHS) * EPOCHS == len(resumed) + EPOCHS // 2
    same_numbers(folder, undisturbed)
    assert_clean(folder)


def test_more_points_leave_the_checkpoints_of_the_others(
    undisturbed, tmp_path, interrupter
):
    folder = tmp_path / "grid"
    interrupted(folder, interrupter, "stack_width=4")
    before = len(interrupter.started)
    wider = "grid.axes={search.step_size: [0.1, 0.5, 1.0, 0.2], "
    wider += "objective.ridge_weight: [0.01, 0.1, 0.5]}"
    outcome = call(*small(folder, "workers=1", LENGTH, wider))
    assert outcome.code == 0, outcome.err
    resumed = interrupter.started[before:]
    assert resumed.count(EPOCHS) * EPOCHS == len(resumed) + EPOCHS // 2
    cells = done(Store(folder).cells())
    assert len(cells) == CELLS + 3
    assert done(Store(undisturbed).cells()) < cells
    assert set(load_points(folder)["cell"]) == cells
    assert_clean(folder)


def test_a_damaged_checkpoint_costs_time_and_nothing_else(
    undisturbed, tmp_path, interrupter
):
    folder = tmp_path / "grid"
    interrupted(folder, interrupter, "stack_width=4")
    (path,) = (folder / "checkpoints").iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    outcome = call(*small(folder, "workers=1", LENGTH, "stack_width=4"))
    assert outcome.code == 0, outcome.err
    assert f"cftrain: warning: {path}: could not be read" in outcome.err
    assert "the stack is trained from the start" in outcome.err
    same_numbers(folder, undisturbed)
    assert_clean(folder)


def test_overwriting_starts_with_the_first_epoch(undisturbed, tmp_path, interrupter):
    folder = tmp_path / "grid"
    interrupted(folder, interrupter, "stack_width=4")
    before = len(interrupter.started)
    arguments = small(folder, "workers=1", LENGTH, "stack_width=4", "overwrite=true")
    outcome = call(*arguments)
    assert outcome.code == 0, outcome.err
    resumed = interrupter.started[before:]
    assert resumed == [*range(1, EPOCHS + 1)] * (len(resumed) // EPOCHS)
    assert len(resumed) >= 3 * EPOCHS
    same_numbers(folder, undisturbed)
    assert_clean(folder)


def test_a_dry_run_that_would_overwrite_keeps_interrupted_work(
    undisturbed, tmp_path, interrupter
):
    folder = tmp_path / "grid"
    interrupted(folder, interrupter, "stack_width=4")
    before = files(folder)
    assert any(name.startswith("checkpoints/") for name in before)
    words = ("stack_width=4", "overwrite=true", "dry_run=true")
    assert call(*small(folder, "workers=1", LENGTH, *words)).code == 0
    assert files(folder) == before


# --- killed at any moment ------------------------------------------------------------


def started(log: Path) -> list[tuple[str, int]]:
    """Stack and number of each epoch that some process has started."""
    words = log.read_text().splitlines() if log.exists() else []
    return [(line.split()[0], int(line.split()[1])) for line in words]


def killed(start: Callable[[], subprocess.Popen], log: Path, after: int) -> None:
    """Kill all processes of a grid with -9 once so many more epochs have started."""
    before = len(started(log))
    process = start()
    deadline = time.monotonic() + 120
    while process.poll() is None and len(started(log)) < before + after:
        assert time.monotonic() < deadline, "the grid does not go on"
        time.sleep(0.01)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def kill_and_count(folder: Path, kills: int, chance: random.Random) -> None:
    """A killed grid goes on with the epoch that was under way in each stack."""
    notes = folder.parent / "notes"
    notes.mkdir()
    (notes / "sitecustomize.py").write_text(NOTES)
    log = folder.parent / "epochs.log"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{notes}{os.pathsep}{ROOT}",
        "EPOCHS_STARTED": str(log),
    }

    def start() -> subprocess.Popen:
        workers = chance.choice([2, 2, 3])
        words = small(folder, f"workers={workers}", LENGTH, "stack_width=3")
        return subprocess.Popen(
            [sys.executable, "-m", "cftrain", *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    reached: dict[str, int] = {}
    for _ in range(kills):
        before = len(started(log))
        killed(start, log, chance.randint(1, EPOCHS))
        reached = goes_on(started(log)[before:], reached)
    before = len(started(log))
    process = start()
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()
    goes_on(started(log)[before:], reached)
    epochs = started(log)
    stacks = {stack for stack, number in epochs if number == EPOCHS}
    again = len(epochs) - len(stacks) * EPOCHS
    assert again <= kills * 3, "more than an epoch of each active stack"


def goes_on(epochs: list[tuple[str, int]], reached: dict[str, int]) -> dict[str, int]:
    """The last epoch of each stack; none is started before what it had reached."""
    reached = dict(reached)
    first: dict[str, int] = {}
    for stack, number in epochs:
        first.setdefault(stack, number)
    for stack, number in first.items():
        assert number >= reached.get(stack, 1), f"{stack} lost more than an epoch"
    reached.update(dict(epochs))
    return reached


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 6))]
)
def test_killed_it_loses_at_most_an_epoch_of_each_stack(seed, tmp_path, undisturbed):
    folder = tmp_path / "grid"
    kill_and_count(folder, kills=2 if seed == 0 else 5, chance=random.Random(seed))
    same_numbers(folder, undisturbed)
    assert_clean(folder)
