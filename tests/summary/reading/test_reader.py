import shutil
from dataclasses import replace
from pathlib import Path

from cftrain.results.store import Store
from cftrain.summary.reading.collection import collect
from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Selection
from tests.summary.experiments import (
    PUBLISHED,
    SELECTION,
    Pair,
    reader_of,
    values,
    write_grid,
)
from tests.summary.rows import PROTOCOL, cell_row, metric_rows, write_evaluation

PAIR = {"model": {"ip": values(1.0)}, "baseline": {"ip": values(2.0)}}


def selection(*grids: str, protected: bool = False) -> Selection:
    return Selection(
        grids=grids, objective="full", protected=protected, varies=("seed",)
    )


def test_trials_are_sorted_by_seed(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR, seed=seed) for seed in (7, 2, 5)])
    (trials,) = reader_of(tmp_path).trials(SELECTION, "moons").groups
    assert [trial.seed for trial in trials] == [2, 5, 7]
    assert (trials[0].model, trials[0].baseline) == ("main-1-ct", "main-1-bl")


def test_the_first_grid_that_has_a_dataset_is_taken_for_it(tmp_path):
    write_grid(tmp_path / "a", [Pair(**PAIR)], grid="single")
    write_grid(tmp_path / "b", [Pair(**PAIR), Pair(**PAIR, data="adult")], "ablation")
    reader = reader_of(tmp_path)
    chosen = selection("main", "single", "ablation")
    assert reader.datasets([chosen]) == ["moons", "adult"]
    for data, grid in (("moons", "single"), ("adult", "ablation")):
        ((trial,),) = reader.trials(chosen, data).groups
        assert trial.grid == grid
    assert reader.trials(selection("main"), "moons").groups == ()


def test_protected_models_are_others(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR), Pair(**PAIR, protected=1, data="adult")])
    reader = reader_of(tmp_path)
    assert reader.datasets([SELECTION]) == ["moons"]
    assert reader.datasets([selection("main", protected=True)]) == ["adult"]


def test_models_that_differ_in_more_than_their_seed_are_apart(tmp_path):
    pairs = [Pair(**PAIR, seed=seed, setting={"rows": 9}) for seed in (1, 2)]
    write_grid(tmp_path, [*pairs, Pair(**PAIR, setting={"rows": 8})])
    groups = reader_of(tmp_path).trials(SELECTION, "moons").groups
    assert [[trial.seed for trial in trials] for trials in groups] == [[1, 2], [1]]


def test_what_varies_besides_the_seed_can_be_chosen(tmp_path):
    pairs = [
        Pair(**PAIR, seed=seed, setting={"data": {"draw_seed": seed}})
        for seed in (1, 2)
    ]
    write_grid(tmp_path, pairs)
    reader = reader_of(tmp_path)
    assert len(reader.trials(SELECTION, "moons").groups) == 2
    drawn = replace(SELECTION, varies=("seed", "data.draw_seed"))
    assert len(reader.trials(drawn, "moons").groups) == 1


def test_other_sources_of_the_data_are_apart(tmp_path):
    other = Pair(**PAIR, seed=2, model_cell={"data_identity": "embedded:1"})
    write_grid(tmp_path, [Pair(**PAIR), other])
    assert len(reader_of(tmp_path).trials(SELECTION, "moons").groups) == 2


def test_the_newest_protocol_that_all_share_is_taken(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR, seed=seed) for seed in (1, 2)])
    for number in (0, 1):
        evaluate_again(tmp_path, number, "newer", age=-2)
    evaluate_again(tmp_path, 0, "newest", age=-3)
    reader = reader_of(tmp_path)
    found = reader.trials(SELECTION, "moons")
    ((first, second),) = found.groups
    assert (first.protocol, second.protocol) == ("newer", "newer")
    assert found.note == (
        "evaluated by protocol newer; evaluations by q, newest are left out "
        "(protocol=ID shows them)"
    )
    assert reader.left_out == {PROTOCOL, "newest"}
    assert list(reader.rows("metrics", first.model, "newer")["value"]) == [9.0]
    assert list(reader.rows("metrics", first.model, PROTOCOL)["value"]) == [1.0]


def test_a_protocol_that_is_asked_for_is_taken(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR)])
    evaluate_again(tmp_path, 0, "newer", age=-2)
    reader = Reader(collect(tmp_path, PROTOCOL), PUBLISHED)
    found = reader.trials(SELECTION, "moons")
    assert (found.groups[0][0].protocol, found.note) == (PROTOCOL, None)


