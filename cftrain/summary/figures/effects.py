"""What each axis of a grid does to counterfactuals, against the baseline."""

from collections.abc import Iterator
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from pandas.api.types import is_numeric_dtype

from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.figures.styles import COLUMN, INK, PAGE, PLAIN, STYLES, Style
from cftrain.summary.measures import measure_title
from cftrain.summary.naming import (
    axis_name,
    dataset_name,
    generator_name,
    objective_name,
    ordered_datasets,
)
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.protocols import one_protocol
from cftrain.summary.statistics.change import change

SHOWN = ("ip", "cost")
NO_AXES = ("experiment", "data", "seed")
"""Axes whose values have figures of their own, or are replicas."""

HUE = "generator"
"""The axis by which the boxes of the others are split."""

WHISKERS = (5, 95)
GROUP_SHARE, BOX_SHARE = 0.8, 0.85
BOX_INCHES = 0.25
LABEL_WIDTH = 16
"""Characters of an axis' name in a line: columns can be narrow."""


def effects(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each grid and dataset, with a column for each axis that has
    several values and a line of panels for each measure.
    """
    done = collection.done.index
    pairs = collection.pairs
    pairs = pairs[pairs["model"].isin(done) & pairs["baseline"].isin(done)]
    for grid, of_grid in pairs.groupby("grid", sort=False):
        for dataset in ordered_datasets(of_grid["data"]):
            points = of_grid[of_grid["data"] == dataset]
            axes = varied_axes(points)
            rows = reductions_of(collection, points)
            if len(axes.columns) and len(rows):
                yield _draw(str(grid), dataset, rows, axes)


def varied_axes(points: pd.DataFrame) -> pd.DataFrame:
    """Returns a categorical column for each axis on which the points differ, null where
    an axis does not apply to a point; numbers are in their order, names in the grid's.
    """
    coordinates = pd.DataFrame(points["coordinates"].to_list(), index=points.index)
    axes = {}
    for axis, values in coordinates.items():
        values = values.map(_hashable, na_action="ignore")
        levels = values.drop_duplicates().dropna()
        if is_numeric_dtype(levels):
            levels = levels.sort_values()
        if axis not in NO_AXES and len(levels) > 1:
            axes[axis] = values.astype(pd.CategoricalDtype(levels))
    return pd.DataFrame(axes, index=points.index)


def reductions_of(collection: Collection, points: pd.DataFrame) -> pd.DataFrame:
    """Returns the reduction of each measure in percent, in each round and for each
    energy weight of the evaluation.

    `pair` is the point's place in `points`. Values that are missing, or have no
    positive baseline, are left out.
    """
    measured = one_protocol(
        collection.measured, [*points["model"], *points["baseline"]]
    )
    metrics = collection.of_evaluation("metrics", measured)
    evaluation = ["metric", "energy_weight", "round"]
    values = metrics.loc[metrics["metric"].isin(SHOWN), ["cell", *evaluation, "value"]]
    pairs = points[["model", "baseline"]].rename_axis("pair").reset_index()
    both = pairs.merge(values.rename(columns={"cell": "model"}), on="model").merge(
        values.rename(columns={"cell": "baseline"}),
        on=["baseline", *evaluation],
        suffixes=("", "_of_baseline"),
    )
    both["reduction"] = -change(both["value"], both["value_of_baseline"])
    return both[both["reduction"].notna()]


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int | float) else str(value)


def _draw(grid: str, dataset: str, rows: pd.DataFrame, axes: pd.DataFrame) -> Drawing:
    measures = [measure for measure in SHOWN if measure in set(rows["metric"])]
    shades = len(axes[HUE].cat.categories) if HUE in axes else 1
    boxes = [
        len(axes[axis].cat.categories) * (1 if axis == HUE else shades) for axis in axes
    ]
    width = min(PAGE, max(COLUMN, BOX_INCHES * (sum(boxes) + len(boxes)) + 0.6))
    figure = Figure(figsize=(width, 1.6 * len(measures) + 0.5), layout="constrained")
    panels = figure.subplots(
        len(measures),
        len(boxes),
        squeeze=False,
        sharex="col",
        sharey="row",
        width_ratios=[count + 1 for count in boxes],
    )
    for line, measure in zip(panels, measures, strict=True):
        for panel, axis in zip(line, axes, strict=True):
            _draw_panel(panel, rows[rows["metric"] == measure], axes, axis)
        line[0].set_ylabel(f"less {measure_title(measure)} / %")
    for panel, axis in zip(panels[-1], axes, strict=True):
        panel.set_xlabel(fill(axis_name(axis), LABEL_WIDTH))
        if not is_numeric_dtype(axes[axis].cat.categories) and len(boxes) > 1:
            panel.tick_params("x", rotation=90)
    if HUE in axes and len(boxes) > 1:
        _legend(figure, list(axes[HUE].cat.categories))
    name = dataset_name(dataset)
    return Drawing(
        name=f"effects-{grid}-{dataset}",
        title=f"Effects of the axes of {grid} on {name}",
        caption=(
            "Percentage reduction of the counterfactuals' implausibility (IP) and cost "
            f"against the baseline on {name}, by the values of each axis and over all "
            "values of the others; above zero counterfactual training is better. A box "
            "holds a value for each model, round and energy weight of the evaluation: "
            f"median, quartiles, and whiskers from the {WHISKERS[0]}th to the "
            f"{WHISKERS[1]}th percentile."
        ),
        figure=figure,
    )


def _draw_panel(panel: Axes, rows: pd.DataFrame, axes: pd.DataFrame, axis: str) -> None:
    """A box for each value of the axis and, side by side, for each generator."""
    # Settings without effect share a model: it counts once in a box.
    distinct = ["model", "baseline", "energy_weight", "round"]
    levels = axes[axis].cat.categories
    split = HUE in axes and axis != HUE
    shades = list(axes[HUE].cat.categories) if split else [None]
    width = GROUP_SHARE / len(shades)
    panel.axhline(0, color=INK, linewidth=0.7, zorder=0)
    for number, shade in enumerate(shades):
        offset = (number - (len(shades) - 1) / 2) * width
        for place, level in enumerate(levels):
            chosen = axes[axis] == level
            if split:
                chosen &= axes[HUE] == shade
            found = rows[rows["pair"].isin(axes.index[chosen])]
            if len(found):
                changed = found.drop_duplicates(distinct)["reduction"]
                style = STYLES.get(shade or level, PLAIN)
                _draw_box(panel, changed, place + offset, width, style)
    panel.set_xticks(range(len(levels)), map(_level_name, levels))
    panel.set_xlim(-0.6, len(levels) - 0.4)


def _level_name(level: object) -> str:
    if isinstance(level, float):
        return f"{level:g}"
    return generator_name(objective_name(str(level)))


def _draw_box(
    panel: Axes, values: pd.Series, place: float, width: float, style: Style
) -> None:
    panel.boxplot(
        values.to_numpy(),
        positions=[place],
        widths=width * BOX_SHARE,
        whis=WHISKERS,
        showfliers=False,
        manage_ticks=False,
        patch_artist=True,
        boxprops={
            "facecolor": style.colour,
            "hatch": style.hatch,
            "edgecolor": INK,
            "linewidth": 0.6,
        },
        medianprops={"color": "black", "linewidth": 1.4},
        whiskerprops={"color": INK, "linewidth": 0.6},
        capprops={"color": INK, "linewidth": 0.6},
    )


def _legend(figure: Figure, generators: list[str]) -> None:
    styles = [STYLES.get(generator, PLAIN) for generator in generators]
    figure.legend(
        handles=[
            Patch(facecolor=style.colour, hatch=style.hatch, edgecolor=INK, label=name)
            for style, name in zip(styles, map(generator_name, generators), strict=True)
        ],
        loc="outside upper center",
        ncols=len(generators),
    )
