"""Rows of result tables made by hand, as one stack of cells and its evaluation."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cftrain.results.schema import OF_EVALUATION, TABLES
from cftrain.results.store import Store

START = datetime(2025, 1, 1, tzinfo=UTC)
PROTOCOL = "protocol"
CONFIG = {"search": {"max_steps": 30}, "schedule": {"epochs": 2}}


def row(table: str, **values: Any) -> dict[str, Any]:
    """A row with null in all columns that are not given."""
    unknown = values.keys() - set(TABLES[table].names)
    assert not unknown, unknown
    empty = dict.fromkeys(TABLES[table].names)
    keys = {"cell": "c", "stack": "s"}
    if table in OF_EVALUATION:
        keys["protocol"] = PROTOCOL
    return {**empty, **keys, **values}


def cell_row(cell: str, stack: str, *, age: int = 0, **values: Any) -> dict[str, Any]:
    """A finished cell; the larger its age in days, the longer ago."""
    given = {
        "status": "done",
        "objective": "full",
        "pair": "p",
        "data": "moons",
        "data_source": "generated",
        "train_rows": 10,
        "test_rows": 5,
        "model": "mlp",
        "generator": "ecco",
        "seed": 1,
        "config": json.dumps(CONFIG),
        "seconds": 1.5,
        "created": START - timedelta(days=age),
    }
    return row("cells", cell=cell, stack=stack, **{**given, **values})


def evaluation_row(
    cell: str, stack: str, *, age: int = 0, **values: Any
) -> dict[str, Any]:
    """A finished evaluation, an hour after the cell of the same age."""
    given = {
        "status": "done",
        "seconds": 0.5,
        "created": START - timedelta(days=age) + timedelta(hours=1),
    }
    return row("evaluations", cell=cell, stack=stack, **{**given, **values})


def metric_rows(
    cell: str,
    stack: str,
    metric: str,
    values: dict[tuple[float | None, int | None], float | None],
    *,
    higher_is_better: bool = False,
    epsilon: float | None = None,
    protocol: str = PROTOCOL,
) -> list[dict[str, Any]]:
    """Values by energy weight and round."""
    return [
        row(
            "metrics",
            cell=cell,
            stack=stack,
            protocol=protocol,
            metric=metric,
            unit="unit",
            higher_is_better=higher_is_better,
            energy_weight=weight,
            round=number,
            epsilon=epsilon,
            value=value,
            rows=0 if value is None else 3,
        )
        for (weight, number), value in values.items()
    ]


def write_stack(
    store: Store,
    stack: str,
    cells: list[dict[str, Any]],
    metrics: list[dict[str, Any]] | None = None,
    history: list[dict[str, Any]] | None = None,
    gallery: list[dict[str, Any]] | None = None,
) -> None:
    """A stack that was trained, and evaluated where it is done."""
    store.write("history", stack, history or [])
    store.write("cells", stack, cells)
    write_evaluation(store, stack, cells, metrics=metrics or [], gallery=gallery or [])


def write_evaluation(
    store: Store,
    stack: str,
    cells: list[dict[str, Any]],
    protocol: str = PROTOCOL,
    age: int = 0,
    **tables: list[dict[str, Any]],
) -> None:
    """What was measured on the finished ones of some cells, by one protocol."""
    for table, rows in tables.items():
        store.write(table, stack, rows)
    done = [each for each in cells if each["status"] == "done"]
    store.write(
        "evaluations",
        stack,
        [
            {
                **evaluation_row(each["cell"], stack, age=age, protocol=protocol),
                "created": each["created"] + timedelta(hours=1, days=-age),
            }
            for each in done
        ],
    )
