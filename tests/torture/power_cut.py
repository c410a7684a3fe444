"""What a disk may hold after a power cut: only what was flushed is sure to be there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import open as opened  # that of the system, whatever a test has put there
from pathlib import Path

from cftrain.results.lock import FILE
from cftrain.results.log import FILE as LOG
from cftrain.results.writing import MARK

Image = dict[str, bytes | None]
"""Contents by name; None for folders."""


@dataclass
class Disk:
    """The two extremes that a cut may leave, after each call on a file of a folder.

    Either no name has changed since its folder was flushed last (`late`), or all have
    at once and the bytes come later (`early`): files that were not flushed are empty.
    """

    folder: Path
    flushed: dict[int, bytes] = field(default_factory=dict)
    """Contents by inode."""

    listed: dict[int, dict[str, int]] = field(default_factory=dict)
    """Names and inodes in folders that were flushed, by the inodes of these."""

    folders: set[int] = field(default_factory=set)
    images: dict[str, Image] = field(default_factory=dict)
    """Different ones, by their extreme and what is in them."""

    held: dict[int, int] = field(default_factory=dict)
    """Descriptors by inode: as long as it is open, no other file gets its number."""

    def __enter__(self) -> "Disk":
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self.held.values():
            os.close(descriptor)

    def after(self, call: str, path: Path) -> None:
        """Told of each call that was made."""
        if call == "fsync" and path.is_dir():
            names = {entry.name: entry.inode() for entry in os.scandir(path)}
            self.listed[path.stat().st_ino] = names
        elif call == "fsync":
            self.flushed[path.stat().st_ino] = path.read_bytes()
        if not self.folder.exists():
            return
        for extreme, image in (("early", self.early()), ("late", self.late())):
            kept = {n: c for n, c in image.items() if not passing(n)}
            self.images.setdefault(f"{extreme} {sorted(kept.items())}", image)

    def early(self) -> Image:
        """All names as they are, with the bytes that were flushed."""
        image: Image = {}
        for path in sorted(self.folder.rglob("*")):
            inode = path.stat().st_ino
            if inode not in self.held:
                self.held[inode] = opened(path, os.O_RDONLY)
            if path.is_dir():
                self.folders.add(inode)
            content = None if path.is_dir() else self.flushed.get(inode, b"")
            image[str(path.relative_to(self.folder))] = content
        return image

    def late(self) -> Image:
        """Names as they were flushed, with the bytes that were."""
        return dict(self._below(self.folder.stat().st_ino, ""))

    def _below(self, inode: int, prefix: str) -> Iterator[tuple[str, bytes | None]]:
        for name, own in sorted(self.listed.get(inode, {}).items()):
            if own in self.folders:
                yield f"{prefix}{name}", None
                yield from self._below(own, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}", self.flushed.get(own, b"")


def passing(name: str) -> bool:
    """Whether a file is for the moment, or the log: it may be empty or missing."""
    path = Path(name)
    return MARK in path.name or path.name in (FILE, LOG) or path.suffix == ".begun"


def written(image: Image, folder: Path, dead: int) -> None:
    """Make the files of an image; temporary ones become those of a dead process."""
    folder.mkdir()
    for name, content in image.items():
        path = folder / name.replace(
            f"{MARK}{os.getpid()}{MARK}", f"{MARK}{dead}{MARK}"
        )
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
