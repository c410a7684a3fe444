"""Where the footer of a Parquet file says that the columns of its groups of rows are.

pyarrow tells it too, but ends the process, past any exception of Python, where a
footer's statistics or encryption do not fit its columns; to read such a file is
refused by it as it should be. So it is not asked for what it knows of a column.
"""

import re
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from cftrain.results.parts.thrift import I32, I64, Content, Shape, read_structure

GROUPS, COLUMNS, ROWS, DESCRIBED = 4, 1, 3, 3
CODEC, VALUES, FOLDED, DATA_AT, DICTIONARY_AT = 4, 5, 7, 9, 11
CHUNK = {CODEC: I32, VALUES: I64, FOLDED: I64, DATA_AT: I64, DICTIONARY_AT: I64}
FOOTER: Shape = {GROUPS: [{COLUMNS: [{DESCRIBED: CHUNK}], ROWS: I64}]}
"""Fields by their numbers in Parquet's own definition."""

SOUND_VERSION = (1, 2, 9)

TAIL_BYTES = 8
"""The footer's length and the name of the format."""


@dataclass(frozen=True)
class Chunk:
    """A column of a group of rows: its place in the file, the number of its codec, and
    how many values it says that it has.
    """

    start: int
    end: int
    codec: int
    values: int


def chunks(content: Content, metadata: pq.FileMetaData) -> list[list[Chunk]]:
    """The columns of each group of rows of a file of which pyarrow read the metadata.

    None has fewer values than the group has rows, for which readers reserve memory, and
    no two share pages. Raises OSError for a footer that is none, or describes other
    columns, and for one by a writer whose pages end later than it says.
    """
    _refuse_writer(metadata.created_by)
    end = len(content) - TAIL_BYTES
    try:
        start = end - sum(content[end + place] << 8 * place for place in range(4))
        if start < 0:
            raise ValueError("one that is longer")
        footer, _ = read_structure(content, start, FOOTER)
        found = list(map(_group, footer[GROUPS]))
    except (LookupError, ValueError) as error:
        raise OSError(f"expected the footer of a file, got {error}") from error
    wanted = [metadata.num_columns] * metadata.num_row_groups
    if (got := list(map(len, found))) != wanted:
        raise OSError(f"expected groups of {wanted} columns, got {got}")
    if sum(chunk.end - chunk.start for group in found for chunk in group) > end:
        raise OSError("expected columns each in a place of its own, got others")
    return found


def _refuse_writer(created_by: str | None) -> None:
    """Raises OSError for a writer for which readers look further than its footer says
    (Parquet's issue 816): what is there would not be seen here.
    """
    name, _, version = (created_by or "").lower().partition(" version ")
    if name.strip() != "parquet-mr":
        return
    found = re.match(r"\s*(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?!\d)", version)
    if found is None or tuple(map(int, found.groups())) < SOUND_VERSION:
        sound = ".".join(map(str, SOUND_VERSION))
        raise OSError(f"expected parquet-mr {sound} or later, got {created_by!r}")


def _group(fields: dict[int, Any]) -> list[Chunk]:
    found = [_chunk(column[DESCRIBED]) for column in fields[COLUMNS]]
    rows = fields[ROWS]
    if any(rows > chunk.values for chunk in found):
        raise ValueError(f"a column with fewer values than its {rows} rows")
    return found


def _chunk(fields: dict[int, Any]) -> Chunk:
    first, dictionary = fields[DATA_AT], fields.get(DICTIONARY_AT)
    # As readers do, which look for a dictionary only before its column.
    start = dictionary if dictionary is not None and 0 < dictionary < first else first
    if fields[FOLDED] < 0:  # which would make room for others that share their pages
        raise ValueError(f"a column of {fields[FOLDED]} bytes")
    return Chunk(start, start + fields[FOLDED], fields[CODEC], fields[VALUES])
