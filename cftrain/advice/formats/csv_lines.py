"""Advice as CSV that no spreadsheet runs anything of."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from cftrain.advice.advice import Advice
from cftrain.advice.formats.records import KINDS, records

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Beginnings of text that spreadsheets may take for a formula."""


def csv_lines(advice: Iterable[Advice]) -> Iterator[str]:
    """Yields the header and what is told of each row.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    yield _line(KINDS)
    for each in advice:
        for record in records(each):
            yield _line(map(harmless, record.values()))


def _line(cells: Iterable[Any]) -> str:
    stream = io.StringIO()
    # Cells are quoted for signs of the line's end: a bare return in one would end it.
    csv.writer(stream, lineterminator="\r\n").writerow(cells)
    return stream.getvalue().removesuffix("\r\n") + "\n"


def harmless(value: Any) -> Any:
    """Returns a value as a spreadsheet may have it; numbers below zero stay such."""
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
