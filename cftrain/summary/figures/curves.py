"""Small multiples of curves over seeds, one curve for each objective."""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cftrain.summary.figures.styles import OBJECTIVE_STYLES, PAGE
from cftrain.summary.naming import OBJECTIVES, objective_name, ordered_objectives

MOST_MARKERS = 10


def multiples(count: int, *, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Returns a page-wide figure with `count` panels, row by row, of that height."""
    rows = ceil(count / columns)
    columns = min(count, columns)
    width = max(PAGE / 2, PAGE * min(1.0, columns / 4))
    figure = Figure(figsize=(width, rows * height + 0.35), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes[count:]:
        axis.remove()
    return figure, axes[:count]


def draw_curves(axis: Axes, rows: pd.DataFrame, *, x: str, y: str) -> None:
    """Draws a curve for each objective that has values.

    Rows have the columns objective, x and y, one row for each seed.
    """
    rows = rows.dropna(subset=[y])
    for objective in ordered_objectives(rows["objective"])[::-1]:
        values = rows[rows["objective"] == objective].groupby(x)[y]
        mean, style = values.mean(), OBJECTIVE_STYLES[objective]
        axis.fill_between(
            mean.index, values.min(), values.max(), color=style.colour, alpha=0.18, lw=0
        )
        axis.plot(
            mean.index,
            mean,
            color=style.colour,
            linestyle=style.line,
            linewidth=1.3,
            marker=style.marker,
            markersize=3,
            markevery=max(1, ceil(len(mean) / MOST_MARKERS)),
            label=objective_name(objective),
        )


def legend(figure: Figure) -> None:
    """Draws one legend, in the order of the objectives, for all panels."""
    shown: dict[str, Line2D] = {
        str(line.get_label()): line
        for axis in figure.get_axes()
        for line in axis.get_lines()
    }
    names = [name for name in OBJECTIVES.values() if name in shown]
    figure.legend(
        [shown[name] for name in names],
        names,
        loc="outside upper center",
        ncols=len(names),
    )


def seeds(rows: pd.DataFrame) -> str:
    """Returns how many seeds there are, in words for a caption."""
    count = rows.groupby(["data", "objective"])["seed"].nunique()
    least, most = int(np.min(count)), int(np.max(count))
    number = str(most) if least == most else f"{least} to {most}"
    return f"{number} seed" if most == 1 else f"{number} seeds"


def over_seeds(rows: pd.DataFrame) -> str:
    """Returns what curves and bands are, in a sentence for a caption."""
    if rows["seed"].nunique() == 1:
        return "One training seed."
    return (
        f"Lines are means over {seeds(rows)}, bands reach from the least to the "
        "greatest of them."
    )
