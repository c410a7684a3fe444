"""A model of two features as a map: observed rows and what is predicted where."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

CLASS_COLOURS = "#3b75af", "#ef8636"
CLASS_MARKERS = "o", "s"
SHADES = "#c9dbed", "#ffffff", "#fbddc2"
BOUNDARY = "#2c8c3c"
MOST_ROWS = 400
"""Of a class that are drawn."""


@dataclass(frozen=True, kw_only=True)
class DecisionMap:
    """Observed rows (row, feature) with their labels, and a model of two classes.

    `score` is the probability of the second class on the grid of the axes, with the
    first axis running fastest.
    """

    features: np.ndarray
    labels: np.ndarray
    axes: tuple[np.ndarray, np.ndarray]
    score: np.ndarray


def draw_map(axis: Axes, shown: DecisionMap, classes: tuple[str, str]) -> None:
    """Draws rows, the decision boundary, and the probability as a shade."""
    x, y = shown.axes
    axis.imshow(
        shown.score,
        cmap=LinearSegmentedColormap.from_list("classes", SHADES),
        vmin=0,
        vmax=1,
        extent=(x[0], x[-1], y[0], y[-1]),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
    )
    for label, name in enumerate(classes):
        rows = shown.features[shown.labels == label][:MOST_ROWS]
        axis.scatter(
            rows[:, 0],
            rows[:, 1],
            s=6,
            marker=CLASS_MARKERS[label],
            color=CLASS_COLOURS[label],
            alpha=0.5,
            linewidths=0,
            label=name,
        )
    axis.contour(x, y, shown.score, levels=[0.5], colors=BOUNDARY, linewidths=2)
    axis.plot([], [], color=BOUNDARY, linewidth=2, label="decision boundary")
