"""How pictures are written: whole, or not at all."""

from pathlib import Path

from matplotlib.figure import Figure

from cftrain.results.writing import written_whole

DOTS_PER_INCH = 160


def save(
    figure: Figure, path: Path, kinds: tuple[str, ...] = ("png", "pdf")
) -> list[Path]:
    """Writes the picture in each kind beside `path`, returns the files. Raises
    ResultError.
    """
    written = []
    for kind in kinds:
        target = path.with_suffix(f".{kind}")
        with written_whole(target) as partial:
            figure.savefig(partial, dpi=DOTS_PER_INCH)
        written.append(target)
    return written
