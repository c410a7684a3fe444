"""What budgets have tried and kept, as one small table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from cftrain.results.budget.curve import LIMITED, check_curves
from cftrain.results.identifiers import check_columns
from cftrain.results.parts.parquet import Unreadable, read_parquet, write_parquet
from cftrain.results.schema import FORMAT, NUMBER, TEXT, WHOLE

FILE = "budgets.parquet"

BUDGETS = pa.schema(
    [
        # Hash of the models, of what they may cost and of how they are evaluated.
        pa.field("budget", TEXT, False),
        pa.field("created", pa.timestamp("us", tz="UTC")),
        # The budget as JSON.
        pa.field("config", TEXT),
        pa.field("cell", TEXT, False),
        # The model that it may have less than.
        pa.field("baseline", TEXT, False),
        pa.field("strength", NUMBER),
        # On validation rows, of which individuals are explained.
        pa.field("rows", WHOLE),
        pa.field("individuals", WHOLE),
        # Shares, what is lost of them against the baseline, and its standard error.
        *(
            pa.field(f"{name}{what}", NUMBER)
            for name in LIMITED
            for what in ("", "_loss", "_error")
        ),
        # What is best, and how much of it there is; null of strength.
        pa.field("measure", TEXT),
        pa.field("value", NUMBER),
        # Whether it costs no more than it may, and whether it is the model to use.
        pa.field("within", pa.bool_()),
        pa.field("kept", pa.bool_()),
    ],
    metadata={"cftrain_format": FORMAT},
)


def add_budget(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write the curve of a budget in the place of what was there of it. Raises
    ResultError.
    """
    path, new = folder / FILE, list(rows)
    old = _read(path).to_pylist() if path.exists() else []
    names = {row["budget"] for row in new}
    others = [row for row in old if row["budget"] not in names]
    write_parquet(path, pa.Table.from_pylist([*others, *new], schema=BUDGETS))


def load_budgets(folder: Path) -> pd.DataFrame:
    """The table, without rows where there is none. Raises ResultError."""
    path = folder / FILE
    if not path.exists():
        return BUDGETS.empty_table().to_pandas()
    return _read(path).to_pandas()


def given_up(budgets: pd.DataFrame) -> set[str]:
    """The cells that budgets have tried and none of them has kept, and baselines of
    budgets that kept another.
    """
    return set(budgets["cell"]) - set(budgets["cell"][budgets["kept"]])


def _read(path: Path) -> pa.Table:
    try:
        table = read_parquet(path, BUDGETS)
    except Unreadable as error:
        raise Unreadable(
            f"{path}: expected a readable table, got a damaged one; remove it, and the "
            "next cftrain train with a budget in this folder writes it again"
        ) from error
    check_columns(path, table)
    check_curves(path, table)
    return table
