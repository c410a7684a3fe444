"""Stacks that memory does not suffice for become narrower, and nothing is lost."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cftrain.grid import worker
from cftrain.results.store import Store, done, failed
from tests.commands.grids import same_numbers, small
from tests.console import ROOT, call

WIDE = "stack_width=9"

KILLER = '''
"""Every Python process of the test is killed, as for want of memory, if it trains, or
evaluates, more models at once than $MOST.
"""

import os
import signal

from cftrain.grid import measured, worker

train, evaluate = worker.train, measured.evaluate


def suffices(cells, purpose):
    if os.environ["PURPOSE"] == purpose and cells > int(os.environ["MOST"]):
        os.kill(os.getpid(), signal.SIGKILL)


def killed_train(runs, *arguments, **options):
    suffices(len(runs), "train")
    return train(runs, *arguments, **options)


def killed_evaluate(*arguments, streams, **options):
    suffices(len(streams), "evaluate")
    return evaluate(*arguments, streams=streams, **options)


worker.train, measured.evaluate = killed_train, killed_evaluate
'''


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The grid run in this process, undisturbed."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = call(*small(folder, "workers=1"))
    assert outcome.code == 0, outcome.err
    return folder


def no_memory(most: int) -> Callable[..., object]:
    """Training by which memory suffices for so many models at once only."""
    trained = worker.train

    def train(runs, *arguments, **options):
        if len(runs) > most:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory"
            )
        return trained(runs, *arguments, **options)

    return train


def test_a_stack_without_memory_is_halved_until_it_suffices(
    tmp_path, monkeypatch, whole
):
    monkeypatch.setattr(worker, "train", no_memory(2))
    outcome = call(*small(tmp_path / "grid", "workers=1", WIDE))
    assert outcome.code == 0, outcome.err
    assert Store(tmp_path / "grid").cells()["stack_cells"].max() == 2
    same_numbers(tmp_path / "grid", whole)


def test_a_cell_without_memory_is_told_and_stays_to_be_done(
    tmp_path, monkeypatch, whole
):
    folder, trained = tmp_path / "grid", worker.train

    def train(runs, *arguments, **options):
        if any(run.search.step_size == 0.5 for run in runs):
            raise MemoryError
        return trained(runs, *arguments, **options)

    monkeypatch.setattr(worker, "train", train)
    outcome = call(*small(folder, "workers=1", WIDE))
    assert outcome.code == 1
    assert "not enough memory for this cell alone (MemoryError" in outcome.err
    assert "3 cells could not be done here; the same command tries them" in outcome.err
    cells = Store(folder).cells()
    assert (len(done(cells)), failed(cells)) == (7, {})
    monkeypatch.setattr(worker, "train", trained)
    again = call(*small(folder, "workers=1"))
    assert again.code == 0, again.err
    same_numbers(folder, whole)


def killed(folder: Path, purpose: str, most: int, *more: str) -> tuple[int, str]:
    """Run the grid where too many models at once mean death."""
    killer = folder.parent / "killer"
    killer.mkdir(exist_ok=True)
    (killer / "sitecustomize.py").write_text(KILLER)
    finished = subprocess.run(
        [sys.executable, "-m", "cftrain", *small(folder, WIDE, *more)],
        env={
            **os.environ,
            "PYTHONPATH": f"{killer}{os.pathsep}{ROOT}",
            "PURPOSE": purpose,
            "MOST": str(most),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    return finished.returncode, finished.stderr


@pytest.mark.parametrize(
    "purpose", ["train", pytest.param("evaluate", marks=pytest.mark.slow)]
)
def test_what_a_dead_worker_was_at_is_given_out_in_halves(tmp_path, purpose, whole):
    code, said = killed(tmp_path / "grid", purpose, 3, "workers=2")
    assert code == 0, said
    assert "cftrain: warning: a worker process died" in said
    assert "Traceback" not in said
    same_numbers(tmp_path / "grid", whole)
    assert not (tmp_path / "grid" / "checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize("purpose", ["train", "evaluate"])
def test_a_killed_command_takes_half_as_many_at_once_the_next_time(
    tmp_path, purpose, whole
):
    """9 models at once, then 5, 3 and 2: where memory suffices for two."""
    codes = []
    while not codes or codes[-1] != 0:
        assert len(codes) < 8, "no progress"
        code, said = killed(tmp_path / "grid", purpose, 2, "workers=1")
        codes.append(code)
    assert codes == [-9, -9, -9, 0], said
    same_numbers(tmp_path / "grid", whole)
    assert not (tmp_path / "grid" / "checkpoints").exists()


@pytest.mark.slow
def test_cells_that_kill_alone_are_left_and_the_command_ends(tmp_path):
    code, said = killed(tmp_path / "grid", "train", 0, "workers=2")
    assert code in (1, 2), said
    assert "Traceback" not in said
    cells = Store(tmp_path / "grid").cells()
    assert cells.empty
