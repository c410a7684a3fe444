"""How raw rows are images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cftrain.data.columns import NumericColumn
from cftrain.data.encoding import Codec
from cftrain.errors import ResultError

PARTS = 3
"""An image has so many parts in its height and in its width."""

WHITE = 255
"""The largest value of a pixel."""

CHANNELS = (1, 3)


@dataclass(frozen=True, kw_only=True)
class ImageForm:
    """How raw rows are laid out: the columns of pixels, line by line, with the channels
    of a pixel side by side.
    """

    height: int
    width: int
    columns: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Returns height, width and channels."""
        channels = len(self.columns) // (self.height * self.width)
        return self.height, self.width, channels

    @property
    def parts(self) -> np.ndarray:
        """Returns the part of the image that each column lies in."""
        height, width, channels = self.shape
        down, across = (PARTS * np.arange(size) // size for size in (height, width))
        return np.repeat((PARTS * down[:, None] + across).ravel(), channels)

    def pixels(self, values: Mapping[str, Any]) -> np.ndarray:
        """Returns the values of a raw row, from 0 to 255 (height, width, channel)."""
        flat = np.fromiter(values.values(), dtype=np.float64, count=len(values))
        return flat.reshape(self.shape)


def image_form(shape: tuple[int, int] | None, codec: Codec) -> ImageForm | None:
    """Returns how the rows of a codec are images of a shape, None if they are none.

    Raises ResultError where there are other columns than such images have.
    """
    if shape is None:
        return None
    height, width = shape
    numeric = all(isinstance(column, NumericColumn) for column in codec.columns)
    channels = len(codec.columns) / max(height * width, 1)
    if not numeric or min(shape) < 1 or channels not in CHANNELS:
        raise ResultError(
            f"expected one or three columns of numbers for each of {height} x {width} "
            f"pixels, got {len(codec.columns)} columns"
        )
    return ImageForm(height=height, width=width, columns=tuple(codec.inputs))
