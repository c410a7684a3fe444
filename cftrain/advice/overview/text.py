"""An overview as text for a terminal."""

from collections.abc import Iterator

from tabulate import tabulate

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


def overview_text(overview: Overview) -> str:
    """Returns the lines about all rows."""
    return "\n".join(_lines(overview))


def _lines(overview: Overview) -> Iterator[str]:
    told = facts(overview)
    width = max(len(name) for name, _ in told)
    for name, text in told:
        yield f"{name:<{width}}  {text}"
    if overview.columns:
        yield ""
        yield _table(
            [column_cells(column) for column in overview.columns], COLUMN_HEADS
        )
    if overview.grouped_by is not None:
        yield ""
        yield _table(
            [(burden.group, *group_cells(burden)) for burden in overview.groups],
            (overview.grouped_by, *GROUP_HEADS),
        )
        yield GROUP_NOTE
    for note in notes(overview):
        yield f"note: {note}"


def _table(rows: list[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    return tabulate(rows, heads, disable_numparse=True)
