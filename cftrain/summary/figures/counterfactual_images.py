"""Counterfactual images, model by model."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cftrain.results.store import Store
from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.figures.images import check_images
from cftrain.summary.figures.pixels import class_titles, shown_pixels
from cftrain.summary.figures.saving import save
from cftrain.summary.naming import (
    dataset_name,
    objective_name,
    ordered_datasets,
    ordered_objectives,
)
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.method import method_of
from cftrain.summary.reading.replicas import replicas

FRAME = "#D55E00"
CELL_INCHES = 0.56
LETTER_INCHES, LINE_INCHES = 0.09, 0.2
"""Of the title above all."""

WIDEST_TITLE, LONGEST_TITLE = 6, 20
"""Letters of a class that have room above its column; longer ones stand upright, up to
so many.
"""


def draw_gallery(
    store: Store, cells: Sequence[str], protocol: str, folder: Path
) -> list[Path]:
    """Draws the images of some cells, evaluated by a protocol. Returns the files, none
    if there are no images. Raises ResultError.
    """
    finished = store.evaluations()
    shown = finished["cell"].isin(cells) & (finished["protocol"] == protocol)
    done = finished[shown & (finished["status"] == "done")]
    known = store.cells().set_index("cell").loc[done["cell"]]
    figure = gallery_figure(store.rows("gallery", done), known)
    if figure is None:
        return []
    title = (
        "Counterfactuals for each target class (framed: the factual; below: L1 "
        "distance from it)"
    )
    letters = int(figure.get_figwidth() / LETTER_INCHES)
    lines = wrap(title, letters, break_long_words=False)
    figure.set_figheight(figure.get_figheight() + LINE_INCHES * (len(lines) - 1))
    figure.suptitle("\n".join(lines))
    return save(figure, folder / "counterfactuals", kinds=("png",))


def galleries(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each grid and dataset, of the models of the first seed."""
    for group in replicas(collection):
        cells = group.of_first_seed()
        gallery = collection.of_evaluation("gallery", cells)
        for dataset in ordered_datasets(cells["data"]):
            shown = cells[cells["data"] == dataset]
            figure = gallery_figure(
                gallery[gallery["cell"].isin(shown.index)],
                collection.cells.loc[shown.index],
            )
            if figure is None:
                continue
            name = dataset_name(dataset)
            yield Drawing(
                name=f"counterfactuals-{group.name}-{dataset}",
                title=f"Counterfactuals on {name} ({group.title})",
                caption=(
                    "The first test images (framed) of some classes, and their "
                    "counterfactuals for every other class, by column, each above its "
                    "L1 distance from the factual; a line for each model of seed "
                    f"{shown['seed'].iloc[0]}.{group.note([dataset])}"
                ),
                figure=figure,
            )


def gallery_figure(gallery: pd.DataFrame, cells: pd.DataFrame) -> Figure | None:
    """Draws the counterfactuals of each factual for every class, one line per model,
    baseline first. Returns None if there are no images.

    `cells` are indexed by cell and have its objective and configuration.
    """
    objectives = cells["objective"]
    # Another protocol may have shown other factuals: those that all models have.
    holders = gallery.groupby("factual")["cell"].transform("nunique")
    gallery = gallery[holders == len(objectives)]
    if gallery.empty or gallery["height"].iloc[0] == 1:
        return None
    check_images(gallery, ("factual", "cell", "target"), "gallery")
    factuals = list(gallery["factual"].unique())
    targets = sorted(gallery["target"].unique().tolist())
    order = ordered_objectives(objectives)[::-1]
    lines = objectives.sort_values(key=lambda names: names.map(order.index))
    names = _line_names(cells)
    titles = _titles(cells["config"].iloc[0], targets)
    upright = max(map(len, titles)) > WIDEST_TITLE
    height = CELL_INCHES * (len(factuals) * len(lines) * 1.22 + 0.6)
    if upright:
        height += LETTER_INCHES * max(map(len, titles))
    figure = Figure(
        figsize=(CELL_INCHES * (len(targets) + 0.6), height), layout="constrained"
    )
    blocks = figure.subfigures(len(factuals), 1, squeeze=False, hspace=0.04)
    for block, factual in zip(blocks[:, 0], factuals, strict=True):
        axes = block.subplots(len(lines), len(targets), squeeze=False)
        shown = gallery[gallery["factual"] == factual]
        for line, cell in zip(axes, lines.index, strict=True):
            of_cell = shown[shown["cell"] == cell].set_index("target")
            _draw_line(line, of_cell, names[cell])
        if factual == factuals[0]:
            for axis, title in zip(axes[0], titles, strict=True):
                # No name is a formula.
                turn = 90 if upright else 0
                axis.set_title(title, rotation=turn, parse_math=False)
    return figure


def _line_names(cells: pd.DataFrame) -> dict[str, str]:
    """What the models are called, with their settings where a method has several."""
    methods = {
        str(cell): method_of(row["objective"], row["config"])
        for cell, row in cells.iterrows()
    }
    several = Counter(method for method, _ in methods.values())
    return {
        cell: objective_name(method)
        + (f" {setting:g}" if setting and several[method] > 1 else "")
        for cell, (method, setting) in methods.items()
    }


def _titles(config: object, targets: list[int]) -> list[str]:
    """What the classes are called, as far as there is room."""
    names = class_titles(config, targets)
    return [
        name if len(name) <= LONGEST_TITLE else f"{name[: LONGEST_TITLE - 1]}…"
        for name in names
    ]


def _draw_line(axes: np.ndarray, rows: pd.DataFrame, name: str) -> None:
    """The factual is framed; below each other image is how far it is from it."""
    start = next((r["values"] for t, r in rows.iterrows() if t == r["label"]), None)
    for axis, (target, row) in zip(axes, rows.sort_index().iterrows(), strict=True):
        image = shown_pixels(row)
        axis.imshow(image, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([])
        factual = target == row["label"]
        for spine in axis.spines.values():
            spine.set_visible(factual)
            spine.set_color(FRAME)
            spine.set_linewidth(2)
        if start is not None and not factual:
            distance = np.abs(np.subtract(row["values"], start)).sum()
            axis.set_xlabel(f"{distance:.3g}", fontsize=6, labelpad=1)
    axes[0].set_ylabel(name)
