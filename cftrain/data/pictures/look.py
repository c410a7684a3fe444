"""From what is said of images, and a look at all of them, to their declaration."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cftrain.data.pictures.album import Album, check_memory, label_text
from cftrain.data.pictures.canvas import Canvas, canvas_of
from cftrain.data.pictures.classes import class_names
from cftrain.data.pictures.opening import opened
from cftrain.data.pictures.said import Images
from cftrain.errors import DataError

IMAGE_SET = "cftrain.data.pictures.image_set.ImageSet"
LEAST_IMAGES = 40
"""As `data.least_rows` of tables: fewer say nothing about others."""

BYTES = 4
"""Of an input."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Images that were all read, what they are, and the sizes of the parts.

    Without a `pool_share` the file says which images are for the test.
    """

    said: Images
    path: Path
    album: Album
    classes: tuple[str, ...]
    canvas: Canvas
    pool_share: float | None
    pool_rows: int
    validation_rows: int

    @property
    def rows(self) -> int:
        return len(self.album.labels)

    @property
    def training_rows(self) -> int:
        return self.pool_rows - self.validation_rows


def looked_at(said: Images) -> Looked:
    """Returns what the images are. Raises DataError, naming the first that is not like
    the others or cannot be read.
    """
    path = Path(said.path).expanduser()
    album = opened(
        path, image=said.image, label=said.label, most_memory=said.most_memory
    )
    wanted = None if said.classes is None else list(map(label_text, said.classes))
    classes = class_names(str(path), album.labels, wanted)
    rows, parts = len(album.labels), album.parts
    if parts is None:
        pool = round(said.pool_share * rows)
    else:
        pool = parts.count("train")
        _check_parts(path, album, parts, classes)
    if rows < LEAST_IMAGES:
        raise DataError(f"{path}: expected at least {LEAST_IMAGES} images, got {rows}")
    return Looked(
        said=said,
        path=path,
        album=album,
        classes=classes,
        canvas=_canvas(said, path, album),
        pool_share=said.pool_share if parts is None else None,
        pool_rows=pool,
        validation_rows=min(pool - 1, max(1, round(said.validation_share * rows))),
    )


def _canvas(said: Images, path: Path, album: Album) -> Canvas:
    """What all images are, or are made to be. Raises DataError."""
    items = album.items()
    first = next(items)
    canvas = canvas_of(first, said.size, said.channels)
    rows = len(album.labels)
    what = f"{path}, {rows} images of {canvas.height} x {canvas.width} pixels as inputs"
    check_memory(what, rows * canvas.inputs * BYTES, said.most_memory)
    canvas.drawn(first)
    for item in items:
        canvas.drawn(item)
    return canvas


def _check_parts(
    path: Path, album: Album, parts: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    """Raises DataError unless every class has images in both parts."""
    counts = Counter(zip(parts, album.labels, strict=True))
    for part in ("train", "test"):
        absent = [name for name in classes if not counts[part, name]]
        if absent:
            raise DataError(
                f"{path}/{part}: expected images of all classes, got none of "
                f"{absent[0]!r}"
            )


def declared_images(looked: Looked) -> dict[str, Any]:
    """Returns plain values that `cftrain.config.build` makes a data set of."""
    said, canvas = looked.said, looked.canvas
    return {
        "_target_": IMAGE_SET,
        "name": said.name,
        "training_rows": looked.training_rows,
        "validation_rows": looked.validation_rows,
        "pool_share": looked.pool_share,
        "shuffle_seed": said.shuffle_seed,
        "path": str(looked.path.absolute()),
        "root": said.root,
        "medium": looked.album.medium,
        "image": said.image,
        "label": said.label,
        "rows": looked.rows,
        "classes": list(looked.classes),
        "size": [canvas.height, canvas.width],
        "channels": canvas.channels,
        "resize": canvas.resize,
        "recolour": canvas.recolour,
        "immutable_rows": list(said.immutable_rows),
        "most_memory": said.most_memory,
    }
