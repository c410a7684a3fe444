"""Stored rows of images as pixels, and the names of their classes."""

import numpy as np
import pandas as pd

from cftrain.results.described import described
from cftrain.results.leaves import value_at

GREY = 1
"""Channels of an image without colours."""


def pixels_of(row: pd.Series) -> np.ndarray:
    """Returns the values (height, width, channel) of a row of a table with images."""
    shape = (row["height"], row["width"], -1)
    return np.asarray(row["values"]).reshape(shape)


def shown_pixels(row: pd.Series) -> np.ndarray:
    """Returns an image from -1 to 1 as matplotlib draws it: grey values, or RGB."""
    pixels = pixels_of(row)
    if pixels.shape[-1] == GREY:
        return pixels[..., 0]
    return ((pixels + 1) / 2).clip(0, 1)


def class_titles(config: object, labels: list[int]) -> list[str]:
    """Returns what the run with a stored configuration calls its classes, else their
    numbers.

    Raises ResultError for a configuration that cannot be read.
    """
    names = value_at(described(config, "a cell"), "data.classes")
    if not isinstance(names, list):
        return list(map(str, labels))
    return [str(names[label]) if label < len(names) else str(label) for label in labels]
