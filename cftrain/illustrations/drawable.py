"""Which stored models can be drawn on a plane; found without loading any of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from safetensors import SafetensorError, safe_open

from cftrain.results.folders import refuse_special
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas

UNREADABLE = (
    SafetensorError,
    OSError,
    TypeError,
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
    path = folder / "weights" / f"{cell}.safetensors"
    try:
        refuse_special(path)
        with safe_open(path, framework="numpy") as file:
            return len(json.loads(file.metadata()["codec"])["columns"])
    except (
        SafetensorError,
        OSError,
        TypeError,
        LookupError,
        ValueError,
        RecursionError,
    ):
        return 0
