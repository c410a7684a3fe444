"""A whole grid: the same numbers however it is run, and whatever happens to it."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from cftrain.results.points import load_points
from cftrain.results.store import Store
from tests.commands.grids import numbers, small
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


def test_coordinates_are_json(whole):
    table = pd.read_parquet(whole / "points.parquet")
    assert set(json.loads(table["coordinates"][0])) == {
        "search.step_size",
        "objective.ridge_weight",
    }
