"""Images to explain as people have them: files in a folder, arrays, encoded images."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from cftrain.advice.raw_files import ParquetFile
from cftrain.advice.raw_rows import PORTION, Portion
from cftrain.advice.stored_model import StoredModel
from cftrain.data.encoding import Codec
from cftrain.data.pictures.album import Album, Item
from cftrain.data.pictures.arrays import IMAGES
from cftrain.data.pictures.canvas import Canvas
from cftrain.data.pictures.opening import has_images, unlabelled
from cftrain.data.tables.files import PARQUET
from cftrain.data.tables.unfolding import MOST_MEMORY
from cftrain.data.told import as_given
from cftrain.errors import DataError, Mistakes, warn

VALUES = 2**20
"""Of pixels that are explained at a time."""


@dataclass(frozen=True, kw_only=True)
class ImageRows:
    """Images that were found to be fit for a model; each file goes by its name."""

    root: Path
    album: Album
    canvas: Canvas
    codec: Codec

    @property
    def count(self) -> int:
        return len(self.album.labels)

    def __iter__(self) -> Iterator[Portion]:
        size = max(1, min(PORTION, VALUES // self.canvas.inputs))
        items, start = self.album.items(), 0
        while portion := list(islice(items, size)):
            values = [self.canvas.drawn(item).ravel() for item in portion]
            raw = pd.DataFrame(np.stack(values), columns=list(self.codec.inputs))
            yield Portion(
                first_row=start,
                rows=as_given(raw, self.codec),
                groups=None,
                names=self._names(portion),
            )
            start += len(portion)

    def _names(self, portion: list[Item]) -> tuple[str, ...] | None:
        if self.album.medium != "folder":
            return None
        return tuple(
            Path(item.where).relative_to(self.root).as_posix() for item in portion
        )


def of_images(rows: str) -> bool:
    """Says whether rows are images, and no table of pixels. Raises DataError."""
    path = Path(rows)
    if path.suffix.lower() in PARQUET and not path.is_dir():
        return bool(set(IMAGES) & set(ParquetFile(name=rows).header()))
    return has_images(path)


def image_rows(rows: str, model: StoredModel) -> ImageRows:
    """Returns the images at a path, all of which were looked at. Raises DataError with
    every one that the model cannot take.
    """
    path, canvas = Path(rows), canvas_of(model)
    album = unlabelled(path, MOST_MEMORY)
    mistakes = Mistakes(where=None)
    for item in album.items():
        try:
            canvas.drawn(item)
        except DataError as error:
            mistakes.add([str(error)])
    mistakes.refuse()
    for note in album.notes:
        warn(note)
    root = path if path.is_dir() else path.parent
    return ImageRows(root=root, album=album, canvas=canvas, codec=model.codec)


def canvas_of(model: StoredModel) -> Canvas:
    """Returns what images of a model are, or are made to be as those of its training
    were.
    """
    made = getattr(model.run.data, "canvas", None)
    if isinstance(made, Canvas):
        return replace(made, settled=True)
    height, width = model.image_shape or (1, 1)
    channels = len(model.codec.columns) // (height * width)
    return Canvas(
        height=height,
        width=width,
        channels=3 if channels == 3 else 1,
        resize=False,
        recolour=False,
        settled=True,
    )
