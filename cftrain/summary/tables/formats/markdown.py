"""A table in Markdown, aligned for terminals as well."""

import re
from collections.abc import Sequence
from textwrap import fill

from cftrain.summary.tables.table import Entry, Table

WIDTH = 88
"""Of captions and notes; rows are as wide as they are."""


def markdown(table: Table) -> str:
    """Returns the title, the caption, the aligned table and its notes."""
    marks = table.footnotes()
    titles = [f"{head.group} {head.title}".strip() for head in table.heads]
    lines = [
        [*row.labels, *(_entry(entry, marks) for entry in row.entries)]
        for row in table.rows
    ]
    shown = grid([[*table.labels, *titles], *lines], labels=len(table.labels))
    notes = [f"({mark}) {note}" for note, mark in marks.items()]
    heading = [f"### {plain(table.title)}", "", fill(plain(table.caption), WIDTH), ""]
    below = [
        line
        for note in (*notes, *table.below())
        for line in ("", fill(plain(note), WIDTH))
    ]
    return "\n".join([*heading, *shown, *below]) + "\n"


def grid(lines: Sequence[Sequence[str]], *, labels: int) -> list[str]:
    """Returns the lines of a table, the first of which is its head.

    So many columns are labels, those after them numbers.
    """
    cells = [[plain(cell).replace("|", "\\|") for cell in line] for line in lines]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    rule = [
        "-" * width if place < labels else "-" * (width - 1) + ":"
        for place, width in enumerate(widths)
    ]
    return [
        "| " + " | ".join(_aligned(line, widths, labels)) + " |"
        for line in (cells[0], rule, *cells[1:])
    ]


def plain(text: str) -> str:
    """Returns a text on one line, in which nothing starts a tag of HTML."""
    return re.sub(r"<(?=[A-Za-z/!?])", r"\\<", " ".join(text.splitlines()))


def _aligned(line: list[str], widths: list[int], labels: int) -> list[str]:
    """Labels to the left, numbers to the right."""
    return [
        cell.ljust(width) if place < labels else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _entry(entry: Entry, marks: dict[str, str]) -> str:
    shown = f"**{entry.shown()}**" if entry.best else entry.shown()
    return shown if entry.note is None else f"{shown} ({marks[entry.note]})"
