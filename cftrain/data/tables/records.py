"""Records of text, read one after the other: memory does not grow with their number."""

import csv
from collections.abc import Iterator
from io import TextIOBase
from itertools import islice

from cftrain.errors import DataError

LONGEST = 2**31 - 1
"""Of a cell, where one that is too long is looked for."""


class AsPandas(csv.excel):
    """Spaces before a cell are no part of it, and a quote after them opens one."""

    skipinitialspace = True


def records(
    name: str, stream: TextIOBase, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    """Yields records that are not empty, the header first, with the lines they begin
    in. `name` is what the user calls the stream, which is read from its start. Raises
    DataError.
    """
    stream.seek(0)
    reader, before = csv.reader(stream, AsPandas, delimiter=delimiter), 0
    try:
        for record in reader:
            if record and (len(record) > 1 or record[0].strip()):
                yield before + 1, record
            before = reader.line_num
    except csv.Error as error:  # such as a cell without end
        where = f"{name}, line {before + 1}"
        raise DataError(
            _unreadable_cell(where, stream, delimiter, before, error)
        ) from error


def check_lengths(name: str, stream: TextIOBase, delimiter: str) -> None:
    """Raises DataError unless all rows have as many cells as the header."""
    found = records(name, stream, delimiter)
    _, header = next(found, (0, []))
    for line, record in found:
        if len(record) != len(header):
            raise DataError(
                f"{name}, line {line}: expected {len(header)} cells as in the header, "
                f"got {len(record)}; cells seem to be divided by {delimiter!r}, and a "
                "cell that holds it needs quotes"
            )


def _unreadable_cell(
    where: str, stream: TextIOBase, delimiter: str, before: int, error: csv.Error
) -> str:
    """What to say of a record after so many lines, with its column if it has a cell
    that is longer than any is read.
    """
    most = csv.field_size_limit(LONGEST)
    try:
        stream.seek(0)
        lines = islice(stream, before, None)
        record = next(csv.reader(lines, AsPandas, delimiter=delimiter), [])
        stream.seek(0)
        head = next(csv.reader(stream, AsPandas, delimiter=delimiter))
    except csv.Error:
        record, head = [], []
    finally:
        csv.field_size_limit(most)
    for place, cell in enumerate(record):
        if len(cell) > most:
            name = repr(head[place].strip()[:80]) if place < len(head) else place + 1
            return (
                f"{where}, column {name}: expected at most {most:,} characters in a "
                f"cell, got {len(cell):,}; a quote that is not closed makes one of "
                "all that follows"
            )
    return f"{where}: expected cells divided by {delimiter!r}, got {error}"
