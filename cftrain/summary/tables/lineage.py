"""Where a number comes from: models, files, rows."""

import pandas as pd

from cftrain.summary.reading.selection import Trial
from cftrain.summary.statistics.rounds import partial_rounds
from cftrain.summary.tables.sample import Sample, Side, Unanswered


def lineage(sample: Sample, table: str) -> tuple[str, ...]:
    """Returns the models and seeds with their files of a table, in lines; of metrics
    also the means by energy weight and how many rows are behind them.
    """
    first = sample.trials[0]
    lines = [f"grid {first.grid}, {len(sample.trials)} training seeds"]
    if first.protocol is not None:
        lines.append(f"protocol {first.protocol}")
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
    file = sample.reader.file(table, cell, trial.protocol)
    lines = [f"  {sample.name(side)}: cell {cell} in {file}"]
    return lines + _means(sample, trial, side) if table == "metrics" else lines


def _means(sample: Sample, trial: Trial, side: Side) -> list[str]:
    try:
        rows = sample.rows(trial, side)
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
