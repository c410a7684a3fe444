"""Pictures of searches among the rows and on both sides of the decision boundary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cftrain.illustrations.decision_map import DecisionMap, draw_map
from cftrain.summary.figures.saving import save
from cftrain.summary.figures.styles import INK, PAGE, PRINT
from cftrain.summary.naming import objective_name

CLASSES = "class 0", "class 1"
FOUND = "#ffd92f"


@dataclass(frozen=True, kw_only=True)
class Paths:
    """A model, and the ways (step, feature) of its searches from factuals to
    counterfactuals; `nascent` is (row, feature), `mature` (row,), and so is `stopped`:
    which ones ended at a bound of the domain.
    """

    objective: str
    map: DecisionMap
    ways: tuple[np.ndarray, ...]
    nascent: np.ndarray
    mature: np.ndarray
    stopped: np.ndarray


def draw_paths(models: Sequence[Paths], names: Sequence[str], path: Path) -> list[Path]:
    """Draws one model beside the other, with the features' names. Returns the files."""
    with rc_context(PRINT):
        figure = Figure(figsize=(PAGE, 3.3), layout="constrained")
        axes = figure.subplots(1, len(models), squeeze=False, sharex=True, sharey=True)
        for axis, model in zip(axes[0], models, strict=True):
            draw_map(axis, model.map, CLASSES)
            _draw_ways(axis, model)
            axis.set_title(objective_name(model.objective))
            axis.set_xlabel(names[0])
        axes[0, 0].set_ylabel(names[1])
        shown = {
            label: handle
            for axis in axes[0]
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4)
        return save(figure, path)


def _draw_ways(axis: Axes, model: Paths) -> None:
    """Every state of every search, and what it started from, passed and ended at."""
    look: Any = {"color": INK, "linewidth": 0.6, "marker": ".", "markersize": 2.5}
    for way in model.ways:
        axis.plot(way[:, 0], way[:, 1], **look, alpha=0.6, zorder=3)
    axis.plot([], [], **look, label="search step")
    starts = np.array([way[0] for way in model.ways])
    ends = np.array([way[-1] for way in model.ways])
    moved = (model.nascent != starts).any(1)
    marks = (
        ("factual", starts, "o", "white", 20),
        ("nascent", model.nascent[moved], "D", "#56B4E9", 14),
        ("counterfactual", ends[model.mature], "*", FOUND, 75),
        ("not mature", ends[~model.mature], "X", "white", 26),
    )
    for name, rows, marker, colour, size in marks:
        if len(rows):
            axis.scatter(
                rows[:, 0],
                rows[:, 1],
                s=size,
                marker=marker,
                color=colour,
                edgecolors=INK,
                linewidths=0.7,
                zorder=4,
                label=name,
            )
