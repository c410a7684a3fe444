import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.errors import ResultError
from cftrain.results.points import FILE, add_points, load_points


def point(number: int, cell: str, *, grid: str = "g", **axes: object) -> list[dict]:
    """A point and its baseline."""
    shared = {"grid": grid, "point": number, "coordinates": axes}
    return [
        {**shared, "role": "model", "cell": cell},
        {**shared, "role": "baseline", "cell": "b"},
    ]


def told(table: pd.DataFrame) -> list[tuple]:
    models = table[table["role"] == "model"]
    columns = ("point", "grid", "coordinates", "cell")
    return list(zip(*(models[column] for column in columns), strict=True))


def test_points_are_read_as_they_were_written(tmp_path):
    axes = {"zeta": 0.5, "alpha": None, "hidden": [32, 16], "generator": "ecco"}
    add_points(tmp_path, point(0, "a", **axes))
    found = load_points(tmp_path)
    assert list(found["role"]) == ["model", "baseline"]
    assert list(found["cell"]) == ["a", "b"]
    assert list(found["coordinates"][0].items()) == list(axes.items())


def test_another_grid_adds_its_points_whatever_its_axes(tmp_path):
    add_points(tmp_path, [*point(0, "a", x=1), *point(1, "c", x=2)])
    add_points(tmp_path, point(0, "d", grid="h", y="z"))
    assert told(load_points(tmp_path)) == [
        (0, "g", {"x": 1}, "a"),
        (1, "g", {"x": 2}, "c"),
        (2, "h", {"y": "z"}, "d"),
    ]


def test_the_same_points_twice_are_one(tmp_path):
    add_points(tmp_path, [*point(0, "a", x=1), *point(1, "c", x=2)])
    before = load_points(tmp_path)
    add_points(tmp_path, [*point(0, "c", x=2), *point(1, "a", x=1)])
    pd.testing.assert_frame_equal(load_points(tmp_path), before)
    add_points(tmp_path, [*point(0, "c", x=2), *point(1, "e", x=3)])
    assert told(load_points(tmp_path))[2:] == [(2, "g", {"x": 3}, "e")]


def test_points_with_other_cells_are_others(tmp_path):
    """The same axes of another base: both grids are asked for."""
    add_points(tmp_path, point(0, "a", x=1))
    add_points(tmp_path, point(0, "c", x=1))
    assert [cell for *_, cell in told(load_points(tmp_path))] == ["a", "c"]


def test_a_point_without_a_model_is_an_error(tmp_path):
    """Somebody gave a baseline a point of its own: found by torture."""
    model, baseline = point(0, "a", x=1)
    add_points(tmp_path, [model, {**baseline, "point": 1}])
    with pytest.raises(ResultError, match="a model in each point of the grid, got non"):
        load_points(tmp_path)


def test_a_folder_without_points_is_no_grid(tmp_path):
    with pytest.raises(ResultError, match="expected the results of a grid, got no"):
        load_points(tmp_path)


def test_a_damaged_table_is_an_error_and_stays(tmp_path):
    (tmp_path / FILE).write_bytes(b"no table")
    for attempt in (load_points, lambda folder: add_points(folder, point(0, "a"))):
        with pytest.raises(ResultError, match=f"{FILE}: expected a readable table"):
            attempt(tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"no table"


def test_points_of_format_2_are_refused_and_stay(tmp_path):
    """It had a column for each axis, and no format."""
    old = pa.table({"point": [0], "role": ["model"], "cell": ["a"], "x": [1]})
    pq.write_table(old, tmp_path / FILE)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(
        ResultError, match=r"got format none with columns .*; move the folder away"
    ):
        add_points(tmp_path, point(0, "a", x=1))
    assert (tmp_path / FILE).read_bytes() == before
