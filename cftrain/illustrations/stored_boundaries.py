"""Decision boundaries and paths of finished models, for `cftrain tables`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cftrain.errors import CftrainError, warn
from cftrain.illustrations.boundary import compared_paths
from cftrain.illustrations.drawable import Drawable
from cftrain.illustrations.path_figure import draw_paths
from cftrain.results.store import Store
from cftrain.summary.figures.picture import Picture
from cftrain.summary.naming import dataset_name, objective_name
from cftrain.training.restore import restore
from cftrain.training.stack import fitted_runs

FACTUALS = 12
SHOWN = ("vanilla", "full")
PLANE = (2, 2)
"""Features and classes of what can be drawn."""


def draw_boundaries(found: Iterable[Drawable], folder: Path) -> Iterator[Picture]:
    """Yields a picture of each dataset of two features and two classes: the first
    seed's baseline beside counterfactual training.

    Where data or weights are not what they were any more, or too few factuals are
    predicted rightly, the tables do without them, and a warning says why.
    """
    for each in found:
        try:
            picture = _drawn(each, folder)
        except CftrainError as error:
            warn(f"no picture of the boundary on {each.dataset}: {error}")
            continue
        if picture is not None:
            yield picture


def _drawn(found: Drawable, folder: Path) -> Picture | None:
    objectives = found.cells["objective"]
    cells = [cell for kind in SHOWN for cell in objectives.index[objectives == kind]]
    if not cells:
        return None
    models = restore(Store(found.folder), cells)
    dataset, group = models.dataset, found.group
    if (dataset.feature_count, dataset.classes) != PLANE:
        return None
    runs = fitted_runs(models.runs, dataset)
    ways = compared_paths(runs, dataset, models.classifier, FACTUALS)
    path = folder / f"boundary-{group.name}-{found.dataset}"
    compared = " and ".join(objective_name(way.objective) for way in ways)
    stopped = " and ".join(
        f"{way.stopped.sum()} ({objective_name(way.objective)})" for way in ways
    )
    return Picture(
        title=f"Searches across the boundary, {dataset_name(found.dataset)} "
        f"({group.title})",
        caption=(
            "Training rows, probability of class 1 and the 0.5 boundary of "
            f"{compared}, first seed (the smallest number). Lines are searches as in "
            f"training, from {FACTUALS} test rows, half of each class, that both "
            "models predict rightly; dots are steps. At a bound of the domain end "
            f"{stopped}."
        ),
        files=draw_paths(ways, dataset.feature_names, path),
    )
