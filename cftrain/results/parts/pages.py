"""What the pages of a Parquet file unfold to, read off before any is unfolded.

A few bytes may stand for gigabytes, as compressed zeros or as one long text that every
row repeats. The footer says how much it is, but may lie: readers believe the header of
each page (Thrift's compact protocol), and so it is these that are looked at here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import compress

import pyarrow.parquet as pq

from cftrain.results.parts.footer import Chunk, chunks
from cftrain.results.parts.thrift import I32, Content, Shape, read_structure

ZSTD = 6
"""The number of the codec of parts."""

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
HEADER: Shape = {
    UNFOLDED: I32,
    FOLDED: I32,
    **{kind: {VALUES: I32, field: I32} for kind, field in ENCODING.items()},
}


@dataclass(frozen=True)
class Extent:
    """Bytes of pages once they are no longer compressed, their number of values, and as
    many bytes as one of them has at most, if it is a text.
    """

    size: int = 0
    values: int = 0
    longest: int = 0

    def __add__(self, other: "Extent") -> "Extent":
        longest = max(self.longest, other.longest)
        return Extent(self.size + other.size, self.values + other.values, longest)


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
    described = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    wanted = [column.path.partition(".")[0] in columns for column in described]
    are_texts = [column.physical_type == "BYTE_ARRAY" for column in described]
    total = Unfolded()
    for group in chunks(content, metadata):
        for chunk, is_text in compress(zip(group, are_texts, strict=True), wanted):
            if chunk.codec != ZSTD:
                raise OSError(f"expected ZSTD, got a codec of number {chunk.codec}")
            found = extent(content, chunk, ENCODINGS)
            least = found.size + VALUE_BYTES * found.values
            repeated = is_text * found.values * found.longest
            total += Unfolded(least, least + repeated)
    return total


def extent(content: Content, chunk: Chunk, encodings: Mapping[int, str]) -> Extent:
    """What a column of a group of rows unfolds to.

    Raises OSError for what is no page, or has none of the encodings.
    """
    found = sum(_pages(content, chunk, encodings), Extent())
    # Readers reserve for as many as the footer says.
    return replace(found, values=max(found.values, chunk.values))


def _pages(
    content: Content, chunk: Chunk, encodings: Mapping[int, str]
) -> Iterator[Extent]:
    """The pages of a column, from where readers begin to read."""
    at, end = chunk.start, chunk.end
    if not 0 <= at <= end <= len(content):
        raise OSError("expected pages inside the file, got others")
    while at < end and chunk.values:  # readers read no page for no values
        try:
            header, at = read_structure(content, at, HEADER)
            size, folded = header[UNFOLDED], header[FOLDED]
            (kind,) = header.keys() & ENCODING.keys()
            values, encoding = header[kind][VALUES], header[kind][ENCODING[kind]]
        except (LookupError, ValueError) as error:
            raise OSError(f"expected the header of a page, got {error}") from error
        if encoding not in encodings:
            known = ", ".join(encodings.values())
            raise OSError(f"expected an encoding of {known}, got number {encoding}")
        if min(size, folded, values) < 0:
            raise OSError("expected sizes of a page, got numbers below zero")
        at += folded
        size = max(size, folded)  # what is not compressed is as large as it is
        elsewhere = kind != DICTIONARY and encoding in PLACES
        yield Extent(size, values, longest=0 if elsewhere else size)
