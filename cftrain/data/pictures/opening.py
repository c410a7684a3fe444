"""From a path to the images at it."""

from pathlib import Path

from cftrain.data.pictures.album import Album, Medium
from cftrain.data.pictures.arrays import array_album, unlabelled_arrays
from cftrain.data.pictures.folders import (
    SUFFIXES,
    folder_album,
    single_image,
    unlabelled_folder,
)
from cftrain.data.pictures.parquet import parquet_album, unlabelled_parquet
from cftrain.data.tables.files import PARQUET
from cftrain.errors import DataError


def opened(
    path: Path, *, image: str | None, label: str | None, most_memory: float
) -> Album:
    """Returns the images of a folder, an .npz or a Parquet file. `image` and `label`
    name the arrays or columns, None: those with usual names. Raises DataError.
    """
    match _medium(path):
        case "folder":
            named = {"data.image": image, "data.label": label}
            for key, value in named.items():
                if value is not None:
                    raise DataError(
                        f"{key}: expected null for a folder, whose folders are the "
                        f"classes, got {value!r}"
                    )
            return folder_album(path, most_memory)
        case "npz":
            return array_album(path, image, label, most_memory)
        case "parquet":
            return parquet_album(path, image, label, most_memory)


def unlabelled(path: Path, most_memory: float) -> Album:
    """Returns the images at a path, which may be a single one, to be told about: their
    labels are neither needed nor read. Raises DataError.
    """
    if path.is_dir():
        return unlabelled_folder(path, most_memory)
    if path.suffix.lower() == ".npz":
        return unlabelled_arrays(path, most_memory)
    if path.suffix.lower() in PARQUET:
        return unlabelled_parquet(path, most_memory)
    return single_image(path, most_memory)


def has_images(path: Path) -> bool:
    """Says whether a folder or a file holds images by its name; Parquet may as well."""
    return path.is_dir() or path.suffix.lower() in (".npz", *SUFFIXES)


def _medium(path: Path) -> Medium:
    if path.is_dir():
        return "folder"
    if path.suffix.lower() == ".npz":
        return "npz"
    if path.suffix.lower() in PARQUET:
        return "parquet"
    what = "no such file" if not path.exists() else "something else"
    raise DataError(
        "data.path: expected a folder with a folder of images for each class, an .npz "
        f"or a .parquet file, got {str(path)!r}, which is {what}; data=table reads "
        "tables"
    )
