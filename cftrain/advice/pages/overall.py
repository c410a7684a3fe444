"""What the advice for all rows comes to, as a part of a page."""

from collections.abc import Iterator, Sequence
from html import escape

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

MOST_COLUMNS = 60


def overall(overview: Overview) -> str:
    """Returns the section about all rows."""
    return "".join(_parts(overview))


def _parts(overview: Overview) -> Iterator[str]:
    entries = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in facts(overview)
    )
    yield f"<dl>{entries}</dl>\n"
    if overview.columns:
        yield "<h2>What the answers change</h2>\n"
        shown = overview.columns[:MOST_COLUMNS]
        yield _table(COLUMN_HEADS, [column_cells(column) for column in shown])
        more = len(overview.columns) - len(shown)
        if more:
            yield f'<p class="soft">and {more} more columns, less often</p>\n'
    if overview.grouped_by is not None:
        yield f"<h2>What is asked of whom, by {escape(overview.grouped_by)}</h2>\n"
        yield _table(
            (overview.grouped_by, *GROUP_HEADS),
            [(burden.group, *group_cells(burden)) for burden in overview.groups],
        )
        yield f'<p class="soft">{escape(GROUP_NOTE)}</p>\n'
    for note in notes(overview):
        yield f'<p class="note">{escape(note[:1].upper() + note[1:])}.</p>\n'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr><th>{escape(first)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>\n"
        for first, *cells in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )
