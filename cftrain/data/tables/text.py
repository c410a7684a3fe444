"""Text files of rows: how they are written, and their cells as text."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import charset_normalizer
import pandas as pd

from cftrain.data.columns import listed
from cftrain.data.sources import File
from cftrain.data.tables.records import check_lengths, records
from cftrain.data.tables.unfolding import MOST_MEMORY, check_memory
from cftrain.errors import DataError
from cftrain.results.parts.pages import VALUE_BYTES

DELIMITERS = (",", ";", "\t", "|")
LIKELY = ["cp1252", "cp1250", "cp1251", "shift_jis", "gb18030", "big5", "euc_kr"]
"""Encodings of files that are no Unicode."""

MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
OPEN_QUOTE = re.compile(r"EOF inside string starting at row (\d+)")

SEEN_LINES = 1000
"""Lines from which the delimiter is read off."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a file of text is written; quotes are double ones."""

    encoding: str
    delimiter: str


def dialect_of(
    file: File, *, encoding: str | None = None, delimiter: str | None = None
) -> Dialect:
    """Returns how a file is written, as far as it is not said. Raises DataError."""
    encoding = encoding or _encoding(file)
    head = islice(io.StringIO(decoded(file, encoding), newline=""), SEEN_LINES)
    return Dialect(encoding=encoding, delimiter=delimiter or _delimiter(list(head)))


def decoded(file: File, encoding: str) -> str:
    """Returns the text of a file. Raises DataError."""
    try:
        return file.content.decode(encoding)
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{file.path}, line {line}: expected text in {encoding}, got the byte "
            f"0x{file.content[error.start]:02x}; another data.encoding may fit"
        ) from error
    except (LookupError, UnicodeError) as error:
        raise DataError(
            f"data.encoding: expected an encoding such as utf-8 or cp1252, got "
            f"{encoding!r}"
        ) from error


def cells(file: File, dialect: Dialect, *, most: float = MOST_MEMORY) -> pd.DataFrame:
    """Returns the cells of a file with a header, as text. Raises DataError, also for
    more of them than fit into so many GiB.
    """
    text = decoded(file, dialect.encoding)
    count = text.count(dialect.delimiter) + text.count("\n") + 1
    try:
        check_memory(len(text) + VALUE_BYTES * count, most)
    except OSError as error:
        raise DataError(f"{file.path}: expected {error}") from error
    names = _header(file, text, dialect)
    stream = io.StringIO(text, newline="")
    check_lengths(str(file.path), stream, dialect.delimiter)
    body = io.StringIO(text, newline="")
    for _ in range(_header_lines(file, text, dialect)):
        body.readline()
    try:
        frame = pd.read_csv(
            body,
            sep=dialect.delimiter,
            header=None,
            names=range(len(names)),
            dtype=str,
            keep_default_na=False,
            na_values=[],
            skipinitialspace=True,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame(columns=range(len(names)), dtype=str)
    except (pd.errors.ParserError, ValueError) as error:
        raise _unreadable(file, dialect, error) from error
    if frame.empty:
        raise DataError(f"{file.path}: expected at least one row, got none")
    frame = frame.set_axis(names, axis=1)
    return frame.apply(lambda column: column.str.strip())


def line_of(file: File, dialect: Dialect, row: int) -> int:
    """Returns the line of the file, counted from 1, where a row begins."""
    found = _records(file, decoded(file, dialect.encoding), dialect)
    return next(islice((line for line, _ in found), row + 1, None), row + 2)


def _records(
    file: File, text: str, dialect: Dialect
) -> Iterator[tuple[int, list[str]]]:
    stream = io.StringIO(text, newline="")
    return records(str(file.path), stream, dialect.delimiter)


def _header(file: File, text: str, dialect: Dialect) -> list[str]:
    """The names of the columns. Raises DataError."""
    _, record = next(_records(file, text, dialect), (0, []))
    names = [name.strip() for name in record]
    if not names:
        raise DataError(f"{file.path}: expected a header and rows, got nothing")
    check_names(str(file.path), names)
    return names


def check_names(where: str, names: Sequence[str]) -> None:
    """Raises DataError unless every column has a name of its own."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(
            f"{where}, line 1: expected a name for each column, got {listed(twice)} "
            "more than once"
        )


def _header_lines(file: File, text: str, dialect: Dialect) -> int:
    """The lines that the header takes, empty ones before it included."""
    lines = (line for line, _ in islice(_records(file, text, dialect), 2))
    next(lines, 0)
    following = next(lines, None)
    return following - 1 if following else text.count("\n") + 1


def _unreadable(file: File, dialect: Dialect, error: Exception) -> DataError:
    opened = OPEN_QUOTE.search(str(error))
    if opened is None:
        return DataError(f"{file.path}: expected rows of text, got {error}")
    return DataError(
        f"{file.path}, line {line_of(file, dialect, int(opened[1]))}: expected a quote "
        "to be closed, got the end of the file"
    )


def _encoding(file: File) -> str:
    for mark, name in MARKS.items():
        if file.content.startswith(mark):
            return name
    try:
        file.content.decode("utf-8")
    except UnicodeDecodeError:
        found = charset_normalizer.from_bytes(
            file.content, cp_isolation=LIKELY, threshold=0.5
        ).best()
        same = found.could_be_from_charset if found else LIKELY
        return next((name for name in LIKELY if name in same), "cp1252")
    return "utf-8"


def _delimiter(lines: Sequence[str]) -> str:
    """The one that divides most lines into as many cells as the first."""

    def score(delimiter: str) -> tuple[float, int]:
        try:
            records = list(csv.reader(lines, delimiter=delimiter, strict=False))
        except csv.Error:
            return 0.0, 0
        counts = [len(record) for record in records if record]
        if not counts or counts[0] < 2:
            return 0.0, 0
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]

    return max(DELIMITERS, key=score)
