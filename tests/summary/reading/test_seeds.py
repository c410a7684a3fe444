"""Trained models with their other seeds, as `cftrain show` prints them."""

from cftrain.summary.reading.seeds import by_seed
from tests.summary.rows import PROTOCOL
from tests.summary.stores import cells, write_grid


def test_models_that_differ_in_their_seeds_stand_together_in_order(tmp_path):
    rows = cells(["moons"], ["full", "vanilla"], [3, 1])
    (found,) = by_seed(write_grid(tmp_path, rows))
    assert found.cells == (
        ("moons-full-1", "moons-vanilla-1"),
        ("moons-full-3", "moons-vanilla-3"),
    )
    assert found.protocol == PROTOCOL
    assert found.coordinates == {"axis": "1"}


def test_other_data_and_objectives_stand_apart(tmp_path):
    rows = cells(["moons", "circles"], ["full"], [1])
    found = by_seed(write_grid(tmp_path, rows))
    assert [each.cells for each in found] == [
        (("moons-full-1",),),
        (("circles-full-1",),),
    ]


def test_a_baseline_of_nobody_stands_alone(tmp_path):
    (found,) = by_seed(write_grid(tmp_path, cells(["moons"], ["vanilla"], [1])))
    assert found.cells == (("moons-vanilla-1",),)
    assert found.coordinates == {}


def test_coordinates_in_which_seeds_differ_are_no_name(tmp_path):
    rows = cells(["moons"], ["full"], [1, 2])
    places = {f"moons-full-{seed}": {"seed": seed, "tau": 0.5} for seed in (1, 2)}
    (found,) = by_seed(write_grid(tmp_path, rows, coordinates=places))
    assert found.coordinates == {"tau": "0.5"}
