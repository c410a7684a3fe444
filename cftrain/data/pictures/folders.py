"""A folder of images with a folder for each class, or train/ and test/ of such."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cftrain.data.columns import listed
from cftrain.data.pictures.album import (
    UNLABELLED,
    Album,
    Item,
    Medium,
    Part,
    label_text,
    read_regular,
)
from cftrain.data.pictures.classes import class_order
from cftrain.errors import DataError

SUFFIXES = (
    ".bmp",
    ".gif",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
PARTS: tuple[Part, ...] = ("train", "test")
IGNORED = ("__MACOSX", "Thumbs.db", "desktop.ini")
"""What systems leave in folders; so they do with names that begin with a dot."""


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """A file with the class and the part that its folders say."""

    path: Path
    label: str
    part: Part | None


@dataclass(frozen=True, kw_only=True)
class Folder(Album):
    """Image files, by part, class and name."""

    medium: ClassVar[Medium] = "folder"

    files: tuple[ImageFile, ...]
    most_memory: float

    @property
    def parts(self) -> tuple[Part, ...] | None:
        found = tuple(file.part for file in self.files if file.part is not None)
        return found or None

    def items(self) -> Iterator[Item]:
        for file in self.files:
            yield Item(
                where=str(file.path),
                label=file.label,
                part=file.part,
                content=read_regular(file.path, self.most_memory).content,
            )


def folder_album(root: Path, most_memory: float) -> Folder:
    """Returns the images of a folder, none of them read. Raises DataError."""
    files: list[ImageFile] = []
    others: list[Path] = []
    for part, inside in _by_part(root):
        for path in _folders(root, inside, others):
            label = label_text(path.name)
            images = _images(root, path, others)
            files += [ImageFile(path=each, label=label, part=part) for each in images]
    if not files:
        raise DataError(
            f"{root}: expected a folder for each class with images in it, got none"
        )
    return Folder(
        labels=tuple(file.label for file in files),
        files=tuple(files),
        most_memory=most_memory,
        notes=_note(others),
    )


def unlabelled_folder(root: Path, most_memory: float) -> Folder:
    """Returns the images in a folder and in folders of it, as deep as those that are
    trained on, by name. Raises DataError.
    """
    others: list[Path] = []
    found = _below(root, root, others, depth=len((PARTS, "class")))
    if not found:
        raise DataError(
            f"{root}: expected images ({', '.join(SUFFIXES)}), got none by name"
        )
    return _unlabelled(found, most_memory, notes=_note(others))


def single_image(path: Path, most_memory: float) -> Folder:
    """Returns one image file."""
    return _unlabelled([path], most_memory, notes=())


def _unlabelled(
    found: Sequence[Path], most_memory: float, *, notes: tuple[str, ...]
) -> Folder:
    files = (ImageFile(path=path, label=UNLABELLED, part=None) for path in found)
    return Folder(
        labels=(UNLABELLED,) * len(found),
        files=tuple(files),
        most_memory=most_memory,
        notes=notes,
    )


def _below(root: Path, folder: Path, others: list[Path], *, depth: int) -> list[Path]:
    found = []
    for path in _entries(root, folder):
        if path.is_dir() and depth:
            found += _below(root, path, others, depth=depth - 1)
        else:
            (found if path.suffix.lower() in SUFFIXES else others).append(path)
    return found


def _by_part(root: Path) -> list[tuple[Part | None, Path]]:
    """The folder itself, or its folders train and test. Raises DataError."""
    names = [path.name for path in _entries(root, root) if path.is_dir()]
    if not set(PARTS) <= set(names):
        return [(None, root)]
    rest = [name for name in names if name not in PARTS]
    if rest:
        raise DataError(
            f"{root}: expected no folders beside train and test, got {listed(rest)}; "
            "which images validate is drawn from train"
        )
    return [(part, root / part) for part in PARTS]


def _folders(root: Path, inside: Path, others: list[Path]) -> list[Path]:
    """The folders of the classes, in their order. Raises DataError for an image beside
    them, and for names that cannot be told from each other.
    """
    found = []
    for path in _entries(root, inside):
        if path.is_dir():
            found.append(path)
        elif path.suffix.lower() in SUFFIXES:
            raise DataError(
                f"{path}: expected images in the folder of their class only, got one "
                "beside these folders"
            )
        else:
            others.append(path)
    names = [label_text(path.name) for path in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:  # the same letters, written in two ways
        raise DataError(
            f"{inside}: expected a folder for each class, got two called {twice[0]!r}"
        )
    return sorted(found, key=lambda path: class_order(label_text(path.name)))


def _images(root: Path, folder: Path, others: list[Path]) -> list[Path]:
    """The images of a class by name. Raises DataError."""
    found: list[Path] = []
    for path in _entries(root, folder):
        if path.is_dir():
            raise DataError(
                f"{path}: expected images, got a folder; data.path is the folder whose "
                "folders are the classes"
            )
        (found if path.suffix.lower() in SUFFIXES else others).append(path)
    if not found:
        raise DataError(
            f"{folder}: expected images of the class {folder.name!r}, got none"
        )
    return found


def _entries(root: Path, folder: Path) -> list[Path]:
    """What is in a folder, by name. Raises DataError for links that lead out of the
    root: what somebody sent shall not take in other files.
    """
    try:
        found = sorted(folder.iterdir(), key=lambda path: label_text(path.name))
        for path in found:
            if path.is_symlink() and not path.resolve(strict=True).is_relative_to(
                root.resolve()
            ):
                raise DataError(
                    f"{path}: expected files of {root}, got a link to "
                    f"{path.resolve()}; copy what it leads to"
                )
    except (OSError, RuntimeError) as error:  # older versions raise this for loops
        raise DataError(f"{folder}: expected a readable folder, got {error}") from error
    return [
        path
        for path in found
        if not path.name.startswith(".") and path.name not in IGNORED
    ]


def _note(others: list[Path]) -> tuple[str, ...]:
    if not others:
        return ()
    more = f" and {len(others) - 1} more files" if len(others) > 1 else ""
    return (f"left out: {others[0]}{more}, by name no images",)
