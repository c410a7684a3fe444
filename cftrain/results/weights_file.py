"""Where a cell's weights lie and what tells them from others; read without torch.

Files of safetensors begin with the length of their header, and with the header, JSON.
"""

import json
import os
from hashlib import sha256
from io import BufferedIOBase
from pathlib import Path

from cftrain.results.folders import refuse_larger, regular_bytes

FOLDER = "weights"
ENDING = ".safetensors"

MOST_BYTES = 2**30
"""Of one cell: far more than any model here has, and less than fills a memory."""

LENGTH_BYTES = 8
MOST_HEADER_BYTES = 2**24
"""Of a header. As objects of Python it takes some twenty times as much memory."""


def weights_path(folder: Path, cell: str) -> Path:
    """Returns the file with a cell's weights."""
    return folder / FOLDER / f"{cell}{ENDING}"


def weights_digest(folder: Path, cell: str) -> str | None:
    """The digest of a cell's file, as `write_weights` returned it; None without one."""
    try:
        content = regular_bytes(weights_path(folder, cell), MOST_BYTES)
        return sha256(content).hexdigest()
    except OSError:
        return None


def stored_weights(folder: Path) -> set[str]:
    """The cells whose weights are in a folder, if only by the names of the files."""
    try:
        with os.scandir(folder / FOLDER) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        return set()
    return {name.removesuffix(ENDING) for name in names if name.endswith(ENDING)}


def check_file(path: Path, most: int) -> None:
    """Raises OSError for what is no file, or one of more than `most` bytes, and
    ValueError for a header that would fill the memory.
    """
    refuse_larger(path, most)
    with path.open("rb") as stream:
        _header_length(stream)


def stored_metadata(stream: BufferedIOBase) -> dict[str, str]:
    """What stands in the header of an open file beside the tensors. Raises ValueError
    or RecursionError for another one.
    """
    header = json.loads(stream.read(_header_length(stream)))
    return dict(header.get("__metadata__") or {})


def _header_length(stream: BufferedIOBase) -> int:
    length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
    if length > MOST_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes, not {MOST_HEADER_BYTES} at most")
    return length
