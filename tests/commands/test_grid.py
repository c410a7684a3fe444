"""A whole grid: the same numbers however it is run, and whatever happens to it."""

import json
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

from cftrain.results.points import load_points
from cftrain.results.store import Store
from tests.console import ROOT, call, files, spawn

SMALL = (
    "grid=tune_lr",
    "data=moons",
    "data.training_rows=1200",
    "data.validation_rows=30",
    "data.test_rows=60",
    "data.generated_rows=1400",
    "schedule.epochs=3",
    "schedule.batch_rows=120",
    "search.max_steps=4",
    "evaluation.rounds=2",
    "evaluation.individuals=6",
    "evaluation.search.max_steps=6",
)
KEYS = ["cell", "metric", "energy_weight", "round", "epsilon"]
MPIRUN = Path(sys.executable).with_name("mpirun")


def small(folder: Path, *overrides: str) -> tuple[str, ...]:
    """10 cells: 9 points and the baseline that they share."""
    given = {word.split("=")[0] for word in overrides}
    kept = [word for word in SMALL if word.split("=")[0] not in given]
    return ("grid", *kept, f"hydra.run.dir={folder}", *overrides)


def numbers(folder: Path) -> pd.DataFrame:
    """All metrics in a fixed order."""
    metrics = Store(folder).read("metrics").sort_values(KEYS, ignore_index=True)
    return metrics.drop(columns="stack")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The grid run in this process, undisturbed."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = call(*small(folder, "workers=1"))
    assert outcome.code == 0, outcome.err
    return folder


def test_every_point_has_its_results(whole):
    points = load_points(whole)
    assert len(points) == 18
    assert set(points["role"]) == {"model", "baseline"}
    assert set(points["search.step_size"]) == {0.1, 0.5, 1.0}
    assert set(points["cell"]) == Store(whole).done()
    assert len(Store(whole).done()) == 10
    assert not (whole / "checkpoints").exists()


@pytest.mark.parametrize("overrides", [("workers=2",), ("workers=1", "stack_width=1")])
def test_workers_and_widths_do_not_change_a_bit(whole, tmp_path, overrides):
    outcome = spawn(*small(tmp_path / "grid", *overrides), cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    pd.testing.assert_frame_equal(
        numbers(tmp_path / "grid"), numbers(whole), check_exact=True
    )


@pytest.mark.mpi
@pytest.mark.skipif(not MPIRUN.exists(), reason="no mpirun beside this Python")
def test_ranks_do_not_change_a_bit(whole, tmp_path):
    outcome = spawn(
        *small(tmp_path / "grid"), launcher=(str(MPIRUN), "-n", "3"), cwd=tmp_path
    )
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("10 of 10 cells done") == 1
    pd.testing.assert_frame_equal(
        numbers(tmp_path / "grid"), numbers(whole), check_exact=True
    )


@pytest.mark.mpi
@pytest.mark.skipif(not MPIRUN.exists(), reason="no mpirun beside this Python")
def test_ranks_end_when_the_configuration_is_wrong(tmp_path):
    outcome = spawn(
        *small(tmp_path / "grid", "workers=0"),
        launcher=(str(MPIRUN), "-n", "3"),
        cwd=tmp_path,
    )
    assert outcome.code == 2
    assert "workers: expected" in outcome.err


def test_a_finished_grid_is_not_repeated(whole):
    before = files(whole)
    outcome = call(*small(whole, "workers=1"))
    assert outcome.code == 0
    assert "10 of them finished; 0 to do" in outcome.out
    after = files(whole)
    assert {k for k in before if k.startswith("metrics")} == {
        k for k in after if k.startswith("metrics")
    }


def test_a_dry_run_writes_nothing(tmp_path):
    outcome = call(*small(tmp_path / "grid"), "workers=96", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "10 distinct cells" in outcome.out
    assert "imbalance" in outcome.out
    assert not files(tmp_path)


def test_overrides_of_axes_are_refused(tmp_path):
    outcome = call(*small(tmp_path / "grid", "search.step_size=0.3"))
    assert "search.step_size=0.3" in outcome.message


def test_status_counts(whole, tmp_path):
    shown = call("status", str(whole))
    assert shown.code == 0
    assert "10 done, 0 failed, 0 missing of 10" in shown.out
    assert "expected the results of a grid" in call("status", str(tmp_path)).message


def test_verify_repeats_cells_alone_bit_for_bit(whole):
    outcome = call("verify", str(whole), "--sample", "3")
    assert outcome.code == 0, outcome.err
    assert "3 cells repeated, all numbers agree" in outcome.out


def test_verify_sees_a_changed_number(whole, tmp_path):
    changed = tmp_path / "grid"
    for name, content in files(whole).items():
        path = changed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    store = Store(changed)
    rows = store.read("metrics")
    stack = rows["stack"].iloc[0]
    rows.loc[rows["metric"] == "accuracy", "value"] += 1e-9
    part = rows[rows["stack"] == stack].astype(object).where(lambda f: f.notna(), None)
    store.write("metrics", stack, part.to_dict("records"))
    outcome = call("verify", str(changed), "--sample", "10")
    assert outcome.code == 2
    assert "expected differences of at most 0" in outcome.err


def test_a_failing_cell_is_noted_and_the_others_go_on(tmp_path, monkeypatch, whole):
    from cftrain.grid import launch

    trained = launch.run_stack

    def breaks(cells, *arguments, **options):
        if any(cell.run.search.step_size == 0.5 for cell in cells):
            raise RuntimeError("the cell that breaks")
        trained(cells, *arguments, **options)

    monkeypatch.setattr(launch, "run_stack", breaks)
    folder = tmp_path / "grid"
    outcome = call(*small(folder, "workers=1", "stack_width=9"))
    assert outcome.code == 1
    assert "3 cells failed" in outcome.err
    assert len(Store(folder).done()) == 7
    assert set(Store(folder).failed().values()) == {
        "RuntimeError: the cell that breaks"
    }
    shown = call("status", str(folder))
    assert "7 done, 3 failed, 0 missing of 10" in shown.out
    assert "the cell that breaks" in shown.out
    monkeypatch.setattr(launch, "run_stack", trained)
    left = call(*small(folder, "workers=1"))
    assert left.code == 1
    again = call(*small(folder, "workers=1", "retry=failed"))
    assert again.code == 0, again.err
    pd.testing.assert_frame_equal(numbers(folder), numbers(whole), check_exact=True)


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
    pd.testing.assert_frame_equal(numbers(folder), numbers(longer), check_exact=True)


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
    limit = 20_000

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
    pd.testing.assert_frame_equal(numbers(folder), numbers(whole), check_exact=True)


def test_coordinates_are_json(whole):
    table = pd.read_parquet(whole / "points.parquet")
    assert set(json.loads(table["coordinates"][0])) == {
        "search.step_size",
        "objective.ridge_weight",
    }
