from dataclasses import replace

import pytest

from cftrain.summary.tables.layout import Column
from cftrain.summary.tables.layouts.by_dataset import ByDataset
from cftrain.summary.tables.quantities.hyperparameter import Hyperparameter
from cftrain.summary.tables.quantities.level import Levels
from cftrain.summary.tables.quantities.reduction import FirstSeed
from cftrain.summary.tables.quantity import Quantity
from tests.summary.experiments import (
    SELECTION,
    Pair,
    reader_of,
    values,
    write_grid,
)


def column(key: str, shows: Quantity, metric: str | None = "ip") -> Column:
    return Column(
        key=key, group="g", title="t", metric=metric, trained=SELECTION, shows=shows
    )


def by_dataset(*columns: Column, datasets: str = "any") -> ByDataset:
    return ByDataset(
        name="some",
        title="Some",
        caption="Of it.",
        datasets=datasets,
        average=True,
        columns=columns,
    )


def pair(data: str, ours: float, theirs: float | None, **given) -> Pair:
    baseline = None if theirs is None else {"ip": values(theirs)}
    return Pair(data=data, model={"ip": values(ours)}, baseline=baseline, **given)


def test_datasets_stand_in_the_papers_order_and_then_their_average(tmp_path):
    write_grid(
        tmp_path,
        [pair("own", 1.0, 4.0), pair("adult", 1.0, 2.0), pair("moons", 1.0, 1.0)],
    )
    layout = by_dataset(column("ip", FirstSeed()), column("level", Levels()))
    table = layout.table(reader_of(tmp_path))
    assert [row.labels for row in table.rows] == [
        ("Moon",),
        ("Adult",),
        ("own",),
        ("Avg.",),
    ]
    assert [row.entries[0].value for row in table.rows] == [0, 50, 75, 125 / 3]
    average = table.rows[-1]
    assert average.entries[1].before == pytest.approx((1 + 2 + 4) / 3)
    assert average.summary


@pytest.mark.parametrize(
    ("datasets", "expected"), [("any", ["Moon", "Adult", "Avg."]), ("all", ["Adult"])]
)
def test_a_line_for_what_any_or_all_columns_have(datasets, expected, tmp_path):
    write_grid(tmp_path / "a", [pair("moons", 1.0, 2.0), pair("adult", 1.0, 2.0)])
    write_grid(tmp_path / "b", [pair("adult", 1.0, 2.0)], grid="draws")
    other = column("draws", FirstSeed())
    other = replace(other, trained=replace(SELECTION, grids=("draws",)))
    layout = by_dataset(column("ip", FirstSeed()), other, datasets=datasets)
    rows = layout.table(reader_of(tmp_path)).rows
    assert [row.labels[0] for row in rows] == expected


def test_what_is_left_out_is_said_once_for_all_its_rows(tmp_path):
    pairs = [
        pair(data, 1.0, 2.0, seed=seed, protocol=protocol)
        for data in ("moons", "gmsc")
        for seed, protocol in ((1, "q"), (2, "old"), (3, "q"))
    ]
    write_grid(tmp_path, pairs)
    columns = column("ip", FirstSeed()), column("ip", FirstSeed())
    table = by_dataset(*columns).table(reader_of(tmp_path))
    assert table.footnotes() == {}
    assert table.below() == (
        "Moon, GMSC: evaluated by protocol q; evaluations by old are left out "
        "(protocol=ID shows them)",
    )


def test_hyperparameters_are_the_same_whoever_measured_the_models(tmp_path):
    pairs = [pair("moons", 1.0, 2.0), pair("moons", 1.0, 2.0, seed=2, protocol="old")]
    write_grid(tmp_path, pairs)
    shown = column("steps", Hyperparameter(key="search.max_steps"))
    table = by_dataset(shown).table(reader_of(tmp_path))
    assert table.below() == ()


def test_traces_call_models_by_their_own_objectives(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, 2.0, objective="energy")])
    energy = replace(SELECTION, objective="energy")
    columns = [
        replace(column(key, shows), trained=energy)
        for key, shows in (("ip", FirstSeed()), ("level", Levels()))
    ]
    (row,) = by_dataset(*columns).table(reader_of(tmp_path)).rows
    traces = "\n".join(line for entry in row.entries for line in entry.trace)
    assert "ratio CD/BL" in traces
    assert "CD: 1 (seed 1)" in traces
    assert "CT" not in traces


def test_one_dataset_needs_no_average(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, 2.0)])
    table = by_dataset(column("ip", FirstSeed())).table(reader_of(tmp_path))
    assert [row.labels for row in table.rows] == [("Moon",)]


def test_what_concerns_one_entry_is_said_there_and_not_averaged(tmp_path):
    several = [pair("gmsc", 1.0, 2.0, setting={"a": number}) for number in (1, 2)]
    write_grid(tmp_path, [pair("moons", 1.0, 2.0), pair("adult", 1.0, None), *several])
    table = by_dataset(column("ip", FirstSeed())).table(reader_of(tmp_path))
    shown = [row.entries[0].shown() for row in table.rows]
    assert shown == ["50.0", "no baseline", "2 settings", "50.0"]
    assert table.rows[-1].entries[0].note == (
        "mean over the 1 of 3 datasets that have a value"
    )


def test_an_average_of_nothing_is_empty(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, None), pair("adult", 1.0, None)])
    table = by_dataset(column("ip", FirstSeed())).table(reader_of(tmp_path))
    assert table.rows[-1].entries[0].shown() == "–"
    assert not table.has_values


def test_an_entry_tells_where_it_comes_from(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, 2.0, seed=7)])
    table = by_dataset(column("ip", FirstSeed())).table(reader_of(tmp_path))
    entry = table.rows[0].entries[0]
    trace = "\n".join([*entry.lineage(), *entry.trace])
    for said in ("seed 7", "main-0-ct", "main-0-bl", "energy weight 0.1", ".parquet"):
        assert said in trace
