"""What each method pays for how much of the gap it closes."""

from collections.abc import Iterator
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.figures.styles import GREY, OBJECTIVE_STYLES, PAGE, PLAIN
from cftrain.summary.methods.measured import compared, methods_of
from cftrain.summary.naming import (
    OBJECTIVES,
    dataset_name,
    objective_name,
    ordered_datasets,
)
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.method import BASELINE

GRIDS = ("methods", "methods_mnist")

PRICES = {
    "accuracy": "test accuracy",
    "validity": "validity",
    "pgd_accuracy": "accuracy under PGD, ε 0.1",
}

COLUMNS, HEIGHT = 3, 1.75
WIDEST = 9
"""Methods in one line of the legend; more of them are in lines of even length."""


def frontiers(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each price, of unprotected models, with a panel for each
    dataset and a line for each method over its strengths.
    """
    lines = compared(collection, GRIDS)
    for price, title in PRICES.items():
        if price in lines and lines[price].notna().any():
            yield _drawing(lines, price, title)


def _drawing(lines: pd.DataFrame, price: str, title: str) -> Drawing:
    datasets = ordered_datasets(lines["data"])
    columns = min(COLUMNS, len(datasets))
    count = ceil(len(datasets) / columns)
    figure = Figure(figsize=(PAGE, HEIGHT * count + 0.6), layout="constrained")
    axes = list(figure.subplots(count, columns, squeeze=False).flat)
    for axis in axes[len(datasets) :]:
        axis.remove()
    for axis, data in zip(axes, datasets, strict=False):
        _panel(axis, lines[lines["data"] == data], price)
        axis.set_title(dataset_name(data))
    figure.supxlabel(
        "implausibility IP less than the baseline's, in % of the gap to the floor "
        "(of itself at the floor: italics)",
        fontsize=8,
    )
    figure.supylabel(title, fontsize=8)
    _legend(figure)
    seeds = lines["seed"].nunique()
    return Drawing(
        name=f"frontier-{price}",
        title=f"Frontier of methods: {title}",
        caption=(
            f"{title[0].upper()}{title[1:]} against the share of the gap in IP that a "
            "method closes on individuals whom it and the baseline both have a valid "
            "counterfactual for; a line for each method over its strengths, the larger "
            "the mark the stronger. Means over "
            f"{seeds} {'seed' if seeds == 1 else 'seeds'}. Dotted: the baseline, and "
            "the floor at 100 %, what observed rows score themselves. Right of it "
            "counterfactuals collapse onto the middle of their class."
        ),
        figure=figure,
    )


def _panel(axis: Axes, lines: pd.DataFrame, price: str) -> None:
    """Where the baseline is at the floor, the reduction takes the place of the gap."""
    reached = "gap" if lines["gap"].notna().any() else "gained"
    for method in methods_of(lines, list(OBJECTIVES))[::-1]:
        own = lines[lines["method"] == method]
        means = own.groupby("setting")[[reached, price]].mean().dropna()
        style = OBJECTIVE_STYLES.get(method, PLAIN)
        axis.plot(
            means[reached],
            means[price],
            color=style.colour,
            linestyle=style.line,
            linewidth=1,
            label=objective_name(method),
        )
        sizes = 6 + 8 * np.arange(len(means))
        axis.scatter(
            means[reached],
            means[price],
            s=sizes,
            color=style.colour,
            marker=style.marker,
        )
    base = lines.loc[lines["method"] == BASELINE, price].mean()
    axis.axhline(base, color=GREY, linewidth=0.8, linestyle=":")
    axis.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    if reached == "gap":
        axis.axvline(100, color=GREY, linewidth=0.8, linestyle=":")
    else:
        axis.set_xlabel("% of the baseline's IP", fontstyle="italic")


def _legend(figure: Figure) -> None:
    shown = {
        str(line.get_label()): line
        for axis in figure.get_axes()
        for line in axis.get_lines()
        if not str(line.get_label()).startswith("_")
    }
    order = [*OBJECTIVES.values(), *sorted(set(shown) - set(OBJECTIVES.values()))]
    names = [name for name in order if name in shown]
    figure.legend(
        [shown[name] for name in names],
        names,
        loc="outside upper center",
        ncols=ceil(len(names) / ceil(len(names) / WIDEST)),
        fontsize=7,
    )
