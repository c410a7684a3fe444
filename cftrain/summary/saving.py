"""Write pictures under a temporary name, then rename them."""

import os
from contextlib import suppress
from pathlib import Path

from matplotlib.figure import Figure

from cftrain.errors import ResultError

DOTS_PER_INCH = 160


def save(
    figure: Figure, path: Path, kinds: tuple[str, ...] = ("png", "pdf")
) -> list[Path]:
    """The picture in each kind beside `path`. Raises ResultError."""
    written = []
    for kind in kinds:
        target = path.with_suffix(f".{kind}")
        partial = path.with_name(f".{path.stem}-{os.getpid()}.{kind}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(partial, dpi=DOTS_PER_INCH)
            partial.replace(target)
        except OSError as error:
            raise ResultError(f"{target}: could not be written: {error}") from error
        finally:
            with suppress(OSError):
                partial.unlink()
        written.append(target)
    return written
