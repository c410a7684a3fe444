import pytest

from cftrain.errors import ResultError
from cftrain.results.points import save_points
from cftrain.results.store import Store
from cftrain.summary.reading.collection import SINGLE, collect
from tests.results.rows import cell_row, metric_rows, write_stack


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
    save_points(
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
    metrics = found.read("metrics", ["ct", "g1", "nobody"])
    assert dict(zip(metrics["cell"], metrics["value"], strict=True)) == {
        "ct": 1.0,
        "g1": 2.0,
    }
    assert found.read("metrics", []).empty
    assert found.cells.loc["g1", "folder"] == str(root / "deep" / "grid")


def test_of_a_cell_in_two_folders_the_newest_counts(root):
    newer = Store(root / "newer")
    cells = [cell_row("ct", "z", age=-1)]
    write_stack(newer, "z", cells, metric_rows("ct", "z", "ip", {(0.1, 0): 5.0}))
    found = collect(root)
    assert found.cells.loc["ct", "folder"] == str(newer.folder)
    assert list(found.read("metrics", ["ct"])["value"]) == [5.0]


def test_no_results_are_an_error(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ResultError, match="expected results of cftrain train"):
            collect(folder)
