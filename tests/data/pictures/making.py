"""Small sets of images, written as people have them."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from sklearn.datasets import load_digits

from cftrain.config.build import build_object
from cftrain.data.pictures.image_set import ImageSet
from cftrain.data.pictures.look import Looked, declared_images, looked_at
from cftrain.data.pictures.said import Images

PLAIN = {
    "name": "images",
    "image": None,
    "label": None,
    "classes": None,
    "size": None,
    "channels": None,
    "immutable_rows": (),
    "root": None,
    "test_share": 0.2,
    "validation_share": 0.1,
    "shuffle_seed": 2025,
    "most_memory": 1.0,
}


@cache
def digits(each: int = 20) -> tuple[np.ndarray, list[str]]:
    """Digits of 8 x 8 pixels, sorted by class, as many of each."""
    found = load_digits()
    places = [i for k in range(10) for i in np.flatnonzero(found.target == k)[:each]]
    pixels = np.rint(found.images[places] * 255 / 16).astype(np.uint8)
    return pixels, [str(found.target[place]) for place in places]


def patches(each: int = 20, height: int = 6, width: int = 5) -> tuple:
    """Patches of colour on noise, RGB, in three classes, sorted."""
    rng = np.random.default_rng(0)
    names = ["blue", "green", "red"]
    pixels = rng.integers(60, 160, (3 * each, height, width, 3)).astype(np.uint8)
    for place, channel in enumerate((2, 1, 0)):
        rows = pixels[place * each : (place + 1) * each]
        rows[:, 1:4, 1:4] = 30
        rows[:, 1:4, 1:4, channel] = rng.integers(190, 256, (each, 3, 3))
    return pixels, [name for name in names for _ in range(each)]


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def write_folder(root: Path, pixels: np.ndarray, labels: Sequence[str]) -> Path:
    for place, (values, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = root / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place:04}.png").write_bytes(encoded(values))
    return root


def write_npz(path: Path, pixels: np.ndarray, labels: Sequence, **names: str) -> Path:
    image, label = names.get("image", "images"), names.get("label", "labels")
    np.savez_compressed(path, **{image: pixels, label: np.asarray(labels)})
    return path


def write_parquet(
    path: Path, pixels: np.ndarray, labels: Sequence, *, nested: bool = False
) -> Path:
    """With `nested`, as Hugging Face's `datasets` has them."""
    contents = [encoded(values) for values in pixels]
    column = pa.array(contents)
    if nested:
        paths = pa.array([f"{place}.png" for place in range(len(contents))])
        column = pa.StructArray.from_arrays([column, paths], names=["bytes", "path"])
    pq.write_table(pa.table({"image": column, "label": pa.array(labels)}), path)
    return path


def deep_png(channels: int) -> bytes:
    """16 bits a channel, 2 x 2 pixels, which Pillow cannot write in colour."""
    kind = {1: 0, 3: 2}[channels]
    rows = (b"\0" + bytes(range(2 * 2 * channels))) * 2

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 2, 2, 16, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def bomb(side: int) -> bytes:
    """A file of a few kilobytes that says it is a huge image."""
    small = encoded(np.zeros((1, 1), dtype=np.uint8))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = b"IHDR" + head
    start = (
        small[:8] + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    )
    return start + small[8 + 25 :]


def look(path: Path, **changes: object) -> Looked:
    return looked_at(Images(path=str(path), **{**PLAIN, **changes}))


def image_set(path: Path, **changes: object) -> ImageSet:
    """The data set of images at a path."""
    values = declared_images(look(path, **changes))
    return build_object(values, ImageSet, "data")
