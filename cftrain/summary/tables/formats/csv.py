"""A table as CSV: a line for each entry, its numbers in full precision."""

import csv
import io

from cftrain.summary.tables.table import Table

NUMBERS = ("value", "before", "spread", "low", "high")


def comma_separated(table: Table) -> str:
    """Returns a header and a line for each entry, row by row."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    flags = ("star", "best", "shown", "note")
    writer.writerow([*table.labels, "column", *NUMBERS, *flags])
    for row in table.rows:
        for head, entry in zip(table.heads, row.entries, strict=True):
            numbers = [getattr(entry, name) for name in NUMBERS]
            writer.writerow(
                [
                    *row.labels,
                    head.key,
                    *("" if number is None else repr(number) for number in numbers),
                    int(entry.star),
                    int(entry.best),
                    entry.shown(),
                    "; ".join(filter(None, (entry.note, entry.remark))),
                ]
            )
    return stream.getvalue()