def test_models_without_the_protocol_are_left_out_but_failures_are_not(tmp_path):
    failed = {"status": "failed", "reason": "diverged"}
    pairs = [
        Pair(**PAIR, seed=1),
        Pair(**PAIR, seed=2),
        Pair(**PAIR, seed=3, protocol="brief"),
        Pair(**PAIR, seed=4, model_cell=failed),
    ]
    write_grid(tmp_path, pairs)
    found = reader_of(tmp_path).trials(SELECTION, "moons")
    assert [trial.seed for trial in found.groups[0]] == [1, 2, 4]
    assert "evaluations by brief are left out" in found.note


def test_columns_side_by_side_share_a_protocol(tmp_path):
    """The newest of one column is not that of the other: the common one is taken."""
    write_grid(tmp_path, [Pair(**PAIR), Pair(**PAIR, objective="energy")])
    evaluate_again(tmp_path, 0, "newer", age=-2)
    reader = reader_of(tmp_path)
    beside = [SELECTION, replace(SELECTION, objective="energy")]
    for each in beside:
        ((trial,),) = reader.trials(each, "moons", beside).groups
        assert trial.protocol == PROTOCOL
    ((alone,),) = reader.trials(SELECTION, "moons").groups
    assert alone.protocol == "newer"


def test_columns_without_a_common_protocol_say_so(tmp_path):
    odd = Pair(**PAIR, objective="energy", protocol="brief")
    write_grid(tmp_path, [Pair(**PAIR), odd])
    beside = [SELECTION, replace(SELECTION, objective="energy")]
    reader = reader_of(tmp_path)
    notes = [reader.trials(each, "moons", beside).note for each in beside]
    assert notes == [
        "evaluated by protocol q; not by that of other columns",
        "evaluated by protocol brief; not by that of other columns",
    ]


def test_protected_models_have_a_protocol_of_their_own(tmp_path):
    held = Pair(**PAIR, protected=1, protocol="constrained")
    write_grid(tmp_path, [Pair(**PAIR), held])
    beside = [SELECTION, selection("main", protected=True)]
    reader = reader_of(tmp_path)
    assert [reader.trials(each, "moons", beside).note for each in beside] == [None] * 2


def test_points_are_those_that_can_be_compared(tmp_path):
    failed = {"status": "failed", "reason": "diverged"}
    pairs = [
        Pair(**PAIR, coordinates={"tau": 0.5}),
        Pair(**PAIR, coordinates={"tau": 0.6}, baseline_cell=failed),
        Pair(**PAIR, coordinates={"tau": 0.7}, protocol="brief"),
        Pair(**{**PAIR, "baseline": None}, coordinates={"tau": 0.8}),
    ]
    write_grid(tmp_path / "a", pairs)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    found = reader_of(tmp_path).points("main", "moons")
    assert [point.coordinates for point in found.points] == [{"tau": 0.5}]
    assert "by brief are left out" in found.note


def evaluate_again(folder: Path, number: int, protocol: str, *, age: int) -> None:
    """Another evaluation of a written pair, in which every model has the value 9."""
    store, stack = Store(folder), f"{protocol}-{number}"
    cells = [
        cell_row(f"main-{number}-{kind}", f"main-{number}") for kind in ("ct", "bl")
    ]
    metrics = [
        each
        for cell in cells
        for each in metric_rows(
            cell["cell"], stack, "ip", {(0.1, 0): 9.0}, protocol=protocol
        )
    ]
    write_evaluation(store, stack, cells, protocol=protocol, age=age, metrics=metrics)


def test_rows_are_those_of_the_cell(tmp_path):
    write_grid(tmp_path, [Pair(**PAIR)])
    reader = reader_of(tmp_path)
    metrics = reader.rows("metrics", "main-0-ct", PROTOCOL)
    assert metrics["value"].to_list() == [1.0]
    assert reader.rows("individuals", "main-0-ct", PROTOCOL).empty
    assert reader.rows("metrics", "main-0-ct", "nosuch").empty
    assert reader.file("metrics", "main-0-ct", PROTOCOL).is_file()
    assert reader.file("metrics", "main-0-ct", "nosuch") is None
    assert reader.file("cells", "main-0-ct", None).is_file()
