"""Folders of results that somebody may have sent: no way out, and plain files only."""

import os
import stat
from pathlib import Path

from cftrain.errors import ResultError

LEAST_ROWS, ROWS_PER_BYTE = 1_000_000, 100
"""Tables of ours have some 10 rows for each byte of a file at most."""

LEAST_BYTES, BYTES_PER_BYTE = 2**29, 500
"""What a file may come to in memory: ten times as much as tables of ours do."""


EXPORTED = ("manifest.json", "model.json")
"""Files that each exported model has, and folders of results do not have together."""


def refuse_exported(folder: Path) -> None:
    """Raises ResultError for an exported model: with a file more it is none any more,
    as its manifest lists all of them.
    """
    if all(os.path.lexists(folder / name) for name in EXPORTED):
        raise ResultError(
            f"{folder}: expected a folder of results, got an exported model, in which "
            "nothing is trained or measured; name the folder that it was exported "
            "from, or another one"
        )


def refuse_links(folder: Path) -> None:
    """Raises ResultError if a link in a folder of results leads out of it: what is
    written to `weights`, say, would then lie where whoever sent the folder wants it.

    Further down, where files are only ever replaced, that goes for links to folders.
    """
    home = folder.resolve()
    for place, folders, files in os.walk(folder):
        for name in sorted(folders + files if Path(place) == folder else folders):
            entry = Path(place, name)
            if not entry.is_symlink():
                continue
            target = entry.resolve()
            if home not in (target, *target.parents):
                raise ResultError(
                    f"{entry}: expected results inside their folder, got a link to "
                    f"{target}; remove it, or move there what it leads to"
                )


def regular_bytes(path: Path, most: int) -> bytes:
    """What is in a file. Raises OSError, also for what is no file (reading a pipe may
    last for ever) and for more than `most` bytes.
    """
    refuse_larger(path, most)
    return path.read_bytes()


def refuse_larger(path: Path, most: int) -> None:
    """Raises OSError for what is no file, or one of more than `most` bytes."""
    refuse_special(path)
    size = path.stat().st_size
    if size > most:
        raise OSError(f"expected at most {most} bytes, got {size}")


def refuse_special(path: Path) -> None:
    """Raises OSError for a pipe, a device or a folder."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path}: expected a file, got something else of that name")


def refuse_bytes(size: int, unfolded: int) -> None:
    """Raises OSError if a file of so many bytes would take too many in memory."""
    most = LEAST_BYTES + BYTES_PER_BYTE * size
    if unfolded > most:
        raise OSError(
            f"expected at most {most} bytes from a file of its size, got {unfolded}"
        )


def refuse_unfolding(size: int, rows: int) -> None:
    """Raises OSError for a table of so many rows that a file of so many bytes cannot
    hold them, unless they repeat one value to fill the memory.
    """
    most = LEAST_ROWS + ROWS_PER_BYTE * size
    if rows > most:
        raise OSError(f"expected at most {most} rows in a file of its size, got {rows}")
