"""What the pages of a Parquet file unfold to, read off before any is unfolded.

A few bytes may stand for gigabytes, as compressed zeros or as one long text that every
row repeats. The footer says how much it is, but may lie: readers believe the header of
each page (Thrift's compact protocol), and so it is these that are looked at here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from mmap import mmap
from typing import Any

import pyarrow.parquet as pq

CODEC = "ZSTD"
"""What parts are compressed with."""

ENCODINGS = {0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 8: "RLE_DICTIONARY"}
"""Those of our files."""

PLACES = (2, 8)
"""Encodings of pages with places in a dictionary, which has the values."""

VALUE_BYTES = 16
"""Of a value that is no text, with its levels, once it is unfolded."""

# Fields of a page's header, by their numbers in Parquet's own definition.
UNFOLDED, FOLDED = 2, 3
DATA, DICTIONARY, DATA_2 = 5, 7, 8
VALUES = 1
ENCODING = {DATA: 2, DICTIONARY: 2, DATA_2: 4}

STOP, TRUE, FALSE, BYTE, LARGEST_WHOLE = 0, 1, 2, 3, 6
DOUBLE, BINARY, STRUCT = 7, 8, 12
DEEPEST = 4


@dataclass(frozen=True)
class Page:
    """Bytes of a page once it is no longer compressed, its number of values, and as
    many bytes as one of them has at most, if it is a text.
    """

    size: int
    values: int
    longest: int


@dataclass(frozen=True)
class Unfolded:
    """Bytes in memory: at least, with each text once, and at most, where each text is
    as long as the longest page of its column that has texts.
    """

    least: int = 0
    most: int = 0

    def __add__(self, other: "Unfolded") -> "Unfolded":
        return Unfolded(self.least + other.least, self.most + other.most)


def unfolded(
    content: bytes, metadata: pq.FileMetaData, columns: Collection[str]
) -> Unfolded:
    """How much memory some columns of a file take. Raises OSError for pages that are
    no pages of our files.
    """
    total = Unfolded()
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(metadata.num_columns)):
            if chunk.path_in_schema.partition(".")[0] in columns:
                if chunk.compression != CODEC:
                    raise OSError(f"expected {CODEC}, got {chunk.compression}")
                total += _of_pages(pages(content, chunk, ENCODINGS), chunk)
    return total


def _of_pages(found: Iterator[Page], chunk: pq.ColumnChunkMetaData) -> Unfolded:
    size = values = longest = 0
    for page in found:
        size += page.size
        values += page.values
        longest = max(longest, page.longest)
    least = size + VALUE_BYTES * values
    is_text = chunk.physical_type == "BYTE_ARRAY"
    return Unfolded(least, least + is_text * values * longest)


def pages(
    content: bytes | mmap, chunk: pq.ColumnChunkMetaData, encodings: Mapping[int, str]
) -> Iterator[Page]:
    """The pages of a column in a row group, from where readers begin to read.

    Raises OSError for what is no page, or has none of the encodings.
    """
    first, dictionary = chunk.data_page_offset, chunk.dictionary_page_offset
    at = dictionary if dictionary is not None and 0 < dictionary < first else first
    end = at + chunk.total_compressed_size
    if not 0 <= at <= end <= len(content):
        raise OSError("expected pages inside the file, got others")
    while at < end and chunk.num_values:  # readers read no page for no values
        try:
            header, at = _struct(content, at, DEEPEST)
            size, folded = header[UNFOLDED], header[FOLDED]
            (kind,) = header.keys() & ENCODING.keys()
            values, encoding = header[kind][VALUES], header[kind][ENCODING[kind]]
        except (LookupError, TypeError, ValueError) as error:
            raise OSError(f"expected the header of a page, got {error}") from error
        if encoding not in encodings:
            known = ", ".join(encodings.values())
            raise OSError(f"expected an encoding of {known}, got number {encoding}")
        if min(size, folded, values) < 0:
            raise OSError("expected sizes of a page, got numbers below zero")
        at += folded
        elsewhere = kind != DICTIONARY and encoding in PLACES
        yield Page(size, values, longest=0 if elsewhere else size)


def _struct(content: bytes | mmap, at: int, deepest: int) -> tuple[dict[int, Any], int]:
    """The fields of a structure by their numbers, and where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while (kind := (head := content[at]) & 15) != STOP:
        at += 1
        number += head >> 4
        if not head >> 4:
            number, at = _whole(content, at)
        # Almost all are small whole numbers, and folders have tens of thousands.
        if BYTE < kind <= LARGEST_WHOLE and (byte := content[at]) < 128:
            fields[number], at = (byte >> 1) ^ -(byte & 1), at + 1
        else:
            fields[number], at = _value(content, at, kind, deepest)
    return fields, at + 1


def _value(content: bytes | mmap, at: int, kind: int, deepest: int) -> tuple[Any, int]:
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind == BYTE:
        return content[at], at + 1
    if kind <= LARGEST_WHOLE:
        return _whole(content, at)
    if kind == DOUBLE:
        return None, at + 8
    if kind == BINARY:
        length, at = _varint(content, at)
        return None, at + length
    if kind == STRUCT and deepest:
        return _struct(content, at, deepest - 1)
    raise ValueError(f"a field of kind {kind}")


def _whole(content: bytes | mmap, at: int) -> tuple[int, int]:
    """A whole number, whose sign is its last bit."""
    found, at = _varint(content, at)
    return (found >> 1) ^ -(found & 1), at


def _varint(content: bytes | mmap, at: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first."""
    found = shift = 0
    while True:
        byte = content[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")
