"""Rows of result tables made by hand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from cftrain.results.schema import TABLES
from cftrain.results.store import Store

START = datetime(2025, 1, 1, tzinfo=UTC)
KEYS = {"cell": "c", "stack": "s", "protocol": "q"}
"""What rows of a table are keyed by, as far as the table has it."""


def row(table: str, **values: Any) -> dict[str, Any]:
    """A row with null in all columns that are neither given nor keys."""
    names = TABLES[table].names
    unknown = values.keys() - set(names)
    assert not unknown, unknown
    keys = {name: key for name, key in KEYS.items() if name in names}
    return {**dict.fromkeys(names), **keys, **values}


def cell_row(cell: str, stack: str, *, age: int = 0, **values: Any) -> dict[str, Any]:
    """A finished cell; the larger its age, the longer ago."""
    given = {
        "status": "done",
        "objective": "full",
        "pair": "p",
        "data": "moons",
        "data_source": "generated",
        "data_identity": "generated:0",
        "train_rows": 10,
        "test_rows": 5,
        "model": "mlp",
        "generator": "ecco",
        "seed": 1,
        "config": "{}",
        "stack_cells": 1,
        "seconds": 1.5,
        "created": START - timedelta(days=age),
    }
    return row("cells", cell=cell, stack=stack, **{**given, **values})


def evaluation_row(
    cell: str, stack: str, *, age: int = 0, **values: Any
) -> dict[str, Any]:
    """A finished evaluation; the larger its age, the longer ago."""
    given = {
        "pictures": "",
        "status": "done",
        "stack_cells": 1,
        "seconds": 0.5,
        "created": START - timedelta(days=age),
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
    protocol: str = KEYS["protocol"],
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
    """All parts of a stack whose cells were trained and evaluated together.

    The markers come last: the table of cells, and that of evaluations.
    """
    store.write("history", stack, history or [])
    store.write("cells", stack, cells)
    if gallery is not None:
        store.write("gallery", stack, gallery)
    store.write("metrics", stack, metrics or [])
    protocols = {row["protocol"] for row in metrics or ()} or {KEYS["protocol"]}
    store.write(
        "evaluations",
        stack,
        [
            evaluation_row(
                cell["cell"], stack, protocol=protocol, created=cell["created"]
            )
            for cell in cells
            for protocol in sorted(protocols)
            if cell["status"] == "done"
        ],
    )


def sample(kind: pa.DataType) -> Any:
    """Some value of a column's type."""
    if pa.types.is_list(kind):
        return [0.5, -1.0]
    if pa.types.is_timestamp(kind):
        return START
    plain = {
        pa.string(): "text",
        pa.float64(): 0.25,
        pa.float32(): 0.5,
        pa.int64(): 7,
        pa.bool_(): True,
    }
    return plain[kind]


LIMITS = {
    "accuracy": 0.01,
    "validity": None,
    "reach": None,
    "measure": "ip",
    "standard_errors": 0.0,
}


def curve_of(
    cells: Mapping[str, float], *, kept: str, **changed: Any
) -> list[dict[str, Any]]:
    """What a budget has tried: cells and their strengths, the baseline first."""
    shared = {
        "budget": "b0",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "config": json.dumps(LIMITS),
        "baseline": next(iter(cells)),
        "rows": 30,
        "individuals": 20,
        "accuracy": 0.9,
        "accuracy_loss": 0.001,
        "accuracy_error": 0.002,
        "measure": "ip",
        "value": 1.5,
        "within": True,
    }
    return [
        {**shared, "cell": cell, "strength": strength, "kept": cell == kept, **changed}
        for cell, strength in cells.items()
    ]
