"""Write pictures under a temporary name, then rename them."""

from pathlib import Path

from matplotlib.figure import Figure

from cftrain.errors import ResultError
from cftrain.results.writing import replacing

DOTS_PER_INCH = 160


def save(
    figure: Figure, path: Path, kinds: tuple[str, ...] = ("png", "pdf")
) -> list[Path]:
    """The picture in each kind beside `path`. Raises ResultError."""
    written = []
    for kind in kinds:
        target = path.with_suffix(f".{kind}")
        try:
            with replacing(target) as partial:
                figure.savefig(partial, dpi=DOTS_PER_INCH)
        except OSError as error:
            raise ResultError(f"{target}: could not be written: {error}") from error
        written.append(target)
    return written
