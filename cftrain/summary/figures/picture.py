"""A figure that was written."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure on disk: a PNG and a PDF file."""

    title: str
    caption: str
    files: list[Path]
