"""Rows of result tables made by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from cftrain.results.schema import TABLES
from cftrain.results.store import Store

START = datetime(2025, 1, 1, tzinfo=UTC)


def row(table: str, **values: Any) -> dict[str, Any]:
    """A row with null in all columns that are not given."""
    unknown = values.keys() - set(TABLES[table].names)
    assert not unknown, unknown
    empty = dict.fromkeys(TABLES[table].names)
    return {**empty, "cell": "c", "stack": "s", **values}


def cell_row(cell: str, stack: str, *, age: int = 0, **values: Any) -> dict[str, Any]:
    """A finished cell; the larger its age, the longer ago."""
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
        "epochs": 2,
        "max_steps": 30,
        "train_seconds": 1.5,
        "evaluate_seconds": 0.5,
        "created": START - timedelta(days=age),
    }
    return row("cells", cell=cell, stack=stack, **{**given, **values})


def metric_rows(
    cell: str,
    stack: str,
    metric: str,
    values: dict[tuple[float | None, int | None], float | None],
    *,
    higher_is_better: bool = False,
    epsilon: float | None = None,
) -> list[dict[str, Any]]:
    """Values by energy weight and round."""
    return [
        row(
            "metrics",
            cell=cell,
            stack=stack,
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
    """All parts of a stack, that of the cells last."""
    if gallery is not None:
        store.write("gallery", stack, gallery)
    store.write("history", stack, history or [])
    store.write("metrics", stack, metrics or [])
    store.write("cells", stack, cells)


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
