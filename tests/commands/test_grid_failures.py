"""Whatever happens to a grid, nothing is lost and it can go on."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from cftrain.grid import measured, worker
from cftrain.results.store import Store, done, failed
from cftrain.training.trainer import Trainer
from tests.commands.grids import no_training, same_numbers, small
from tests.console import ROOT, call


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The grid run in this process, undisturbed."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = call(*small(folder, "workers=1"))
    assert outcome.code == 0, outcome.err
    return folder


def test_a_failing_cell_is_noted_and_the_others_go_on(tmp_path, monkeypatch, whole):
    trained = worker.train

    def breaks(runs, *arguments, **options):
        if any(run.search.step_size == 0.5 for run in runs):
            raise RuntimeError("the cell that breaks")
        return trained(runs, *arguments, **options)

    monkeypatch.setattr(worker, "train", breaks)
    folder = tmp_path / "grid"
    outcome = call(*small(folder, "workers=1", "stack_width=9"))
    assert outcome.code == 1
    assert "3 cells failed" in outcome.err
    cells = Store(folder).cells()
    assert len(done(cells)) == 7
    assert set(failed(cells).values()) == {"RuntimeError: the cell that breaks"}
    shown = call("status", str(folder))
    assert "7 trained, 3 failed, 0 missing of 10" in shown.out
    assert "the cell that breaks" in shown.out
    monkeypatch.setattr(worker, "train", trained)
    left = call(*small(folder, "workers=1"))
    assert left.code == 1
    again = call(*small(folder, "workers=1", "retry=failed"))
    assert again.code == 0, again.err
    same_numbers(folder, whole)


def test_a_failed_evaluation_retrains_nothing(tmp_path, monkeypatch, whole):
    evaluate = measured.evaluate

    def breaks(classifier, *arguments, **options):
        raise RuntimeError("the metric that breaks")

    folder = tmp_path / "grid"
    monkeypatch.setattr(measured, "evaluate", breaks)
    outcome = call(*small(folder, "workers=1"))
    assert outcome.code == 1
    assert "10 cells failed" in outcome.err
    store = Store(folder)
    assert len(done(store.cells())) == 10
    reasons = set(failed(store.evaluations()).values())
    assert reasons == {"RuntimeError: the metric that breaks"}
    shown = call("status", str(folder))
    assert "10 trained, 0 failed, 0 missing of 10" in shown.out
    assert "0 evaluated, 10 failed" in shown.out
    monkeypatch.setattr(Trainer, "train", no_training)
    monkeypatch.setattr(measured, "evaluate", evaluate)
    left = call(*small(folder, "workers=1"))
    assert left.code == 1
    assert "0 to train and 0 to evaluate" in left.out
    again = call(*small(folder, "workers=1", "retry=failed"))
    assert again.code == 0, again.err
    assert "0 to train and 10 to evaluate" in again.out
    same_numbers(folder, whole)


def test_a_cell_that_diverges_is_a_failure(tmp_path):
    folder = tmp_path / "grid"
    outcome = call(*small(folder, "workers=1", "schedule.optimiser.learning_rate=1e30"))
    assert outcome.code == 1
    assert "diverged" in outcome.err


def processes(root: int) -> list[int]:
    """A process and its children, from /proc."""
    found = [root]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == root:
            found.append(int(path.parent.name))
    return found


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "cftrain",
            *small(folder, "workers=2", "stack_width=1", "schedule.epochs=60"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def longer(tmp_path_factory) -> Path:
    """The undisturbed grid that the killed ones have to equal."""
    folder = tmp_path_factory.mktemp("longer")
    outcome = call(*small(folder, "workers=1", "schedule.epochs=60"))
    assert outcome.code == 0, outcome.err
    return folder


def kill_and_finish(folder: Path, longer: Path, chance: random.Random) -> None:
    """Kill a random process of the grid at a random moment, then run it again."""
    process = start(folder)
    deadline = time.monotonic() + 60
    while not (folder / "points.parquet").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(chance.uniform(0.5, 6.0))
    victims = processes(process.pid)
    os.kill(chance.choice(victims), signal.SIGKILL)
    process.wait(timeout=60)
    for path in folder.rglob("part-*.parquet"):
        pd.read_parquet(path)
    outcome = call(*small(folder, "workers=1", "schedule.epochs=60"))
    assert outcome.code == 0, outcome.err
    same_numbers(folder, longer)


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_it_can_go_on(seed, tmp_path, longer):
    kill_and_finish(tmp_path / "grid", longer, random.Random(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 22))
def test_killed_many_times_it_can_go_on(seed, tmp_path, longer):
    kill_and_finish(tmp_path / "grid", longer, random.Random(seed))


def test_workers_of_a_killed_coordinator_end(tmp_path):
    process = start(tmp_path / "grid")
    deadline = time.monotonic() + 60
    while len(processes(process.pid)) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    children = processes(process.pid)[1:]
    assert children
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "a worker outlived its coordinator"
        time.sleep(0.2)


def test_a_full_disk_loses_nothing(tmp_path, whole):
    """Files may not grow beyond a limit: writing fails as on a full disk."""
    folder = tmp_path / "grid"
    limit = 10_000

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", "cftrain", *small(folder, "workers=1")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        preexec_fn=limited,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    for path in folder.rglob("part-*.parquet"):
        pd.read_parquet(path)
    outcome = call(*small(folder, "workers=1"))
    assert outcome.code == 0, outcome.err
    same_numbers(folder, whole)
