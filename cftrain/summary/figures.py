"""Pictures from result tables."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cftrain.results.store import Store
from cftrain.summary.saving import save

NAMES = {"vanilla": "baseline", "full": "CT", "energy": "CD", "adversarial": "AR"}
FRAME = "#d95f02"
CELL_INCHES = 0.78


def draw_gallery(store: Store, cells: list[str], folder: Path) -> list[Path]:
    """Counterfactuals of each factual for every class, one line per model, baseline
    first; no picture if there is no gallery. Raises ResultError.
    """
    gallery = store.read("gallery")
    gallery = gallery[gallery["cell"].isin(cells)]
    # Cells of different stacks chose their factuals apart: show those of all.
    shared = gallery.groupby("factual")["cell"].transform("nunique") == len(cells)
    gallery = gallery[shared]
    if gallery.empty or gallery["height"].iloc[0] == 1:
        return []
    objective = store.read("cells").set_index("cell")["objective"]
    lines = sorted(cells, key=lambda cell: objective[cell] != "vanilla")
    figure = _draw(gallery, lines, objective)
    return save(figure, folder / "counterfactuals", kinds=("png",))


def _draw(gallery: pd.DataFrame, lines: list[str], objective: pd.Series) -> Figure:
    factuals = list(gallery["factual"].unique())
    targets = sorted(gallery["target"].unique())
    rows = len(factuals) * len(lines)
    figure = Figure(
        figsize=(CELL_INCHES * (len(targets) + 1.6), CELL_INCHES * (rows * 1.08 + 0.9)),
        layout="constrained",
    )
    blocks = figure.subfigures(len(factuals), 1, squeeze=False, hspace=0.04)
    for block, factual in zip(blocks[:, 0], factuals, strict=True):
        axes = block.subplots(len(lines), len(targets), squeeze=False)
        shown = gallery[gallery["factual"] == factual]
        for line, cell in zip(axes, lines, strict=True):
            of_cell = shown[shown["cell"] == cell].set_index("target")
            _draw_line(line, of_cell, NAMES[objective[cell]])
        if factual == factuals[0]:
            for axis, target in zip(axes[0], targets, strict=True):
                axis.set_title(str(target), fontsize=11)
    figure.suptitle("Counterfactuals for each target class (framed: the factual)")
    return figure


def _draw_line(axes: np.ndarray, rows: pd.DataFrame, name: str) -> None:
    for axis, (target, row) in zip(axes, rows.sort_index().iterrows(), strict=True):
        shape = (row["height"], row["width"])
        image = np.asarray(row["values"]).reshape(shape)
        axis.imshow(image, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([])
        factual = target == row["label"]
        for spine in axis.spines.values():
            spine.set_visible(factual)
            spine.set_color(FRAME)
            spine.set_linewidth(3)
    axes[0].set_ylabel(name, fontsize=11)
