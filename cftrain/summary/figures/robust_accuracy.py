"""Accuracy under attack against the attack's strength."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes

from cftrain.summary.figures.curves import draw_curves, legend, multiples, over_seeds
from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.measures import measure_title
from cftrain.summary.naming import dataset_name, ordered_datasets
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas

ATTACKS = ("fgsm_accuracy", "pgd_accuracy")
LEAST_RANGE = 0.1
"""Of the vertical axis, so that a percent of accuracy looks like one."""


def robust_accuracy(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each attack and grid, with a panel for each dataset."""
    for group in replicas(collection):
        metrics = collection.of_evaluation("metrics", group.cells)
        metrics = metrics.join(group.cells.drop(columns="protocol"), on="cell")
        for attack in ATTACKS:
            rows = metrics[(metrics["metric"] == attack) & metrics["epsilon"].notna()]
            if rows["epsilon"].nunique() > 1:
                yield _draw(group, attack, rows)


def _draw(group: Replicas, attack: str, rows: pd.DataFrame) -> Drawing:
    datasets = ordered_datasets(rows["data"])
    figure, axes = multiples(len(datasets), columns=5, height=1.5)
    for axis, dataset in zip(axes, datasets, strict=True):
        draw_curves(axis, rows[rows["data"] == dataset], x="epsilon", y="value")
        axis.set_title(dataset_name(dataset))
        _widen(axis)
    figure.supxlabel("strength of the attack ε", fontsize=8)
    figure.supylabel("accuracy", fontsize=8)
    legend(figure)
    name = measure_title(attack)
    return Drawing(
        name=f"robust_accuracy-{name.lower()}-{group.name}",
        title=f"Accuracy under {name} attacks ({group.title})",
        caption=(
            f"Test accuracy under {name} attacks on the model itself, against their "
            f"strength ε in units of the features. {over_seeds(rows)} Vertical axes "
            f"differ.{group.note(datasets)}"
        ),
        figure=figure,
    )


def _widen(axis: Axes) -> None:
    low, high = axis.get_ylim()
    more = max(0.0, LEAST_RANGE - (high - low)) / 2
    high = min(high + more, 1.0 + LEAST_RANGE / 20)
    axis.set_ylim(min(low - more, high - LEAST_RANGE), high)
