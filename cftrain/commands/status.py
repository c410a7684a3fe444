"""`cftrain status FOLDER`: how far a grid is, or what `cftrain train` has left."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from tabulate import tabulate

from cftrain.commands.command_line.words import read_words
from cftrain.errors import ResultError
from cftrain.results.checking import of_cell
from cftrain.results.leaves import value_at
from cftrain.results.points import FILE, load_points
from cftrain.results.store import Store, done, failed
from cftrain.results.weights_file import stored_weights

SLOWEST = 5
OF_EVALUATIONS = ["cell", "stack", "status", "reason", "stack_cells", "seconds"]
OF_CELLS = [*OF_EVALUATIONS, "data", "generator", "weights_sha256"]


@dataclass(frozen=True, kw_only=True)
class StatusOptions:
    """Nothing to choose."""


def run(arguments: Sequence[str]) -> None:
    """Counts, failures with reasons, the slowest stacks and the time left."""
    folder, _ = read_words(arguments, StatusOptions, {})
    store = Store(folder)
    cells = store.cells(OF_CELLS)
    evaluations = store.evaluations(OF_EVALUATIONS, cells=cells)
    wanted = set(cells["cell"])
    if (folder / FILE).is_file():
        wanted = set(load_points(folder)["cell"])
    if not wanted:
        raise ResultError(f"{folder}: expected results of cftrain, got none")
    cells = cells[cells["cell"].isin(wanted)]
    evaluations = evaluations[evaluations["cell"].isin(wanted)]
    lost, finished = failed(cells), cells[cells["status"] == "done"]
    trained = done(cells) & stored_weights(folder)
    gone = len(finished) - len(trained)
    left = len(wanted) - len(trained) - len(lost)
    said = [
        f"{len(trained)} trained, {len(lost)} failed, {left} missing of {len(wanted)}",
        f"{len(done(evaluations))} evaluated, {len(failed(evaluations))} failed",
    ]
    if gone:
        said.append(f"{gone} of the missing were trained, but their weights are gone")
    for what, reasons in (("training", lost), ("evaluation", failed(evaluations))):
        for cell, reason in reasons.items():
            said.append(f"failed: {what} of cell {cell}: {reason}")
    if len(finished):
        said.append(_slowest(finished, store))
        per_cell = _seconds_per_cell(finished) + _seconds_per_cell(evaluations)
        said.append(
            f"{per_cell:.2f} s per cell and worker so far; about "
            f"{left * per_cell:.0f} s of work left"
        )
    print("\n".join(said))


def _seconds_per_cell(rows: pd.DataFrame) -> float:
    stacks = rows.dropna(subset="seconds").drop_duplicates("stack")
    return float(stacks["seconds"].sum() / max(1, stacks["stack_cells"].sum()))


def _slowest(trained: pd.DataFrame, store: Store) -> str:
    stacks = trained.drop_duplicates("stack").nlargest(SLOWEST, "seconds")
    steps = {
        row["cell"]: value_at(of_cell(row), "search.max_steps")
        for row in store.rows("cells", stacks).to_dict("records")
    }
    columns = ["stack", "stack_cells", "data", "generator", "max_steps", "seconds"]
    return tabulate(
        stacks.assign(max_steps=stacks["cell"].map(steps))[columns],
        columns,
        tablefmt="simple",
        showindex=False,
        floatfmt=".1f",
    )
