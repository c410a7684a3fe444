import shutil

import pandas as pd
import pytest

from cftrain.errors import ResultError
from cftrain.results.points import add_points
from cftrain.results.store import Store
from cftrain.summary.reading.collection import Collection, collect
from cftrain.summary.reading.pairs import SINGLE
from tests.summary.rows import (
    PROTOCOL,
    cell_row,
    metric_rows,
    row,
    write_evaluation,
    write_stack,
)


def point(number: int, role: str, cell: str, **coordinates) -> dict:
    return {
        "grid": "tune",
        "point": number,
        "coordinates": coordinates,
        "role": role,
        "cell": cell,
    }


@pytest.fixture
def root(tmp_path):
    """A trained pair, and a grid of two points with one shared baseline."""
    single = Store(tmp_path / "moons")
    cells = [
        cell_row("bl", "s", objective="vanilla"),
        cell_row("ct", "s", objective="full"),
    ]
    write_stack(single, "s", cells, metric_rows("ct", "s", "ip", {(0.1, 0): 1.0}))
    grid = Store(tmp_path / "deep" / "grid")
    cells = [
        cell_row("g0", "t", objective="vanilla", seed=3, pair="q", protected=2),
        cell_row("g1", "t", objective="full", seed=3, pair="q", protected=2),
        cell_row("g2", "t", objective="energy", seed=3, pair="r", protected=2),
    ]
    write_stack(grid, "t", cells, metric_rows("g1", "t", "ip", {(0.1, 0): 2.0}))
    add_points(
        grid.folder,
        [
            point(0, "model", "g1", tau=0.5),
            point(0, "baseline", "g0", tau=0.5),
            point(1, "model", "g2", tau=0.9),
            point(1, "baseline", "g0", tau=0.9),
            point(2, "model", "unfinished", tau=0.99),
            point(2, "baseline", "g0", tau=0.99),
        ],
    )
    return tmp_path


def values(found: Collection, *cells: str, protocol: str = PROTOCOL) -> dict:
    """The only value of each cell."""
    measured = pd.DataFrame(
        {"protocol": [protocol] * len(cells)}, index=pd.Index(cells, name="cell")
    )
    rows = found.of_evaluation("metrics", measured)
    return {} if rows.empty else dict(zip(rows["cell"], rows["value"], strict=True))


def test_twins_and_points_are_paired(root):
    pairs = collect(root).pairs.set_index("model")
    assert list(pairs.index) == ["g1", "g2", "ct"]
    assert list(pairs["baseline"]) == ["g0", "g0", "bl"]
    assert list(pairs["grid"]) == ["tune", "tune", SINGLE]
    assert list(pairs["coordinates"]) == [{"tau": 0.5}, {"tau": 0.9}, {}]
    assert list(pairs["seed"]) == [3, 3, 1]
    assert list(pairs["protected"])[:2] == [2, 2]
    assert list(pairs["objective"]) == ["full", "energy", "full"]


def test_a_folder_of_results_is_collected_itself(root):
    assert list(collect(root / "moons").pairs["model"]) == ["ct"]


def test_a_baseline_that_is_not_there_is_none(root):
    store = Store(root / "moons")
    write_stack(store, "s", [cell_row("ct", "s")])
    pairs = collect(root).pairs.set_index("model")
    assert pairs.loc["ct", "baseline"] is None


def test_tables_are_read_across_folders(root):
    found = collect(root)
    assert values(found, "ct", "g1", "nobody") == {"ct": 1.0, "g1": 2.0}
    assert values(found) == {}
    assert found.cells.loc["g1", "folder"] == str(root / "deep" / "grid")


def test_of_a_cell_in_two_folders_the_newest_counts(root):
    newer = Store(root / "newer")
    cells = [cell_row("ct", "z", age=-1)]
    write_stack(newer, "z", cells, metric_rows("ct", "z", "ip", {(0.1, 0): 5.0}))
    found = collect(root)
    assert found.cells.loc["ct", "folder"] == str(newer.folder)
    assert values(found, "ct") == {"ct": 5.0}


def test_a_failure_elsewhere_hides_no_result(root):
    newer = Store(root / "newer")
    write_stack(newer, "z", [cell_row("ct", "z", age=-1, status="failed")])
    found = collect(root)
    assert found.cells.loc["ct", "status"] == "done"
    assert values(found, "ct") == {"ct": 1.0}


def test_no_results_are_an_error(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ResultError, match="expected results of cftrain train"):
            collect(folder)


def test_history_is_that_of_the_newest_training(root):
    for age, name in ((2, "moons"), (1, "newer")):
        write_stack(
            Store(root / name),
            "z",
            [cell_row("h", "z", age=age)],
            history=[row("history", cell="h", stack="z", epoch=1, loss=float(age))],
        )
    assert list(collect(root).of_training("history", ["h"])["loss"]) == [1.0]


def test_what_train_adds_to_the_folder_of_a_grid_is_seen(root):
    grid = Store(root / "deep" / "grid")
    cells = [
        cell_row("n1", "u", pair="new"),
        cell_row("n0", "u", pair="new", objective="vanilla"),
    ]
    write_stack(grid, "u", cells)
    pairs = collect(root).pairs.set_index("model")
    assert list(pairs.loc["n1", ["grid", "baseline"]]) == [SINGLE, "n0"]
    assert len(pairs) == 4


def test_a_folder_that_was_copied_counts_once(root):
    before = collect(root).pairs
    shutil.copytree(root / "deep", root / "backup")
    pd.testing.assert_frame_equal(collect(root).pairs, before)


def test_what_a_copy_adds_is_added(root):
    """A copied folder whose models are then evaluated by another protocol."""
    shutil.copytree(root / "moons", root / "copy")
    copy = Store(root / "copy")
    cells = [cell_row("ct", "s")]
    metrics = metric_rows("ct", "e", "ip", {(0.1, 0): 7.0}, protocol="other")
    write_evaluation(copy, "e", cells, protocol="other", age=-1, metrics=metrics)
    found = collect(root)
    assert values(found, "ct") == {"ct": 1.0}
    assert values(found, "ct", protocol="other") == {"ct": 7.0}
    assert len(found.pairs) == 3


def test_failed_cells_are_neither_done_nor_measured(root):
    failed = cell_row("bad", "f", status="failed", reason="diverged")
    store = Store(root / "moons")
    write_stack(store, "f", [failed])
    write_evaluation(store, "f", [{**failed, "status": "done"}])
    found = collect(root)
    assert "bad" in found.cells.index
    assert "bad" not in found.done.index
    assert ("bad", PROTOCOL) in found.evaluations.index
    assert ("bad", PROTOCOL) not in found.measured.index


def test_a_protocol_is_chosen_by_the_start_of_its_id(root):
    assert len(collect(root, protocol="q").evaluations) == 5
    for start in ("x", "quick"):
        with pytest.raises(ResultError, match="start of one of q, got"):
            collect(root, protocol=start)
