"""What `cftrain train` prints: who was trained on what, and how they compare."""

import json
from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from cftrain.errors import ResultError
from cftrain.results.leaves import value_at
from cftrain.results.store import Store
from cftrain.summary.naming import objective_name
from cftrain.summary.statistics.comparison import Comparison, compare

EMPTY = "-"
FLOOR = "_floor"


def report(store: Store, cells: Sequence[str], protocol: str) -> str:
    """Returns a header, a table and notes about a cell and, if there is a second one,
    its baseline, as one protocol evaluated them.

    Cells that failed are named as such and have no numbers. Raises ResultError if one
    was never trained.
    """
    trained = store.cells().set_index("cell")
    absent = [cell for cell in cells if cell not in trained.index]
    if absent:
        raise ResultError(f"{store.folder}: expected results of {absent}, got none")
    chosen = trained.loc[list(cells)]
    evaluations = store.evaluations()
    evaluations = evaluations[evaluations["protocol"] == protocol].set_index("cell")
    done = chosen.index[chosen["status"] == "done"]
    measured = evaluations[evaluations.index.isin(done)]
    measured = measured[measured["status"] == "done"]
    metrics = store.rows("metrics", measured.reset_index())
    tables = [metrics[metrics["cell"] == cell] for cell in cells]
    rows = compare(tables[0], tables[-1] if len(cells) > 1 else metrics.iloc[:0])
    lines = [_header(chosen.iloc[0]), *([_table(rows, chosen)] if rows else [])]
    return "\n".join([*lines, *_notes(store, chosen, evaluations)])


def _header(model: pd.Series) -> str:
    epochs = value_at(json.loads(model["config"]), "schedule.epochs")
    return (
        f"{model['data']} ({model['data_source']}, {model['train_rows']} training and "
        f"{model['test_rows']} test rows), {model['model']}, {model['generator']}, "
        f"seed {model['seed']}, {epochs} epochs"
    )


def _table(rows: list[Comparison], chosen: pd.DataFrame) -> str:
    name, *other = map(objective_name, chosen["objective"])
    if not other:
        cells = [[row.measure, _shown(row.model)] for row in rows]
        return tabulate(cells, ["", name], tablefmt="simple", disable_numparse=True)
    cells = [
        [row.measure, _shown(row.baseline), _shown(row.model), _change(row)]
        for row in rows
    ]
    return tabulate(
        cells,
        ["", *other, name, f"{name} against {other[0]}"],
        tablefmt="simple",
        disable_numparse=True,
        colalign=("left", "right", "right", "right"),
    )


def _change(row: Comparison) -> str:
    """Points for shares; the percentage reduction for measures to be made small.

    Floors are about observed rows and not about models: nothing to reduce.
    """
    if row.measure.endswith(FLOOR):
        return EMPTY
    if row.higher_is_better:
        return (
            EMPTY if row.difference is None else f"{100 * row.difference:+.1f} points"
        )
    if row.reduction is None:
        return EMPTY
    spread = "" if row.deviation is None else f" +- {row.deviation:.1f}"
    direction = "lower" if row.reduction >= 0 else "higher"
    return f"{abs(row.reduction):.1f}{spread} % {direction}"


def _notes(store: Store, chosen: pd.DataFrame, evaluations: pd.DataFrame) -> list[str]:
    history = store.rows("history", chosen.reset_index())
    notes = []
    for cell, row in chosen.iterrows():
        name = objective_name(row["objective"])
        own = history[history["cell"] == cell]
        told = [_training(row, own), _failure(str(cell), row, evaluations)]
        notes += [f"{name}: {note}" for note in told if note is not None]
        if own["skipped_batches"].sum():
            notes.append(
                f"{name}: {own['skipped_batches'].sum():.0f} updates were skipped "
                "because a loss or a gradient was not finite"
            )
    seconds = chosen["seconds"].iloc[0]
    evaluated = evaluations["seconds"].reindex(chosen.index).iloc[0]
    measured = "" if pd.isna(evaluated) else f", evaluated in {evaluated:.1f} s"
    return [*notes, f"trained in {seconds:.1f} s{measured}"]


def _training(cell: pd.Series, history: pd.DataFrame) -> str | None:
    """What became of a cell's training counterfactuals; None if it had none."""
    if history["mature_share"].isna().all():
        return None
    most = value_at(json.loads(cell["config"]), "search.max_steps")
    return (
        f"on average over all epochs, {history['mature_share'].mean():.3f} of the "
        f"counterfactuals mature, {history['search_steps'].mean():.1f} of {most} steps"
    )


def _failure(cell: str, row: pd.Series, evaluations: pd.DataFrame) -> str | None:
    """Why a cell has no numbers; None if it has some."""
    if row["status"] == "failed":
        return f"FAILED, {row['reason']}"
    if cell not in evaluations.index:
        return "NOT EVALUATED"
    if evaluations.loc[cell, "status"] == "failed":
        return f"EVALUATION FAILED, {evaluations.loc[cell, 'reason']}"
    return None


def _shown(value: float | None) -> str:
    return EMPTY if value is None else f"{value:.4g}"
