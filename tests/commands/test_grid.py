"""A whole grid: the same numbers however it is run, and whatever happens to it."""

import json
import math
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import safetensors.torch

from cftrain.results.points import load_points
from cftrain.results.store import Store, done
from cftrain.training.trainer import Trainer
from tests.commands.grids import no_training, numbers, same_numbers, small
from tests.console import call, files, spawn

MPIRUN = Path(sys.executable).with_name("mpirun")


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
    values = {axes["search.step_size"] for axes in points["coordinates"]}
    assert values == {0.1, 0.5, 1.0}
    store = Store(whole)
    assert set(points["cell"]) == done(store.cells()) == done(store.evaluations())
    assert len(done(store.cells())) == 10
    assert not (whole / "checkpoints").exists()


def test_what_was_said_is_logged(whole):
    log = (whole / "log.txt").read_text()
    assert log.count("$ cftrain grid ") == 1
    assert "10 distinct cells, " in log
    assert "grid: cell 10 of 10, " in log
    assert "10 of 10 cells done" in log


@pytest.mark.parametrize("overrides", [("workers=2",), ("workers=1", "stack_width=1")])
def test_workers_and_widths_do_not_change_a_bit(whole, tmp_path, overrides):
    outcome = spawn(*small(tmp_path / "grid", *overrides), cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    same_numbers(tmp_path / "grid", whole)


@pytest.mark.mpi
@pytest.mark.skipif(not MPIRUN.exists(), reason="no mpirun beside this Python")
def test_ranks_do_not_change_a_bit(whole, tmp_path):
    outcome = spawn(
        *small(tmp_path / "grid"), launcher=(str(MPIRUN), "-n", "3"), cwd=tmp_path
    )
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("10 of 10 cells done") == 1
    log = (tmp_path / "grid" / "log.txt").read_text()
    assert log.count("10 of 10 cells done") == log.count("$ cftrain grid ") == 1
    same_numbers(tmp_path / "grid", whole)


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


def copied(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "grid"))


def created(folder: Path) -> dict[str, object]:
    """When every cell was trained."""
    return Store(folder).cells().set_index("cell")["created"].to_dict()


def test_a_finished_grid_is_not_repeated(whole, monkeypatch):
    before = files(whole)
    monkeypatch.setattr(Trainer, "train", no_training)
    outcome = call(*small(whole, "workers=1"))
    assert outcome.code == 0
    assert "10 of them trained; 0 to train and 0 to evaluate in 0 stack" in outcome.out
    assert files(whole) == before


def test_another_evaluation_trains_nothing_and_both_are_kept(
    whole, tmp_path, monkeypatch
):
    folder = copied(whole, tmp_path)
    monkeypatch.setattr(Trainer, "train", no_training)
    outcome = call(*small(folder, "workers=1", "evaluation.rounds=3"))
    assert outcome.code == 0, outcome.err
    assert "0 to train and 10 to evaluate" in outcome.out
    assert created(folder) == created(whole)
    found, first = numbers(folder), numbers(whole)
    assert found["protocol"].nunique() == 2
    (protocol,) = first["protocol"].unique()
    pd.testing.assert_frame_equal(
        found[found["protocol"] == protocol].reset_index(drop=True),
        first,
        check_exact=True,
    )
    again = call(*small(folder, "workers=1", "evaluation.rounds=3"))
    assert "0 to train and 0 to evaluate" in again.out


def test_a_grid_with_more_values_goes_on_in_the_same_folder(whole, tmp_path):
    folder = copied(whole, tmp_path)
    before = load_points(whole)
    more = "grid.axes={search.step_size: [0.1, 0.2], objective.ridge_weight: [0.1]}"
    outcome = call(*small(folder, "workers=1", more))
    assert outcome.code == 0, outcome.err
    assert "1 to train and 1 to evaluate" in outcome.out
    after = load_points(folder)
    pd.testing.assert_frame_equal(after[: len(before)], before)
    (added,) = [tuple(axes.values()) for axes in after["coordinates"][18::2]]
    assert added == (0.2, 0.1)
    assert len(after) == 20
    kept = created(folder)
    assert created(whole).items() <= kept.items()
    assert len(kept) == 11
    assert set(after["cell"]) == done(Store(folder).evaluations())


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
    assert "10 trained, 0 failed, 0 missing of 10" in shown.out
    assert "10 evaluated, 0 failed" in shown.out
    message = call("status", str(tmp_path)).message
    assert message == f"{tmp_path}: expected results of cftrain, got none"


def test_verify_repeats_cells_alone_bit_for_bit(whole):
    outcome = call("verify", str(whole), "sample=3")
    assert outcome.code == 0, outcome.err
    assert "3 cells repeated, all numbers agree" in outcome.out


def test_verify_sees_a_changed_number(whole, tmp_path):
    changed = copied(whole, tmp_path)
    store = Store(changed)
    rows = store.rows("metrics", store.evaluations())
    stack = rows["stack"].iloc[0]
    rows.loc[rows["metric"] == "accuracy", "value"] += 1e-9
    part = rows[rows["stack"] == stack].astype(object).where(lambda f: f.notna(), None)
    store.write("metrics", stack, part.to_dict("records"))
    outcome = call("verify", str(changed), "sample=10")
    assert outcome.code == 2
    assert "expected differences of at most 0" in outcome.err
    near = call("verify", str(changed), "sample=10", "tolerance=1e-8")
    assert near.code == 0, near.err


@pytest.mark.parametrize("damage", ["missing", "another", "broken", "changed"])
def test_verify_sees_weights_that_are_not_those_of_the_numbers(whole, tmp_path, damage):
    changed = copied(whole, tmp_path)
    path, other = sorted((changed / "weights").iterdir())[:2]
    held = safetensors.torch.load_file(path)
    path.unlink()
    if damage == "another":
        shutil.copy(other, path)
    elif damage != "missing":
        held["0.bias"] += math.nan if damage == "broken" else 1e-6
        cell = {"cell": path.stem, "codec": "{}"}
        safetensors.torch.save_file(held, path, metadata=cell)
    assert call("verify", str(changed), "sample=10").code == 2
    near = call("verify", str(changed), "sample=10", "tolerance=1e-8")
    assert near.code == (0 if damage == "changed" else 2)


@pytest.mark.parametrize("word", ["sample=0", "tolerance=-1", "sample=x", "samples=3"])
def test_verify_refuses_what_it_could_not_do(whole, word):
    assert f"{word.split('=')[0]}: expected" in call("verify", str(whole), word).message


def test_coordinates_are_json(whole):
    table = pd.read_parquet(whole / "points.parquet")
    assert set(json.loads(table["coordinates"][0])) == {
        "search.step_size",
        "objective.ridge_weight",
    }
