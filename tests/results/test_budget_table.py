"""Tables of budgets that somebody else has written: told as they are, or refused."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cftrain.errors import ResultError
from cftrain.results.budget.table import (
    BUDGETS,
    FILE,
    add_budget,
    given_up,
    load_budgets,
)
from cftrain.results.parts.parquet import write_parquet
from tests.results.rows import LIMITS, curve_of

CELLS = {"c0": 0.0, "c1": 0.1, "c2": 1.0}


def curve(**changed: Any) -> list[dict[str, Any]]:
    """The baseline and two strengths, of which the stronger is kept."""
    return [{**row, **changed} for row in curve_of(CELLS, kept="c2")]


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    write_parquet(folder / FILE, pa.Table.from_pylist(rows, schema=BUDGETS))
    return folder


def configured(**changed: Any) -> list[dict[str, Any]]:
    return curve(config=json.dumps({**LIMITS, **changed}))


def last(**changed: Any) -> list[dict[str, Any]]:
    *others, row = curve()
    return [*others, {**row, **changed}]


HOSTILE = {
    "a path as a budget": (curve(budget="../../x"), "budget: expected an id"),
    "signs that steer": (curve(budget="\x1b[31m"), "budget: expected an id"),
    "a path as a baseline": (curve(baseline="../x"), "baseline: expected an id"),
    "a path as a cell": (last(cell="../x"), "cell: expected an id"),
    "nothing kept": (curve(kept=False), "one row that is kept, got 0"),
    "all kept": (curve(kept=True), "one row that is kept, got 3"),
    "kept or not": (last(kept=None), "a kept in every row"),
    "within or not": (last(within=None), "a within in every row"),
    "no strength": (last(strength=None), "a strength in every row"),
    "no date": (last(created=None), "created: expected a value"),
    "a strength that is no number": (last(strength=float("nan")), "strength of at lea"),
    "a strength below 0": (last(strength=-1.0), "a strength of at least 0"),
    "rows below 0": (curve(rows=-5), "rows of at least 0"),
    "no measure": (curve(measure=None), "a measure of letters"),
    "a measure with signs": (curve(measure="\x1b]0;x\x07<b>"), "a measure of letters"),
    "a value too large to draw": (last(value=1e308), "value of at most 1e"),
    "an error too large to draw": (curve(reach_error=1e200), "reach_error of at most"),
    "a cell twice": (last(cell="c1"), "each cell once"),
    "two baselines": (last(baseline="c1"), "the same baseline in all"),
    "no baseline": (curve(baseline="c9"), "the baseline among its rows"),
    "a list": (curve(config="[]"), "expected a configuration"),
    "half a configuration": (curve(config="{"), "a configuration as JSON"),
    "a deep configuration": (curve(config="[" * 100_000), "a configuration as JSON"),
    "an empty configuration": (curve(config="{}"), "accuracy too, got None"),
    "a text as a limit": (configured(accuracy="x"), "accuracy too, got x"),
    "a list as a limit": (configured(reach=[1]), "reach too"),
    "no limit that is a number": (configured(validity=float("nan")), "validity too"),
    "a text as errors": (configured(standard_errors="\x1b"), "standard_errors too"),
    "no errors": (configured(standard_errors=None), "standard_errors too, got None"),
}


def test_a_curve_is_read_as_it_was_written(tmp_path):
    add_budget(tmp_path, curve())
    found = load_budgets(tmp_path)
    assert found["cell"].tolist() == ["c0", "c1", "c2"]
    assert given_up(found) == {"c0", "c1"}


def test_what_could_not_be_measured_is_no_number(tmp_path):
    rows = [*curve()[:2], last(value=float("nan"), accuracy=None)[-1]]
    rows[1]["value"] = float("inf")
    found = load_budgets(written(tmp_path, rows))
    assert found["value"].isna().tolist() == [False, False, True]


def test_the_baseline_may_be_what_a_strength_is(tmp_path):
    """Earlier versions wrote it twice then."""
    rows = curve()
    rows[1]["cell"] = rows[0]["cell"]
    assert len(load_budgets(written(tmp_path, rows))) == 3


def test_a_date_that_python_does_not_have_is_no_error_of_ours(tmp_path):
    table = pa.Table.from_pylist(curve(), schema=BUDGETS)
    late = pa.array([2**62] * 3, pa.int64()).cast(BUDGETS.field("created").type)
    place = BUDGETS.names.index("created")
    write_parquet(tmp_path / FILE, table.set_column(place, "created", late))
    assert load_budgets(tmp_path)["kept"].sum() == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_told_is_refused(name, tmp_path):
    rows, reason = HOSTILE[name]
    folder = written(tmp_path, rows)
    for use in (load_budgets, lambda folder: add_budget(folder, curve(budget="b1"))):
        with pytest.raises(ResultError, match=f"{FILE}.*{reason}"):
            use(folder)


def test_a_pipe_is_no_table_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(ResultError, match=FILE):
        load_budgets(tmp_path)
