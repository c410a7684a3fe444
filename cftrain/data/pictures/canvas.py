"""What every image has to be, or is made to be: its size and its channels."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np

from cftrain.data.pictures.album import Item
from cftrain.errors import DataError

Picture = Any
"""An image of Pillow, which only those need who have images."""

Channels = Literal[1, 3]
COLOURS = {1: "grey", 3: "RGB"}

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow would read others too, some of them by running programs."""

GREY = ("1", "L", "LA", "La")
COLOURED = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA")
"""Modes of Pillow with 8 bits a channel, or less."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """Size in pixels and channels: 1 of grey images, 3 of RGB ones.

    Other images are refused, but with `resize` those of another size are resized, and
    with `recolour` those of other channels converted (grey is 0.299 R + 0.587 G +
    0.114 B). A `settled` canvas is that of a trained model: no option changes it.
    """

    height: int
    width: int
    channels: Channels
    resize: bool
    recolour: bool
    settled: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def inputs(self) -> int:
        """Returns how many numbers an image has."""
        return self.height * self.width * self.channels

    def drawn(self, item: Item) -> np.ndarray:
        """Returns the values (height, width, channel) of an image. Raises DataError."""
        values = values_of(item)
        height, width, channels = values.shape
        others = "as the model was trained on" if self.settled else "as of other images"
        if channels != self.channels and not self.recolour:
            raise DataError(
                f"{item.where}: expected {COLOURS[self.channels]} {others}, got "
                f"{COLOURS[channels]}; {self._recoloured}"
            )
        if (height, width) != (self.height, self.width) and not self.resize:
            raise DataError(
                f"{item.where}: expected {self.height} x {self.width} pixels (height x "
                f"width) {others}, got {height} x {width}; {self._resized}"
            )
        return values if values.shape == self.shape else _fitted(values, self)

    @property
    def _recoloured(self) -> str:
        if self.settled:
            return "convert it"
        return "data.channels=1 makes all grey, data.channels=3 RGB"

    @property
    def _resized(self) -> str:
        if self.settled:
            return "resize it"
        return f"'data.size=[{self.height}, {self.width}]' resizes all"


def canvas_of(
    item: Item, size: tuple[int, int] | None, channels: Channels | None
) -> Canvas:
    """Returns the canvas of an image, but for what is given. Raises DataError."""
    values = values_of(item)
    height, width = size or values.shape[:2]
    own: Channels = 1 if values.shape[-1] == 1 else 3
    return Canvas(
        height=height,
        width=width,
        channels=channels or own,
        resize=size is not None,
        recolour=channels is not None,
        settled=False,
    )


def values_of(item: Item) -> np.ndarray:
    """Returns the values of an image as it is: uint8 (height, width, channel).

    Raises DataError.
    """
    if isinstance(item.content, np.ndarray):
        return item.content
    pillow = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Half of what is an error to Pillow anyway.
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(BytesIO(item.content), formats=FORMATS) as image:
                return _array(_plain(item.where, image))
    except DataError:
        raise
    except pillow.UnidentifiedImageError as error:
        raise DataError(
            f"{item.where}: expected an image ({', '.join(FORMATS)}), got something "
            "else"
        ) from error
    except Exception as error:  # of whatever kind damaged bytes lead to
        raise DataError(
            f"{item.where}: expected a whole image, got {error!r}"
        ) from error


def _plain(where: str, image: Picture) -> Picture:
    """An image in one of the modes L and RGB. Raises DataError where that would lose
    something.
    """
    if getattr(image, "is_animated", False):
        raise DataError(f"{where}: expected a single image, got several in one file")
    if image.mode not in (*GREY, *COLOURED) or _is_deep(image):
        mode = f"{image.mode}, 16 bits a channel" if _is_deep(image) else image.mode
        raise DataError(
            f"{where}: expected a grey or RGB image of 8 bits a channel, got the mode "
            f"{mode}; convert it"
        )
    grey = image.mode in GREY
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] != 255:
            raise DataError(
                f"{where}: expected an image without transparent pixels, got some; put "
                "it on a background"
            )
    return image.convert("L" if grey else "RGB")


def _is_deep(image: Picture) -> bool:
    """Whether an image has 16 bits a channel, which Pillow hides where there are three:
    it would keep the upper eight.
    """
    tiles = getattr(image, "tile", [])
    raw = [tile[3][0] if isinstance(tile[3], tuple) else tile[3] for tile in tiles]
    return any("16" in str(mode) for mode in (image.mode, *raw))


def _fitted(values: np.ndarray, canvas: Canvas) -> np.ndarray:
    pillow = _pillow()
    image = pillow.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    image = image.convert("L" if canvas.channels == 1 else "RGB")
    size = (canvas.width, canvas.height)
    return _array(image.resize(size, pillow.Resampling.BILINEAR))


def _array(image: Picture) -> np.ndarray:
    values = np.asarray(image)
    return values[..., None] if values.ndim == 2 else values


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            "images need Pillow, which pip install 'cftrain[images]' adds"
        ) from error
    return Image
