"""Which pixels speak for a class: mean integrated gradients as images."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cftrain.results.described import described
from cftrain.results.leaves import value_at
from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.figures.images import check_images
from cftrain.summary.figures.pixels import class_titles, pixels_of
from cftrain.summary.figures.styles import INK, PAGE
from cftrain.summary.naming import (
    dataset_name,
    objective_name,
    ordered_datasets,
    ordered_objectives,
)
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas

COLOURS = "RdBu_r"


def attribution_maps(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each grid and image dataset, of the models of the first
    seed.
    """
    for group in replicas(collection):
        cells = group.of_first_seed()
        maps = collection.of_evaluation("attributions", cells)
        maps = maps.join(cells.drop(columns="protocol"), on="cell")
        for dataset in ordered_datasets(maps["data"]):
            rows = maps[maps["data"] == dataset]
            if rows["height"].iloc[0] != 1:
                check_images(rows, ("objective", "label"), "attributions")
                cell = rows["cell"].iloc[0]
                config = collection.cells["config"][cell]
                yield _draw(group, dataset, rows, config)


def _draw(group: Replicas, dataset: str, rows: pd.DataFrame, config: object) -> Drawing:
    """`config` is the stored configuration of one of the models."""
    run = described(config, f"a cell of {dataset}")
    held: list[int] = value_at(run, "data.immutable_rows", [])
    objectives = ordered_objectives(rows["objective"])[::-1]
    labels = sorted(rows["label"].unique().tolist())
    height = (PAGE - 1.1) / len(labels) * len(objectives) + 0.3
    figure = Figure(figsize=(PAGE, height), layout="constrained")
    panels = figure.subplots(len(objectives), len(labels), squeeze=False)
    for line, objective in zip(panels, objectives, strict=True):
        of_model = rows[rows["objective"] == objective].set_index("label")
        images = {label: _image(of_model.loc[label]) for label in labels}
        # Logits have no unit that models share: a scale for each model.
        found = np.abs(np.concatenate([image.ravel() for image in images.values()]))
        limit = np.nanmax(found, initial=np.finfo(np.float32).tiny)
        for axis, image in zip(line, images.values(), strict=True):
            axis.imshow(image, cmap=COLOURS, vmin=-limit, vmax=limit)
            _bare(axis)
            for edge in _edges(held, len(image)):
                axis.axhline(edge, color=INK, linewidth=0.6)
        line[0].set_ylabel(objective_name(objective))
        (shown,) = line[-1].get_images()
        bar = figure.colorbar(shown, ax=line, pad=0.01, aspect=10)
        bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"{limit:.2g}"])
    titles = class_titles(config, labels)
    for axis, title in zip(panels[0], titles, strict=True):
        axis.set_title(title, parse_math=False)
    name = dataset_name(dataset)
    return Drawing(
        name=f"attributions-{group.name}-{dataset}",
        title=f"Integrated gradients on {name} ({group.title})",
        caption=(
            "Mean integrated gradients of the test images of each class for the logit "
            f"of that class; models of seed {rows['seed'].iloc[0]}. Red pixels speak "
            "for the class, blue ones against it. Every model has one scale for all "
            f"classes, symmetric about zero.{_of_held(held)}{group.note([dataset])}"
        ),
        figure=figure,
    )


def _image(row: pd.Series) -> np.ndarray:
    """The contributions of pixels: those of their channels add up."""
    return pixels_of(row).sum(-1)


def _bare(axis: Axes) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set(visible=True, color=INK, linewidth=0.4)


def _edges(held: list[int], height: int) -> list[float]:
    """Where protected rows end, between two rows of pixels."""
    return [
        lower - 0.5
        for upper, lower in pairwise(range(height))
        if (upper in held) != (lower in held)
    ]


def _of_held(held: list[int]) -> str:
    if not held:
        return ""
    rows = ", ".join(map(str, held))
    return f" Lines bound the protected rows of pixels ({rows} from the top)."
