"""Every figure of a collection of results."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context

from cftrain.summary.collection import Collection
from cftrain.summary.effects import effects
from cftrain.summary.gallery import galleries
from cftrain.summary.heatmaps import heatmaps
from cftrain.summary.learning import learning
from cftrain.summary.reductions import reductions
from cftrain.summary.robustness import robust_accuracy
from cftrain.summary.saving import save
from cftrain.summary.styles import PRINT

DRAWERS = (reductions, robust_accuracy, effects, learning, galleries, heatmaps)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure on disk: a PNG and a PDF file."""

    title: str
    caption: str
    files: list[Path]


def draw_all(collection: Collection, folder: Path) -> list[Picture]:
    """Write every figure that has anything to show. Raises ResultError."""
    pictures = []
    with rc_context(PRINT):
        for draw in DRAWERS:
            for drawing in draw(collection):
                files = save(drawing.figure, folder / drawing.name)
                pictures.append(
                    Picture(title=drawing.title, caption=drawing.caption, files=files)
                )
    return pictures
