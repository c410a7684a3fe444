"""Stored rows that are drawn as images: how many there may be, and of which shapes."""

import numpy as np
import pandas as pd

from cftrain.errors import ResultError

MOST_PIXELS = 2**20
"""Of one image, which is a model's input: far more than any has."""


def check_images(rows: pd.DataFrame, count: int, table: str, *, most: int) -> None:
    """Raises ResultError for rows of a table that cannot be drawn: more than `most`
    images, or images whose values are not finite or not as many as their pixels.
    """
    if count > most:
        raise ResultError(
            f"{table}: expected at most {most} images in a figure, got {count}"
        )
    columns = ("cell", "values", "height", "width")
    for cell, values, height, width in zip(*(rows[c] for c in columns), strict=True):
        where = f"{table} of cell {cell}: expected"
        sides = height, width
        if any(pd.isna(side) or side < 1 for side in sides):
            raise ResultError(f"{where} sides of at least 1 pixel, got {sides}")
        pixels = int(height) * int(width)  # as whole numbers of Python, without end
        held = 0 if values is None else len(values)
        if pixels > MOST_PIXELS or held != pixels:
            raise ResultError(
                f"{where} {pixels} values for {int(height)} x {int(width)} pixels "
                f"({MOST_PIXELS} at most), got {held}"
            )
        if not np.isfinite(np.asarray(values, dtype=float)).all():
            raise ResultError(f"{where} finite values, got others")
