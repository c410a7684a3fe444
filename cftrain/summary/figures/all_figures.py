"""Every figure of a collection of results."""

from pathlib import Path

from matplotlib import rc_context

from cftrain.summary.figures.attribution_maps import attribution_maps
from cftrain.summary.figures.counterfactual_images import galleries
from cftrain.summary.figures.effects import effects
from cftrain.summary.figures.picture import Picture
from cftrain.summary.figures.reductions import reductions
from cftrain.summary.figures.robust_accuracy import robust_accuracy
from cftrain.summary.figures.saving import save
from cftrain.summary.figures.styles import PRINT
from cftrain.summary.figures.training_curves import training_curves
from cftrain.summary.methods.frontier import frontiers
from cftrain.summary.methods.gallery import method_galleries
from cftrain.summary.reading.collection import Collection

DRAWERS = (
    reductions,
    robust_accuracy,
    effects,
    training_curves,
    galleries,
    attribution_maps,
    frontiers,
    method_galleries,
)


def draw_all(collection: Collection, folder: Path) -> list[Picture]:
    """Writes every figure that has anything to show. Raises ResultError."""
    pictures = []
    with rc_context(PRINT):
        for draw in DRAWERS:
            for drawing in draw(collection):
                files = save(drawing.figure, folder / drawing.name)
                pictures.append(
                    Picture(title=drawing.title, caption=drawing.caption, files=files)
                )
    return pictures
