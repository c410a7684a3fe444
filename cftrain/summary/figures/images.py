"""Stored rows that are drawn as images: how many there may be, and of which shapes."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from cftrain.errors import ResultError

MOST_PIXELS = 2**20
"""Of one image, which is a model's input: far more than any has."""

RGB = 3
"""Values of a pixel with a colour."""

MOST_IMAGES, MOST_IN_A_LINE = 2_000, 200
"""Of one figure: more cannot be told apart, nor does a file of pixels hold them."""


def check_images(rows: pd.DataFrame, keys: Sequence[str], table: str) -> None:
    """Raises ResultError for rows of a table that cannot be drawn as a figure with an
    image for each combination of the keys: too many or too few of them, infinite values
    (those that are no number stay blank), or other numbers of values than of pixels.
    """
    counts = [rows[key].nunique() for key in keys]
    if prod(counts) > MOST_IMAGES or max(counts) > MOST_IN_A_LINE:
        raise ResultError(
            f"{table}: expected at most {MOST_IMAGES} images in a figure, and "
            f"{MOST_IN_A_LINE} in a line, got {prod(counts)}"
        )
    if len(rows) != prod(counts) or rows.duplicated(list(keys)).any():
        raise ResultError(
            f"{table}: expected an image for each {', '.join(keys)}, got {len(rows)} "
            f"instead of {prod(counts)}, or some of them twice"
        )
    columns = (rows["cell"], rows["values"], rows["height"], rows["width"])
    for cell, values, height, width in zip(*columns, strict=True):
        _check(cell, values, height, width, table)


def _check(cell: str, values: object, height: Any, width: Any, table: str) -> None:
    where = f"{table} of cell {cell}: expected"
    if any(pd.isna(side) or side < 1 for side in (height, width)):
        raise ResultError(f"{where} sides of at least 1 pixel, got {height} x {width}")
    pixels = int(height) * int(width)  # as whole numbers of Python, without end
    found = np.asarray([] if values is None else values, dtype=float)
    if pixels > MOST_PIXELS or len(found) not in (pixels, RGB * pixels):
        raise ResultError(
            f"{where} {RGB} values or a value for each of {int(height)} x {int(width)} "
            f"pixels, at most {MOST_PIXELS}, got {len(found)}"
        )
    if np.isinf(found).any():
        raise ResultError(f"{where} values that are not infinite, got others")
