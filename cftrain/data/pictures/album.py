"""Images with labels as a file has them, before they are decoded."""

import hashlib
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from unicodedata import normalize

import numpy as np

from cftrain.config.ranges import Incidental, PositiveFloat
from cftrain.data import sources
from cftrain.data.columns import level_text
from cftrain.errors import DataError

Part = Literal["train", "test"]
Medium = Literal["folder", "npz", "parquet"]

MostMemory = Annotated[PositiveFloat, Incidental(today=lambda: 4.0, remembered=True)]
"""GiB that images may take, in a file and as inputs of 32 bits; more are refused."""

GIB = 2**30

UNLABELLED = ""
"""The label of images that are not to be learned from."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image: encoded, or its values (height, width, channel), 0 to 255.

    `where` is how messages call it. Without a `part` it is for a split to say.
    """

    where: str
    label: str
    part: Part | None
    content: bytes | np.ndarray


@dataclass(frozen=True, kw_only=True)
class Album(ABC):
    """All images, in an order that depends on nothing but what is there.

    `labels` has the text of the label of each. `notes` are for people.
    """

    medium: ClassVar[Medium]

    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...] | None:
        """Returns the part of each image where the file says it."""
        return None

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Yields one image after the other, so that memory need not hold all of them.

        Raises DataError.
        """


class Fingerprint:
    """A hash of images in their order: of labels, parts and contents."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=8)

    def add(self, item: Item) -> None:
        content = item.content
        if isinstance(content, np.ndarray):
            self._piece(repr(content.shape).encode())
            content = np.ascontiguousarray(content).tobytes()
        for piece in (item.label.encode(), (item.part or "").encode(), content):
            self._piece(piece)

    def _piece(self, piece: bytes) -> None:
        self._digest.update(len(piece).to_bytes(8, "little"))
        self._digest.update(piece)

    def __str__(self) -> str:
        return self._digest.hexdigest()


def label_text(label: int | str) -> str:
    """Returns the text of a label; letters that look the same are the same."""
    return normalize("NFC", level_text(label))


def read_regular(path: Path, most_memory: float) -> sources.File:
    """Returns a file with its content. Raises DataError for pipes, devices and files
    that are too large.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path}: expected a readable file, got {error}") from error
    if not stat.S_ISREG(found.st_mode):  # reading it might never end
        raise DataError(f"{path}: expected a regular file, got a pipe or a device")
    check_memory(str(path), found.st_size, most_memory)
    return sources.read_file(path, most_memory)


def check_memory(what: str, size: int, most_memory: float) -> None:
    """Raises DataError for more bytes than the GiB that are allowed."""
    if size > most_memory * GIB:
        raise DataError(
            f"{what}: expected at most {most_memory:g} GiB (data.most_memory), got "
            f"{size / GIB:.3g} GiB; data.size=[height, width] makes images smaller"
        )
