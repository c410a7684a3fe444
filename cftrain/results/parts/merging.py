"""Many small parts as few files: what makes folders of many stacks quick to read.

Only the holder of a folder's lock merges, while workers write and others read. A merged
file is written whole before its parts go, and a part that was written anew meanwhile
stays (see `cftrain.results.parts.reading` for how rows in both count once).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from cftrain.errors import ResultError
from cftrain.results.parts.parquet import Unreadable, write_parquet
from cftrain.results.parts.reading import MERGED, part_files, read_part, stack_of
from cftrain.results.schema import OF_EVALUATION, OF_TRAINING

MERGEABLE = {**OF_TRAINING, **OF_EVALUATION}
"""Tables with a part for each stack."""

MANY = 256
"""So many parts of a table are let be."""

LARGE = 4 * 2**20
"""Bytes of a part that gains nothing."""

MOST = 32 * 2**20
"""Bytes of rows in memory that become one file."""

TAKEN = ".merged"
"""Ending of a part that is about to go; one that is left is put back."""


@dataclass(frozen=True)
class _Source:
    path: Path
    state: tuple[int, int, int]
    rows: pa.Table


def merge_parts(folder: Path, many: int = MANY) -> int:
    """Merge the small parts of every table that has many. Returns how many went.

    What the disk does not take stays in parts: nothing is lost, reading takes longer.
    """
    gone = 0
    for name in MERGEABLE:
        with suppress(ResultError, OSError):
            gone += _merge_table(folder / name, many)
    return gone


def put_back(folder: Path) -> None:
    """Give parts back their names that a killed process was about to remove."""
    for table in MERGEABLE:
        for taken in (folder / table).glob(f"?*{TAKEN}"):
            _put_back(taken)


def _merge_table(folder: Path, many: int) -> int:
    parts = [path for path in part_files(folder) if stack_of(path) is not None]
    small = [path for path in parts if _state(path)[2] <= LARGE]
    if len(small) < many:
        return 0
    gone = 0
    for batch in _batches(small, MERGEABLE[folder.name]):
        write_parquet(
            _next_name(folder, batch), pa.concat_tables(s.rows for s in batch)
        )
        for source in batch:
            with suppress(OSError):  # then it stays, and counts once all the same
                _retire(source)
        gone += len(batch)
    return gone


def _batches(paths: list[Path], schema: pa.Schema) -> Iterator[list[_Source]]:
    """Parts in portions that fit into memory. Damaged ones stay, and so do those
    without rows: they take back what older files have.
    """
    batch: list[_Source] = []
    size = 0
    for path in paths:
        state = _state(path)
        try:
            rows = read_part(path, schema)
        except (FileNotFoundError, Unreadable):
            continue
        if not len(rows) or _state(path) != state:
            continue
        batch.append(_Source(path, state, rows))
        size += rows.nbytes
        if size >= MOST:
            yield batch
            batch, size = [], 0
    if len(batch) > 1:
        yield batch


def _next_name(folder: Path, batch: list[_Source]) -> Path:
    """A name after all others. Two processes without locks do not choose the same one:
    it names what is in it.
    """
    found = [path.name for path in part_files(folder) if stack_of(path) is None]
    numbers = [int(name.removeprefix(MERGED).partition("-")[0]) for name in found]
    held = "".join(source.path.name for source in batch)
    digest = blake2b(held.encode(), digest_size=4).hexdigest()
    return folder / f"{MERGED}{max(numbers, default=0) + 1:08d}-{digest}.parquet"


def _retire(source: _Source) -> None:
    """Remove a part unless it is another one meanwhile. It is taken away before it is
    looked at, so that nobody replaces it in between.
    """
    taken = source.path.with_name(f"{source.path.name}{TAKEN}")
    try:
        source.path.replace(taken)
    except FileNotFoundError:
        return
    if _state(taken) == source.state:
        taken.unlink()
    else:
        _put_back(taken)


def _put_back(taken: Path) -> None:
    """Give a part its name again if no newer one has it."""
    path = taken.with_name(taken.name.removesuffix(TAKEN))
    try:
        os.link(taken, path)  # which replaces nothing
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            taken.replace(path)
    taken.unlink(missing_ok=True)


def _state(path: Path) -> tuple[int, int, int]:
    """What tells a file from one that replaced it; nothing if it is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)
