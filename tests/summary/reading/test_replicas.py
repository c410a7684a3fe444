from cftrain.results.store import Store
from cftrain.summary.reading.collection import collect
from cftrain.summary.reading.replicas import replicas
from tests.summary.rows import PROTOCOL, write_evaluation
from tests.summary.stores import cell, cells, write_grid


def test_cells_that_differ_in_their_seeds_belong_together(tmp_path):
    rows = cells(["moons", "gmsc"], ["full", "vanilla"], [3, 1])
    (found,) = replicas(write_grid(tmp_path, rows))
    assert set(found.cells.index) == {row["cell"] for row in rows}
    assert list(found.cells.columns) == ["data", "objective", "seed", "protocol"]
    assert set(found.of_first_seed()["seed"]) == {1}


def test_a_dataset_with_several_settings_is_left_out(tmp_path):
    """As in a grid of hyperparameters: a mean over its cells says nothing."""
    rows = cells(["moons", "gmsc"], ["full", "vanilla"], [1])
    rows.append(cell("moons", "full", 2, config={"threshold": 0.9}))
    (found,) = replicas(write_grid(tmp_path, rows))
    assert set(found.cells["data"]) == {"gmsc"}


def test_protected_features_and_failed_cells_are_apart(tmp_path):
    rows = cells(["moons"], ["full", "vanilla"], [1])
    rows += [
        cell("moons", "full", 1, cell="held", protected=2),
        cell("moons", "full", 4, status="failed", reason="diverged"),
    ]
    free, held = sorted(replicas(write_grid(tmp_path, rows)), key=lambda g: g.protected)
    assert set(free.cells.index) == {"moons-full-1", "moons-vanilla-1"}
    assert (free.name, free.title) == ("ablation", "ablation")
    assert list(held.cells.index) == ["held"]
    assert held.name == "ablation-protected"
    assert held.title == "ablation, protected features"


def test_figures_show_one_protocol_and_name_the_others(tmp_path):
    rows = cells(["moons", "gmsc"], ["full", "vanilla"], [1])
    write_grid(tmp_path, rows)
    again = [row for row in rows if row["data"] == "moons"]
    write_evaluation(Store(tmp_path), "e", again, protocol="newer", age=-2)
    (found,) = replicas(collect(tmp_path))
    shown = found.cells.groupby("data")["protocol"].agg(set)
    assert shown.to_dict() == {"moons": {"newer"}, "gmsc": {PROTOCOL}}
    assert found.note(["gmsc"]) == ""
    assert found.note(["gmsc", "moons"]) == (
        " Other evaluations, by protocol q, are left out."
    )


def test_grids_of_hyperparameters_have_no_replicas(tmp_path):
    rows = [cell("moons", "full", 1, cell=name, config={"t": name}) for name in "ab"]
    assert replicas(write_grid(tmp_path, rows)) == []
