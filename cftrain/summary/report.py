"""What `cftrain train` prints: who was trained on what, and how they compare."""

import pandas as pd
from tabulate import tabulate

from cftrain.errors import ResultError
from cftrain.results.store import Store
from cftrain.summary.naming import objective_name
from cftrain.summary.statistics.comparison import Comparison, compare

EMPTY = "-"
FLOOR = "_floor"


def report(store: Store, cells: list[str]) -> str:
    """Header and table of a cell and, if there is a second one, of its baseline.

    Raises ResultError.
    """
    finished = store.read("cells").set_index("cell")
    absent = [cell for cell in cells if cell not in finished.index]
    if absent:
        raise ResultError(f"{store.folder}: expected results of {absent}, got none")
    chosen = finished.loc[cells]
    model = chosen.iloc[0]
    baseline = chosen.iloc[1] if len(chosen) > 1 else None
    rows = compare(store, model.name, None if baseline is None else baseline.name)
    table = _table(rows, model, baseline)
    return "\n".join([_header(model), table, *_notes(store, chosen)])


def _header(model: pd.Series) -> str:
    return (
        f"{model['data']} ({model['data_source']}, {model['train_rows']} training and "
        f"{model['test_rows']} test rows), {model['model']}, {model['generator']}, "
        f"seed {model['seed']}, {model['epochs']} epochs"
    )


def _table(rows: list[Comparison], model: pd.Series, baseline: pd.Series | None) -> str:
    name = objective_name(model["objective"])
    if baseline is None:
        cells = [[row.measure, _shown(row.model)] for row in rows]
        return tabulate(cells, ["", name], tablefmt="simple", disable_numparse=True)
    head = [
        "",
        objective_name(baseline["objective"]),
        name,
        f"{name} against {objective_name(baseline['objective'])}",
    ]
    cells = [
        [row.measure, _shown(row.baseline), _shown(row.model), _change(row)]
        for row in rows
    ]
    align = ("left", "right", "right", "right")
    return tabulate(
        cells, head, tablefmt="simple", disable_numparse=True, colalign=align
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


def _notes(store: Store, chosen: pd.DataFrame) -> list[str]:
    history = store.read("history")
    notes = []
    for cell, row in chosen.iterrows():
        name = objective_name(row["objective"])
        own = history[history["cell"] == cell]
        if own["mature_share"].notna().any():
            notes.append(
                f"{name}: {own['mature_share'].mean():.3f} of the training "
                f"counterfactuals were mature, after {own['search_steps'].mean():.1f} "
                f"of {row['max_steps']} steps"
            )
        if row["status"] == "failed":
            notes.append(f"{name}: FAILED, {row['reason']}")
        if own["skipped_batches"].sum():
            notes.append(
                f"{name}: {own['skipped_batches'].sum():.0f} updates were skipped "
                "because a loss or a gradient was not finite"
            )
    seconds = chosen.iloc[0]
    notes.append(
        f"trained in {seconds['train_seconds']:.1f} s, evaluated in "
        f"{seconds['evaluate_seconds']:.1f} s"
    )
    return notes


def _shown(value: float | None) -> str:
    return EMPTY if value is None else f"{value:.4g}"
