"""Lines to where they are wanted: while they are made, or as one whole file."""

import sys
from collections.abc import Iterable
from pathlib import Path

from cftrain.results.writing import written_whole


def write_lines(lines: Iterable[str], output: str | None) -> None:
    """Print lines while they are made, or write them. Raises ResultError."""
    if output is None:
        for line in lines:
            sys.stdout.write(line)
        return
    with (
        written_whole(Path(output)) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        file.writelines(lines)
