"""Where a number comes from: models, files, rows."""

import pandas as pd

from cftrain.summary.naming import objective_name
from cftrain.summary.reading.reader import Trial
from cftrain.summary.statistics.intervals import partial_rounds
from cftrain.summary.tables.quantity import Sample, Side, Unanswered


def lineage(sample: Sample, table: str) -> tuple[str, ...]:
    """Models and seeds with their files of a table; of metrics also the means by
    energy weight and how many rows are behind them.
    """
    first = sample.trials[0]
    lines = [f"grid {first.grid}, {len(sample.trials)} training seeds"]
    if sample.metric is not None:
        strength = "" if sample.epsilon is None else f", epsilon {sample.epsilon:g}"
        lines.append(f"measure {sample.metric}{strength}")
    for trial in sample.trials:
        lines.append(f"seed {trial.seed}")
        for side in ("model", "baseline"):
            lines += _of_cell(sample, table, trial, side)
    return tuple(lines)


def _of_cell(sample: Sample, table: str, trial: Trial, side: Side) -> list[str]:
    try:
        cell = sample.cell(trial, side)
    except Unanswered as gap:
        return [f"  {side}: {gap.note}"]
    name = objective_name(sample.evidence.cell(cell)["objective"])
    lines = [f"  {name}: cell {cell} in {sample.evidence.file(table, cell)}"]
    return lines + _means(sample, cell) if table == "metrics" else lines


def _means(sample: Sample, cell: str) -> list[str]:
    try:
        rows = sample.rows(cell)
    except Unanswered:
        return []
    lines = []
    for weight, group in rows.groupby("energy_weight", dropna=False):
        what = "all" if pd.isna(weight) else f"energy weight {weight:g}"
        lines.append(
            f"    {what}: mean {group['value'].mean():.6g} of "
            f"{group['value'].notna().sum()} values from {group['rows'].sum():.0f} "
            f"rows, {group['value'].isna().sum()} rounds without value"
        )
    partial = partial_rounds(rows)
    if partial:
        lines.append(f"    {partial} rounds have values of some energy weights only")
    return lines
