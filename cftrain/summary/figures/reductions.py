"""What training with counterfactuals takes off each measure, dataset by dataset."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cftrain.summary.figures.curves import seeds
from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.figures.styles import COLUMN, INK, OBJECTIVE_STYLES, PAGE
from cftrain.summary.measures import measure_title
from cftrain.summary.naming import (
    dataset_name,
    objective_name,
    ordered_datasets,
    ordered_objectives,
)
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas
from cftrain.summary.statistics.change import ratios, reduction
from cftrain.summary.statistics.intervals import t_interval
from cftrain.summary.statistics.rounds import Rounds, by_round, paired

SHOWN = ("ip", "ip_star", "cost")
INTERVAL_SEEDS = 3
"""With two, Student's interval dwarfs all else."""

GROUP_SHARE, BESIDE = 0.66, 0.07
DATASET_INCHES = 0.75


def reductions(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each grid, with a panel for each measure."""
    for group in replicas(collection):
        rows = reductions_of(collection, group)
        if len(rows):
            yield _draw(group, rows)


def reductions_of(collection: Collection, group: Replicas) -> pd.DataFrame:
    """Returns a row for each model and measure: data, objective, seed, measure and
    reduction.

    Reductions are those of the main table, 100 (1 - mean ratio over rounds); measures
    whose baseline is not positive in all rounds have none.
    """
    pairs = collection.pairs
    pairs = pairs[
        (pairs["grid"] == group.grid)
        & pairs["model"].isin(group.cells.index)
        & pairs["baseline"].isin(group.cells.index)
    ].drop_duplicates("model")
    metrics = collection.of_evaluation("metrics", group.cells)
    metrics = metrics[metrics["metric"].isin(SHOWN)]
    values = {key: by_round(rows) for key, rows in metrics.groupby(["cell", "metric"])}
    missing = Rounds(np.empty(0), np.empty(0))
    found = []
    for pair in pairs.itertuples():
        for measure in SHOWN:
            of_model = values.get((pair.model, measure), missing)
            of_baseline = values.get((pair.baseline, measure), missing)
            ratio = ratios(paired(of_model, of_baseline))
            if ratio is not None:
                found.append(
                    {
                        "data": pair.data,
                        "objective": pair.objective,
                        "seed": pair.seed,
                        "measure": measure,
                        "reduction": reduction(float(ratio.mean())),
                    }
                )
    return pd.DataFrame(found)


def _draw(group: Replicas, rows: pd.DataFrame) -> Drawing:
    datasets = ordered_datasets(rows["data"])
    objectives = ordered_objectives(rows["objective"])
    measures = [measure for measure in SHOWN if measure in set(rows["measure"])]
    width = min(PAGE, max(COLUMN, DATASET_INCHES * len(datasets) + 0.6))
    figure = Figure(figsize=(width, 1.35 * len(measures) + 0.5), layout="constrained")
    panels = figure.subplots(len(measures), 1, squeeze=False, sharex=True)[:, 0]
    for panel, measure in zip(panels, measures, strict=True):
        of_measure = rows[rows["measure"] == measure]
        panel.axhline(0, color=INK, linewidth=0.7, zorder=0)
        for number, objective in enumerate(objectives):
            offset = GROUP_SHARE * ((number + 0.5) / len(objectives) - 0.5)
            _draw_objective(panel, of_measure, objective, datasets, offset)
        panel.set_ylabel(f"less {measure_title(measure)} / %")
    panels[-1].set_xticks(range(len(datasets)), map(dataset_name, datasets))
    panels[-1].set_xlim(-0.5, len(datasets) - 0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return Drawing(
        name=f"reductions-{group.name}",
        title=f"Reductions against the baseline ({group.title})",
        caption=(
            "Percentage by which each objective reduces implausibility (IP, IP*) and "
            "cost of counterfactuals against the baseline; above zero it is better. "
            f"Small marks are training seeds ({seeds(rows)}), large ones their mean; "
            f"lines are its 95 % intervals by Student's t, from {INTERVAL_SEEDS} seeds "
            f"on.{group.note(datasets)}"
        ),
        figure=figure,
    )


def _draw_objective(
    panel: Axes, rows: pd.DataFrame, objective: str, datasets: list[str], offset: float
) -> None:
    """Each seed, and the mean over seeds with its interval."""
    style = OBJECTIVE_STYLES[objective]
    look: Any = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
    rows = rows[rows["objective"] == objective]
    for place, dataset in enumerate(datasets):
        values = rows.loc[rows["data"] == dataset, "reduction"].to_numpy()
        middle = place + offset
        if len(values) > 1:
            beside = np.full(len(values), middle + BESIDE)
            panel.plot(beside, values, **look, markersize=2, alpha=0.6)
        if len(values):
            panel.plot(middle, values.mean(), **look, markersize=4)
        if len(values) >= INTERVAL_SEEDS:
            found = t_interval(values.tolist())
            panel.vlines(middle, found.low, found.high, color=style.colour, lw=1.1)
    panel.plot([], [], **look, markersize=4, label=objective_name(objective))
