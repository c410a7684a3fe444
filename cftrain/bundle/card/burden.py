"""What a model asks of people and of groups of them, in its card."""

from collections.abc import Iterator
from textwrap import fill

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
from cftrain.summary.tables.formats.markdown import WIDTH, grid, plain


def burden(overview: Overview | None) -> Iterator[str]:
    """Yields the lines of a section: what `cftrain explain summary=true` tells of test
    rows, or how to have it told.
    """
    yield "## What is asked of people"
    yield ""
    if overview is None:
        yield from _text(
            "Whether more is asked of some groups than of others was not measured; "
            "`cftrain export ... groups=COLUMN` does so."
        )
        return
    yield from _text(
        "Test rows, explained by the search of `cftrain explain`: what would have to "
        "change for the wanted decision."
    )
    yield ""
    for name, text in facts(overview):
        yield f"- {name}: {plain(text)}"
    if overview.columns:
        yield ""
        yield from grid([COLUMN_HEADS, *map(column_cells, overview.columns)], labels=4)
    if overview.grouped_by is not None:
        heads = (overview.grouped_by, *GROUP_HEADS)
        cells = [(each.group, *group_cells(each)) for each in overview.groups]
        yield ""
        yield from grid([heads, *cells], labels=1)
        yield ""
        yield from _text(GROUP_NOTE)
    for note in notes(overview):
        yield ""
        yield from _text(f"**Note:** {plain(note)}")


def _text(text: str) -> Iterator[str]:
    yield fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
