"""Decision boundaries and paths of finished models, for `cftrain tables`."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd

from cftrain.errors import CftrainError
from cftrain.illustrations.boundary import compared_paths
from cftrain.illustrations.path_figure import draw_paths
from cftrain.results.store import Store
from cftrain.summary.figures.all_figures import Picture
from cftrain.summary.naming import dataset_name, objective_name
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.replicas import Replicas, replicas
from cftrain.training.restore import feature_names, restore

FACTUALS = 12


def draw_boundaries(collection: Collection, folder: Path) -> Iterator[Picture]:
    """A picture of each dataset of two features and two classes: the first seed's
    baseline beside counterfactual training.

    None where weights or data are not here any more, or where too few factuals are
    predicted rightly: the tables do without them.
    """
    for group in replicas(collection):
        first = group.of_first_seed()
        for dataset, cells in first.groupby("data", sort=False):
            folders = collection.cells.loc[cells.index, "folder"]
            if folders.nunique() > 1:
                continue
            with suppress(CftrainError):
                store = Store(Path(folders.iloc[0]))
                if len(feature_names(store, cells.index[0])) == 2:
                    yield _drawn(store, cells, group, str(dataset), folder)


def _drawn(
    store: Store, cells: pd.DataFrame, group: Replicas, dataset: str, folder: Path
) -> Picture:
    shown = [
        cell
        for objective in ("vanilla", "full")
        for cell in cells.index[cells["objective"] == objective]
    ]
    models = restore(store, shown)
    ways = compared_paths(models.runs, models.dataset, models.classifier, FACTUALS)
    names = models.dataset.feature_names
    files = draw_paths(ways, names, folder / f"boundary-{group.name}-{dataset}")
    compared = " and ".join(objective_name(way.objective) for way in ways)
    return Picture(
        title=f"Searches across the boundary, {dataset_name(dataset)} ({group.title})",
        caption=(
            "Training rows, probability of class 1 and the 0.5 boundary of "
            f"{compared}, first seed. Lines are searches as in training, from "
            f"{FACTUALS} test rows, half of each class, that both models predict "
            "rightly; dots are steps."
        ),
        files=files,
    )
