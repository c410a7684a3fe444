"""A table in Markdown, aligned for terminals as well."""

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
    cells = [
        [cell.replace("|", "\\|") for cell in line]
        for line in ([*table.labels, *titles], *lines)
    ]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    labels = len(table.labels)
    rule = [
        "-" * width if place < labels else "-" * (width - 1) + ":"
        for place, width in enumerate(widths)
    ]
    grid = [
        "| " + " | ".join(_aligned(line, widths, labels)) + " |"
        for line in (cells[0], rule, *cells[1:])
    ]
    notes = [f"({mark}) {note}" for note, mark in marks.items()]
    heading = [f"### {table.title}", "", fill(table.caption, WIDTH), ""]
    below = [
        line for note in (*notes, *table.notes) for line in ("", fill(note, WIDTH))
    ]
    return "\n".join([*heading, *grid, *below]) + "\n"


def _aligned(line: list[str], widths: list[int], labels: int) -> list[str]:
    """Labels to the left, numbers to the right."""
    return [
        cell.ljust(width) if place < labels else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _entry(entry: Entry, marks: dict[str, str]) -> str:
    shown = f"**{entry.shown()}**" if entry.best else entry.shown()
    return shown if entry.note is None else f"{shown} ({marks[entry.note]})"
