"""Which stored models can be drawn on a plane; found without loading any of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cftrain.results.folders import refuse_special
from cftrain.results.weights_file import stored_metadata, weights_path
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas

UNREADABLE = (
    OSError,
    TypeError,
    AttributeError,
    LookupError,
    ValueError,
    RecursionError,
)
"""What damaged weights raise, or a codec that is none."""


@dataclass(frozen=True, kw_only=True)
class Drawable:
    """Cells of the first seed on a dataset of two columns, in one folder."""

    group: Replicas
    dataset: str
    folder: Path
    cells: pd.DataFrame


def drawable(collection: Collection) -> Iterator[Drawable]:
    """Yields what there is to draw, for every grid and dataset."""
    for group in replicas(collection):
        for dataset, cells in group.of_first_seed().groupby("data", sort=False):
            folders = collection.cells.loc[cells.index, "folder"].unique()
            if len(folders) == 1 and _columns(Path(folders[0]), cells.index[0]) == 2:
                yield Drawable(
                    group=group,
                    dataset=str(dataset),
                    folder=Path(folders[0]),
                    cells=cells,
                )


def _columns(folder: Path, cell: str) -> int:
    """How many columns a model's data have, as its weights say; 0 without weights."""
    path = weights_path(folder, cell)
    try:
        refuse_special(path)
        with path.open("rb") as file:
            return len(json.loads(stored_metadata(file)["codec"])["columns"])
    except UNREADABLE:
        return 0
