"""What images were found to be, as people read it before they are trained on."""

from collections import Counter
from collections.abc import Iterator

from tabulate import tabulate

from cftrain.data.pictures.canvas import COLOURS
from cftrain.data.pictures.look import Looked
from cftrain.data.tables.guessing.told import split_told

SHOWN = 30
"""Classes that have a line of their own."""


def images_told(looked: Looked) -> str:
    """Returns a line for each class, and the lines about the whole."""
    return "\n".join(_lines(looked))


def _lines(looked: Looked) -> Iterator[str]:
    canvas, album = looked.canvas, looked.album
    made = [
        word
        for word, true in (("resized", canvas.resize), ("converted", canvas.recolour))
        if true
    ]
    yield (
        f"{looked.said.path}: {looked.rows} images ({album.medium}), "
        f"{canvas.height} x {canvas.width} pixels, {COLOURS[canvas.channels]}"
        f"{', all ' + ' and '.join(made) + ' to that' if made else ''}"
    )
    yield (
        f"{canvas.inputs} inputs, from -1 to 1 for values from 0 to 255, by the names "
        "pixel_ROW_COLUMN" + ("_red, _green and _blue" if canvas.channels == 3 else "")
    )
    counts = Counter(album.labels)
    rows = [[name, counts[name]] for name in looked.classes[:SHOWN]]
    yield tabulate(rows, ["class", "images"], "simple", disable_numparse=True)
    if len(looked.classes) > SHOWN:
        yield f"... and {len(looked.classes) - SHOWN} more classes"
    yield from album.notes
    yield _of_split(looked)


def _of_split(looked: Looked) -> str:
    training, validation = looked.training_rows, looked.validation_rows
    test = looked.rows - looked.pool_rows
    if looked.pool_share is not None:
        return split_told(training, validation, test, looked.said.shuffle_seed)
    return (
        f"{training} training and {validation} validation rows of the folder train, "
        f"shuffled with seed {looked.said.shuffle_seed}; {test} test rows of the "
        "folder test"
    )
