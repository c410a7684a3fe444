"""Where a cell's weights lie and what tells them from others; read without torch."""

from hashlib import sha256
from pathlib import Path

FOLDER = "weights"


def weights_path(folder: Path, cell: str) -> Path:
    """Returns the file with a cell's weights."""
    return folder / FOLDER / f"{cell}.safetensors"


def weights_digest(folder: Path, cell: str) -> str | None:
    """The digest of a cell's file, as `write_weights` returned it; None without one."""
    path = weights_path(folder, cell)
    try:
        return sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except OSError:
        return None
