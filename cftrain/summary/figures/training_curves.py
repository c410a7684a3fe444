"""Training over its epochs."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cftrain.summary.figures.curves import draw_curves, legend, multiples, over_seeds
from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.naming import dataset_name, ordered_datasets
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas

QUANTITIES = {
    "mature_share": "mature share",
    "search_steps": "search steps",
    "train_accuracy": "training accuracy",
    "validation_accuracy": "validation accuracy",
    "class_loss": "class loss",
    "divergence": "divergence",
    "adversarial_loss": "adversarial loss",
    "ridge": "ridge",
    "misalignment": "misalignment",
    "attack_loss": "loss under attack",
    "squared_slope": "squared input gradient",
    "recourse_loss": "recourse loss",
    "energy_gap": "energy of observed - drawn rows",
    "head_loss": "squared miss of the head",
    "head_distance": "squared distance of the head",
}

OF_COUNTERFACTUALS = ["divergence", "adversarial_loss", "ridge"]
"""Zero, and without a meaning, in epochs without counterfactuals."""


def training_curves(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each grid and dataset, with a panel for each quantity."""
    for group in replicas(collection):
        history = collection.of_training("history", group.cells.index)
        history = history.join(group.cells, on="cell")
        history.loc[history["mature_share"].isna(), OF_COUNTERFACTUALS] = np.nan
        for dataset in ordered_datasets(history["data"]):
            rows = history[history["data"] == dataset]
            if rows["epoch"].nunique() > 1:
                yield _draw(group, dataset, rows)


def _draw(group: Replicas, dataset: str, rows: pd.DataFrame) -> Drawing:
    shown = [quantity for quantity in QUANTITIES if rows[quantity].notna().any()]
    figure, axes = multiples(len(shown), columns=4, height=1.45)
    for axis, quantity in zip(axes, shown, strict=True):
        draw_curves(axis, rows, x="epoch", y=quantity)
        axis.set_title(QUANTITIES[quantity])
    figure.supxlabel("epoch", fontsize=8)
    legend(figure)
    name = dataset_name(dataset)
    return Drawing(
        name=f"training-{group.name}-{dataset}",
        title=f"Training on {name} ({group.title})",
        caption=(
            f"Training on {name}. {over_seeds(rows)} Parts of the loss are means over "
            "an epoch without their weights. Mature share and search steps are "
            "those of the epoch's counterfactuals; without counterfactuals there are "
            "neither these nor the parts of the loss that need them."
        ),
        figure=figure,
    )
