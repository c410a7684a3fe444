"""`cftrain status FOLDER`: how far a grid is, or what `cftrain train` has left."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from tabulate import tabulate

from cftrain.commands.words import read_words
from cftrain.errors import ResultError
from cftrain.results.leaves import hyperparameters
from cftrain.results.points import FILE, load_points
from cftrain.results.store import Store, done, failed

SLOWEST = 5


@dataclass(frozen=True, kw_only=True)
class StatusOptions:
    """Nothing to choose."""


def run(arguments: Sequence[str]) -> None:
    """Counts, failures with reasons, the slowest stacks and the time left."""
    folder, _ = read_words(arguments, StatusOptions, {})
    store = Store(folder)
    cells, evaluations = store.cells(), store.evaluations()
    wanted = set(cells["cell"])
    if (folder / FILE).is_file():
        wanted = set(load_points(folder)["cell"])
    if not wanted:
        raise ResultError(f"{folder}: expected results of cftrain, got none")
    cells = cells[cells["cell"].isin(wanted)]
    evaluations = evaluations[evaluations["cell"].isin(wanted)]
    trained, lost = done(cells), failed(cells)
    left = len(wanted) - len(trained) - len(lost)
    print(
        f"{len(trained)} trained, {len(lost)} failed, {left} missing of {len(wanted)}"
    )
    print(f"{len(done(evaluations))} evaluated, {len(failed(evaluations))} failed")
    for what, reasons in (("training", lost), ("evaluation", failed(evaluations))):
        for cell, reason in reasons.items():
            print(f"failed: {what} of cell {cell}: {reason}")
    if trained:
        finished = cells[cells["status"] == "done"]
        print(_slowest(finished))
        per_cell = _seconds_per_cell(finished) + _seconds_per_cell(evaluations)
        print(
            f"{per_cell:.2f} s per cell and worker so far; about "
            f"{left * per_cell:.0f} s of work left"
        )


def _seconds_per_cell(rows: pd.DataFrame) -> float:
    stacks = rows.dropna(subset="seconds").drop_duplicates("stack")
    return float(stacks["seconds"].sum() / max(1, stacks["stack_cells"].sum()))


def _slowest(trained: pd.DataFrame) -> str:
    stacks = trained.drop_duplicates("stack").nlargest(SLOWEST, "seconds")
    steps = hyperparameters(stacks)["search.max_steps"]
    columns = ["stack", "stack_cells", "data", "generator", "max_steps", "seconds"]
    return tabulate(
        stacks.assign(max_steps=steps)[columns],
        columns,
        tablefmt="simple",
        showindex=False,
        floatfmt=".1f",
    )
