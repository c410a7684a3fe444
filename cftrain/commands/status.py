"""`cftrain status FOLDER`: how far a grid is."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from cftrain.errors import ConfigError
from cftrain.results.points import load_points
from cftrain.results.store import Store

SLOWEST = 5


def run(arguments: Sequence[str]) -> None:
    """Counts, failures with reasons, the slowest stacks and the time left."""
    if len(arguments) != 1:
        raise ConfigError(
            f"cftrain status: expected the folder of a grid, got {list(arguments)}"
        )
    store = Store(Path(arguments[0]))
    wanted = load_points(store.folder)["cell"].unique()
    finished = store.read("cells")
    finished = finished[finished["cell"].isin(wanted)]
    done = finished[finished["status"] == "done"]
    failed = finished[finished["status"] == "failed"]
    left = len(wanted) - len(finished)
    print(f"{len(done)} done, {len(failed)} failed, {left} missing of {len(wanted)}")
    for _, row in failed.iterrows():
        print(f"failed: cell {row['cell']}: {row['reason']}")
    if len(done):
        print(_slowest(done))
        stacks = done.drop_duplicates("stack")
        spent = (stacks["train_seconds"] + stacks["evaluate_seconds"]).sum()
        per_cell = spent / stacks["stack_cells"].sum()
        print(
            f"{per_cell:.2f} s per cell and worker so far; about "
            f"{left * per_cell:.0f} s of work left"
        )


def _slowest(done: pd.DataFrame) -> str:
    stacks = done.drop_duplicates("stack").assign(
        seconds=lambda rows: rows["train_seconds"] + rows["evaluate_seconds"]
    )
    slow = stacks.nlargest(SLOWEST, "seconds")
    columns = ["stack", "stack_cells", "data", "generator", "max_steps", "seconds"]
    return tabulate(
        slow[columns], columns, tablefmt="simple", showindex=False, floatfmt=".1f"
    )
