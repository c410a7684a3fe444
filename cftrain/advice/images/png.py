"""Small pictures within a page: PNG files as `data:` addresses."""

import base64
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
"""By the number of channels: grey, RGB, and RGB with how opaque it is."""


def data_address(pixels: np.ndarray) -> str:
    """Returns an image (height, width, channel), cut to 0 to 255, as an address."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def png(pixels: np.ndarray) -> bytes:
    """Returns the file of an image with 8 bits a channel."""
    height, width, channels = pixels.shape
    values = np.rint(np.nan_to_num(pixels)).clip(0, 255).astype(np.uint8)
    # Each line begins with how it is filtered: not at all.
    lines = np.zeros((height, 1 + width * channels), dtype=np.uint8)
    lines[:, 1:] = values.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    checked = name + body
    return (
        struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
    )
