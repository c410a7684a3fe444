"""Four panels of recourse beside the decision boundary, from plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cftrain.illustrations.decision_map import DecisionMap, draw_map
from cftrain.summary.figures.saving import save
from cftrain.summary.figures.styles import AS_WRITTEN, INK

CLASSES = "denied", "granted"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One model with one set of constraints; arrays are (row, feature) or (row,)."""

    model: str
    protected: str | None
    map: DecisionMap
    factual: np.ndarray
    counterfactual: np.ndarray
    valid: np.ndarray
    cost: float
    implausibility: float


@rc_context(AS_WRITTEN)
def draw_panels(
    panels: Sequence[Panel], names: Sequence[str], path: Path
) -> list[Path]:
    """Draws one panel beside the other, two in a line. Returns the files."""
    figure = Figure(figsize=(9.0, 8.2), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for letter, axis, panel in zip("abcd", axes.flat, panels, strict=True):
        _draw(axis, panel, letter)
    for axis in axes[-1]:
        axis.set_xlabel(names[0])
    for axis in axes[:, 0]:
        axis.set_ylabel(names[1])
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    return save(figure, path)


def _draw(axis: Axes, panel: Panel, letter: str) -> None:
    draw_map(axis, panel.map, CLASSES)
    _draw_recourse(axis, panel)
    held = "both mutable" if panel.protected is None else f"{panel.protected} immutable"
    axis.set_title(f"({letter}) {panel.model} training, {held}", fontsize=10.5)
    axis.text(
        0.98,
        0.98,
        f"cost {panel.cost:.2f}   distance to granted {panel.implausibility:.2f}",
        transform=axis.transAxes,
        ha="right",
        va="top",
        fontsize=8.5,
    )


def _draw_recourse(axis: Axes, panel: Panel) -> None:
    """Factuals, the way from each to its counterfactual, and the valid ones."""
    for start, end in zip(panel.factual, panel.counterfactual, strict=True):
        axis.plot(*zip(start, end, strict=True), color=INK, linewidth=0.9, zorder=3)
    axis.scatter(
        panel.factual[:, 0],
        panel.factual[:, 1],
        s=22,
        color="white",
        edgecolors=INK,
        zorder=4,
        label="factual",
    )
    reached = panel.counterfactual[panel.valid]
    axis.scatter(
        reached[:, 0],
        reached[:, 1],
        s=110,
        marker="*",
        color="#ffd92f",
        edgecolors=INK,
        linewidths=0.7,
        zorder=5,
        label="counterfactual",
    )
