"""Pixels as model inputs: their names, their scale, and where they may move."""

from collections.abc import Sequence

import numpy as np
import torch

from cftrain.data.constraints import Constraints
from cftrain.data.declarations import declared_constraints
from cftrain.data.encoding import Codec, identity_codec
from cftrain.errors import DataError
from cftrain.tensors import Features

HALF = 127.5
"""Values go from 0 to twice this; an input is (value - 127.5) / 127.5."""

INPUTS = ((np.arange(256) - HALF) / HALF).astype(np.float32)
"""Of each value, as the codec has it to the last bit: 128 is decoded as 128."""

ENDS = {1: ("",), 3: ("_red", "_green", "_blue")}
"""How the names of a pixel's inputs end, by the number of its channels."""


def pixel_codec(height: int, width: int, channels: int = 1) -> Codec:
    """Returns the codec of images, row by row, the channels of a pixel side by side."""
    names = [
        f"pixel_{row}_{column}{end}"
        for row in range(height)
        for column in range(width)
        for end in ENDS[channels]
    ]
    return identity_codec(names, mean=HALF, deviation=HALF)


def scaled(pixels: np.ndarray) -> Features:
    """Returns values 0 to 255 (uint8) as numbers from -1 to 1."""
    return torch.from_numpy(INPUTS[pixels])


def pixel_constraints(
    pool: Features, codec: Codec, *, height: int, immutable_rows: Sequence[int]
) -> Constraints:
    """Returns the box of all values; rows of pixels, from the top, may be immutable.

    Raises DataError for rows that there are not.
    """
    beyond = [row for row in immutable_rows if not 0 <= row < height]
    if beyond:
        raise DataError(
            f"data.immutable_rows: expected rows 0 to {height - 1}, got {beyond}"
        )
    names = codec.feature_names
    in_row = len(names) // height
    return declared_constraints(
        pool,
        codec,
        deviations=None,
        domain=dict.fromkeys(names, (0.0, 2 * HALF)),
        mutability={
            name: "immutable"
            for place, name in enumerate(names)
            if place // in_row in immutable_rows
        },
    )
