"""An overview as text for a terminal."""

from collections.abc import Iterator
from textwrap import wrap

from tabulate import tabulate

from cftrain.advice.images.drawn import side_by_side
from cftrain.advice.images.form import WHITE, ImageForm
from cftrain.advice.images.overall import pixel_shares
from cftrain.advice.overview.overview import Overview
from cftrain.advice.overview.phrases import (
    COLUMN_HEADS,
    GROUP_HEADS,
    GROUP_NOTE,
    column_cells,
    facts,
    group_cells,
    notes,
)

WIDTH = 76


def overview_text(overview: Overview, image: ImageForm | None) -> str:
    """Returns the lines about all rows."""
    return "\n".join(_lines(overview, image))


def _lines(overview: Overview, image: ImageForm | None) -> Iterator[str]:
    told = facts(overview)
    width = max(len(name) for name, _ in told)
    for name, text in told:
        yield f"{name:<{width}}  {text}"
    if overview.columns:
        yield ""
        yield from _changes(overview, image)
    if overview.grouped_by is not None:
        yield ""
        yield _table(
            [(burden.group, *group_cells(burden)) for burden in overview.groups],
            (overview.grouped_by, *GROUP_HEADS),
        )
        yield GROUP_NOTE
    for note in notes(overview):
        yield f"note: {note}"


def _changes(overview: Overview, image: ImageForm | None) -> Iterator[str]:
    if image is None:
        yield _table(
            [column_cells(column) for column in overview.columns], COLUMN_HEADS
        )
        return
    shares = pixel_shares(image, overview.columns)
    yield from wrap(shares.text(), WIDTH)
    yield from side_by_side(
        [WHITE * shares.shares], ["changed by: nobody (blank) to all (@)"]
    )


def _table(rows: list[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    return tabulate(rows, heads, disable_numparse=True)
