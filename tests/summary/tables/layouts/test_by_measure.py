"""A table with a block for each dataset."""

from cftrain.results.store import Store
from cftrain.summary.tables.layouts.by_measure import ByMeasure
from cftrain.summary.tables.quantities.level import Level
from tests.summary.experiments import reader_of, values, write_grid
from tests.summary.rows import metric_rows
from tests.summary.tables.layouts.test_by_dataset import column, pair

SHOWN = column("CT", Level(side="model", centre="mean", interval="t"), None)


def test_a_block_of_measures_for_each_dataset_at_every_strength(tmp_path):
    write_grid(tmp_path, [pair("moons", 1.0, 2.0), pair("adult", 3.0, 4.0)])
    reader = reader_of(tmp_path)
    attacked = [
        row
        for epsilon in (0.1, 0.03)
        for row in metric_rows(
            "main-0-ct",
            "main-0",
            "fgsm_accuracy",
            {(None, None): epsilon},
            epsilon=epsilon,
        )
    ]
    kept = metric_rows("main-0-ct", "main-0", "ip", dict(values(1.0)))
    Store(tmp_path).write("metrics", "main-0", [*kept, *attacked])
    table = by_measure().table(reader)
    assert [row.labels for row in table.rows] == [
        ("Moon", "IP"),
        ("Moon", "FGSM 0.03"),
        ("Moon", "FGSM 0.1"),
        ("Adult", "IP"),
    ]
    assert [row.entries[0].value for row in table.rows] == [1, 0.03, 0.1, 3]
    assert table.find(["moons", "fgsm_accuracy 0.03", "ct"])[2].value == 0.03
    chosen = by_measure(0.1, 0.5).table(reader)
    assert [row.labels[1] for row in chosen.rows] == ["IP", "FGSM 0.1", "IP"]


def by_measure(*strengths: float) -> ByMeasure:
    return ByMeasure(
        name="some",
        title="Some",
        caption="Of it.",
        metrics=("ip", "fgsm_accuracy", "nosuch"),
        strengths=strengths,
        columns=(SHOWN,),
    )
