"""What the advice for all rows comes to, as a part of a page."""

from collections.abc import Iterator, Sequence
from html import escape

from cftrain.advice.images.figures import share_figures
from cftrain.advice.images.form import ImageForm
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
from cftrain.advice.pages.breakable import breakable

MOST_COLUMNS = 60


def overall(overview: Overview, image: ImageForm | None) -> str:
    """Returns the section about all rows."""
    return "".join(_parts(overview, image))


def _parts(overview: Overview, image: ImageForm | None) -> Iterator[str]:
    entries = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in facts(overview)
    )
    yield f"<dl>{entries}</dl>\n"
    if overview.columns:
        yield "<h2>What the answers change</h2>\n"
        yield from _changes(overview, image)
    if overview.grouped_by is not None:
        yield f"<h2>What is asked of whom, by {escape(overview.grouped_by)}</h2>\n"
        yield _table(
            (overview.grouped_by, *GROUP_HEADS),
            [(burden.group, *group_cells(burden)) for burden in overview.groups],
        )
        yield f'<p class="soft">{escape(GROUP_NOTE)}</p>\n'
    for note in notes(overview):
        yield f'<p class="note">{escape(note[:1].upper() + note[1:])}.</p>\n'


def _changes(overview: Overview, image: ImageForm | None) -> Iterator[str]:
    if image is not None:
        shares = pixel_shares(image, overview.columns)
        yield share_figures(shares.shares, shares.brighter)
        yield f"<p>{escape(shares.text())}.</p>\n"
        return
    shown = overview.columns[:MOST_COLUMNS]
    yield _table(COLUMN_HEADS, [column_cells(column) for column in shown])
    more = len(overview.columns) - len(shown)
    if more:
        yield f'<p class="soft">and {more} more columns, less often</p>\n'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr><th>{breakable(first)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>\n"
        for first, *cells in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )
