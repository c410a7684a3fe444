"""Images as an array in a file of NumPy, beside an array of labels."""

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np

from cftrain.data.columns import listed
from cftrain.data.pictures.album import (
    UNLABELLED,
    Album,
    Item,
    Medium,
    check_memory,
    label_text,
    read_regular,
)
from cftrain.data.pictures.pixels import ENDS
from cftrain.errors import DataError

IMAGES = ("images", "image", "x", "X", "data")
LABELS = ("labels", "label", "y", "target", "targets")
END = ".npy"


@dataclass(frozen=True, kw_only=True)
class Arrays(Album):
    """Values (row, height, width, channel), in the order of the file."""

    medium: ClassVar[Medium] = "npz"

    where: str
    values: np.ndarray

    def items(self) -> Iterator[Item]:
        for place, (label, values) in enumerate(
            zip(self.labels, self.values, strict=True)
        ):
            yield Item(
                where=f"{self.where}, image {place + 1}",
                label=label,
                part=None,
                content=values,
            )


def array_album(
    path: Path, image: str | None, label: str | None, most_memory: float
) -> Arrays:
    """Returns the images of an .npz file, without running what it may hold.

    Raises DataError.
    """
    wanted = {"data.image": (image, IMAGES), "data.label": (label, LABELS)}
    (images, values), (labels, classes) = _read(path, wanted, most_memory)
    return Arrays(
        where=images,
        values=_images(images, values),
        labels=_labels(labels, classes, rows=len(values)),
    )


def unlabelled_arrays(path: Path, most_memory: float) -> Arrays:
    """Returns the images of an .npz file, whatever else is in it. Raises DataError."""
    ((images, values),) = _read(path, {"rows": (None, IMAGES)}, most_memory)
    labels = (UNLABELLED,) * len(values)
    return Arrays(where=images, values=_images(images, values), labels=labels)


def _read(
    path: Path, wanted: Mapping[str, tuple[str | None, Sequence[str]]], most: float
) -> list[tuple[str, np.ndarray]]:
    """How messages call each array, and its values: by the key that chooses it, the
    name that was given and the usual ones. Raises DataError.
    """
    file = read_regular(path, most)
    try:
        with zipfile.ZipFile(BytesIO(file.content)) as archive:
            members = archive.namelist()
            names = [each.removesuffix(END) for each in members if each.endswith(END)]
            found = [
                chosen(path, key, given, usual, names)
                for key, (given, usual) in wanted.items()
            ]
            for name in found:
                _check_header(path, archive, name, most)
            return [(f"{path}, {name!r}", _array(archive, name)) for name in found]
    except DataError:
        raise
    except Exception as error:  # of whatever kind damaged archives lead to
        raise DataError(
            f"{path}: expected an .npz file of arrays, got {error}"
        ) from error


def chosen(
    path: Path, key: str, given: str | None, usual: Sequence[str], names: Sequence[str]
) -> str:
    """Returns the name that was given, else the first usual one. Raises DataError."""
    wanted = usual if given is None else (given,)
    for name in wanted:
        if name in names:
            return name
    raise DataError(
        f"{key}: expected one of what {path} has ({listed(names)}), got "
        + (f"null and none of the usual {listed(usual)}" if given is None else given)
    )


def _check_header(
    path: Path, archive: zipfile.ZipFile, name: str, most_memory: float
) -> None:
    """Raises DataError for objects and for more than fits, before anything is read."""
    with archive.open(name + END) as member:
        version = np.lib.format.read_magic(member)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(f"version {version} of the array {name!r}")
        shape, _, kind = read(member)
    if kind.hasobject:
        raise DataError(
            f"{path}, {name!r}: expected an array of numbers or texts, got Python "
            "objects, which may run any program"
        )
    check_memory(f"{path}, {name!r}", math.prod(shape) * kind.itemsize, most_memory)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Of the member whose header was checked: `numpy.load` takes one that is called
    the same without the ending, if there is one.
    """
    with archive.open(name + END) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _images(where: str, values: np.ndarray) -> np.ndarray:
    """With channels. Raises DataError."""
    if values.dtype != np.uint8:
        span = f" from {values.min():g} to {values.max():g}" if _numeric(values) else ""
        raise DataError(
            f"{where}: expected whole numbers 0 to 255 as uint8, got {values.dtype}"
            f"{span}"
        )
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim != 4 or values.shape[-1] not in ENDS or 0 in values.shape:
        raise DataError(
            f"{where}: expected some images of shape (row, height, width) or (row, "
            f"height, width, 3), got {values.shape}"
        )
    return values


def _labels(where: str, labels: np.ndarray, *, rows: int) -> tuple[str, ...]:
    """Texts of whole numbers or texts. Raises DataError."""
    if labels.shape not in ((rows,), (rows, 1)):
        raise DataError(
            f"{where}: expected a label for each of {rows} images, got the shape "
            f"{labels.shape}"
        )
    if labels.dtype.kind not in "iubU":
        raise DataError(f"{where}: expected whole numbers or texts, got {labels.dtype}")
    return tuple(map(label_text, labels.ravel().tolist()))


def _numeric(values: np.ndarray) -> bool:
    return values.dtype.kind in "iuf" and values.size > 0
