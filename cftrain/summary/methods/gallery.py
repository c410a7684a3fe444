"""What the main methods answer, image by image: a collapse onto one row is seen."""

from collections.abc import Iterator

import pandas as pd

from cftrain.summary.figures.counterfactual_images import gallery_figure
from cftrain.summary.figures.drawing import Drawing
from cftrain.summary.methods.measured import (
    AS_PUBLISHED,
    PUBLISHED,
    at_setting,
    chosen,
    compared,
)
from cftrain.summary.naming import dataset_name, ordered_datasets
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.method import BASELINE

MAIN = (PUBLISHED, "pgd", "aligned")
"""Shown beside the baseline."""

BUDGET = 0.01
"""Of validation accuracy, as in the table of methods."""

GRIDS = ("methods_mnist",)
"""Of images: the others, which are large, need not be read for them again."""


def method_galleries(collection: Collection) -> Iterator[Drawing]:
    """Yields a drawing for each dataset of images: the baseline, and the main methods
    as the table of methods chooses them, of the first seed; counterfactual training as
    published as well.
    """
    lines = compared(collection, GRIDS)
    for data in ordered_datasets(lines["data"]) if len(lines) else ():
        of_data = lines[lines["data"] == data]
        first = of_data[of_data["seed"] == of_data["seed"].min()]
        cells = collection.cells.loc[shown(first)]
        there = collection.measured.reset_index("protocol")
        rows = collection.of_evaluation("gallery", there[there.index.isin(cells.index)])
        figure = gallery_figure(rows, cells)
        if figure is not None:
            yield Drawing(
                name=f"methods-{data}",
                title=f"Counterfactuals by method on {dataset_name(data)}",
                caption=(
                    "The first test images (framed) of some classes, and their "
                    "counterfactuals for every other class, by column, each above its "
                    "L1 distance from the factual: the baseline, published "
                    "counterfactual training, and each main method at its strongest "
                    "strength that costs at most a point of validation accuracy; seed "
                    f"{first['seed'].iloc[0]}. Answers of one column that look alike "
                    "whatever the factual are a collapse onto one image."
                ),
                figure=figure,
            )


def shown(lines: pd.DataFrame) -> list[str]:
    """Returns the cells of one seed that are shown, each once: the baseline, the
    main methods as they are chosen, and the published one.
    """
    picked = chosen(lines, BUDGET)
    own = picked[picked["method"].isin(MAIN)] if len(picked) else picked
    base = lines[lines["method"] == BASELINE]
    published = at_setting(lines, PUBLISHED, AS_PUBLISHED)
    return list(dict.fromkeys([*base["cell"], *own["cell"], *published["cell"]]))
