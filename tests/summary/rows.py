"""Cells and evaluations made by hand, as tables and figures need them."""

import json
from datetime import timedelta
from typing import Any

from cftrain.results.store import Store
from tests.results import rows
from tests.results.rows import KEYS, evaluation_row, metric_rows, row, write_stack

__all__ = ["cell_row", "metric_rows", "row", "write_evaluation", "write_stack"]

PROTOCOL = KEYS["protocol"]
CONFIG = json.dumps({"search": {"max_steps": 30}, "schedule": {"epochs": 2}})


def cell_row(cell: str, stack: str, *, age: int = 0, **values: Any) -> dict[str, Any]:
    """A finished cell that says for how long it was trained and searched."""
    return rows.cell_row(cell, stack, age=age, **{"config": CONFIG, **values})


def write_evaluation(
    store: Store,
    stack: str,
    cells: list[dict[str, Any]],
    protocol: str = PROTOCOL,
    age: int = 0,
    **tables: list[dict[str, Any]],
) -> None:
    """What was measured on the finished ones of some cells, by one protocol, an hour
    after they were trained; the larger its age in days, the earlier.
    """
    for table, found in {"metrics": [], **tables}.items():
        store.write(table, stack, found)
    later = timedelta(hours=1, days=-age)
    store.write(
        "evaluations",
        stack,
        [
            evaluation_row(
                cell["cell"], stack, protocol=protocol, created=cell["created"] + later
            )
            for cell in cells
            if cell["status"] == "done"
        ],
    )
