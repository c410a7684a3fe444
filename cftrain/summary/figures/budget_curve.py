"""What a stronger objective costs on validation rows, and what was kept."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cftrain.results.budget.curve import LIMITED
from cftrain.summary.figures.saving import save
from cftrain.summary.figures.styles import GREY, INK, OBJECTIVE_STYLES, PAGE, PRINT
from cftrain.summary.measures import measure_told

KEPT = OBJECTIVE_STYLES["adversarial"].colour
HEIGHT = 2.2


def draw_budget(curve: pd.DataFrame, folder: Path) -> Path:
    """Draws the curve of a budget, the baseline first. Returns the file. Raises
    ResultError.
    """
    with rc_context(PRINT):
        figure = budget_figure(curve)
        name = f"budget-{curve['budget'].iloc[0]}"
        return save(figure, folder / name, kinds=("png",))[0]


def budget_figure(curve: pd.DataFrame) -> Figure:
    """Returns a panel for each share that may be lost, and one for the measure if it is
    another than strength; strengths stand side by side, whatever their distances.
    """
    said = json.loads(curve["config"].iloc[0])
    measured = bool(curve["value"].notna().any())
    figure = Figure(figsize=(PAGE, HEIGHT), layout="constrained")
    axes = figure.subplots(1, len(LIMITED) + measured)
    for axis, name in zip(axes, LIMITED, strict=False):
        _draw_share(axis, curve, name, said[name])
    if measured:
        _draw(axes[-1], curve, curve["value"], None)
        axes[-1].set_title(measure_told(curve["measure"].iloc[0]))
    figure.supxlabel(
        "strength (0: baseline), on validation rows; ringed: kept", fontsize=8
    )
    return figure


def _draw_share(
    axis: Axes, curve: pd.DataFrame, name: str, allowed: float | None
) -> None:
    base = float(curve[name].iloc[0])
    _draw(axis, curve, base - curve[f"{name}_loss"], curve[f"{name}_error"])
    axis.axhline(base, color=GREY, linewidth=0.8, linestyle=":")
    if allowed is not None:
        axis.axhline(base - allowed, color=KEPT, linewidth=0.8, linestyle="--")
    axis.set_title(name)


def _draw(
    axis: Axes, curve: pd.DataFrame, values: pd.Series, errors: pd.Series | None
) -> None:
    places = np.arange(len(curve))
    spread = None if errors is None else errors.fillna(0.0).to_numpy()
    axis.errorbar(
        places,
        values.to_numpy(),
        yerr=spread,
        color=INK,
        marker="o",
        markersize=3,
        linewidth=1,
        elinewidth=0.7,
    )
    kept = curve["kept"].to_numpy()
    axis.plot(
        places[kept],
        values.to_numpy()[kept],
        marker="o",
        markersize=8,
        markerfacecolor="none",
        markeredgecolor=KEPT,
        linestyle="none",
    )
    axis.set_xticks(places, [f"{strength:g}" for strength in curve["strength"]])
