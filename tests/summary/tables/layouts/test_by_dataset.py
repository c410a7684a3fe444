import pytest

from cftrain.summary.tables.layout import Column
from cftrain.summary.tables.layouts.by_dataset import ByDataset
from cftrain.summary.tables.quantities.level import Levels
from cftrain.summary.tables.quantities.reduction import FirstSeed
from cftrain.summary.tables.quantity import Quantity
from tests.summary.experiments import (
    SELECTION,
    Pair,
    evidence_of,
    values,
    write_grid,
)


def column(key: str, shows: Quantity, metric: str | None = "ip") -> Column:
    return Column(
        key=key, group="g", title="t", metric=metric, trained=SELECTION, shows=shows
    )


def by_dataset(*columns: Column) -> ByDataset:
    return ByDataset(
        name="some", title="Some", caption="Of it.", average=True, columns=columns
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
    table = layout.table(evidence_of(tmp_path))
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


def test_one_dataset_needs_no_average(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, 2.0)])
    table = by_dataset(column("ip", FirstSeed())).table(evidence_of(tmp_path))
    assert [row.labels for row in table.rows] == [("Moon",)]


def test_what_concerns_one_entry_is_said_there_and_not_averaged(tmp_path):
    several = [pair("gmsc", 1.0, 2.0, setting={"a": number}) for number in (1, 2)]
    write_grid(tmp_path, [pair("moons", 1.0, 2.0), pair("adult", 1.0, None), *several])
    table = by_dataset(column("ip", FirstSeed())).table(evidence_of(tmp_path))
    shown = [row.entries[0].shown() for row in table.rows]
    assert shown == ["50.0", "no baseline", "2 settings", "50.0"]
    assert table.rows[-1].entries[0].note == (
        "mean over the 1 of 3 datasets that have a value"
    )


def test_an_average_of_nothing_is_empty(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, None), pair("adult", 1.0, None)])
    table = by_dataset(column("ip", FirstSeed())).table(evidence_of(tmp_path))
    assert table.rows[-1].entries[0].shown() == "–"
    assert not table.has_values


def test_an_entry_tells_where_it_comes_from(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, 2.0, seed=7)])
    table = by_dataset(column("ip", FirstSeed())).table(evidence_of(tmp_path))
    entry = table.rows[0].entries[0]
    trace = "\n".join([*entry.lineage(), *entry.trace])
    for said in ("seed 7", "main-0-ct", "main-0-bl", "energy weight 0.1", ".parquet"):
        assert said in trace
