"""Encoded images in a column of Parquet, beside a column of labels."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from cftrain.data import sources
from cftrain.data.pictures.album import (
    UNLABELLED,
    Album,
    Item,
    Medium,
    label_text,
    read_regular,
)
from cftrain.data.pictures.arrays import IMAGES, LABELS, chosen
from cftrain.data.tables.parquet import read_columns, read_schema
from cftrain.errors import DataError

BYTES = "bytes"
"""The field with the image, where a column holds its path as well (Hugging Face)."""


@dataclass(frozen=True, kw_only=True)
class ParquetAlbum(Album):
    """Encoded images in the order of the rows."""

    medium: ClassVar[Medium] = "parquet"

    where: str
    images: pa.ChunkedArray

    def items(self) -> Iterator[Item]:
        for place, (label, image) in enumerate(
            zip(self.labels, self.images, strict=True)
        ):
            where = f"{self.where}, row {place + 1}"
            if not image.is_valid:
                raise DataError(f"{where}: expected the bytes of an image, got none")
            yield Item(where=where, label=label, part=None, content=image.as_py())


def parquet_album(
    path: Path, image: str | None, label: str | None, most_memory: float
) -> ParquetAlbum:
    """Returns the images of a Parquet file. Paths in it are not followed. Raises
    DataError.
    """
    file = read_regular(path, most_memory)
    names = read_schema(file).names
    theirs = chosen(path, "data.image", image, IMAGES, names)
    name = chosen(path, "data.label", label, LABELS, names)
    table = _read(file, [theirs, name], most_memory)
    return ParquetAlbum(
        where=str(path),
        images=_encoded(path, table[theirs]),
        labels=_labels(path, table, name),
    )


def unlabelled_parquet(path: Path, most_memory: float) -> ParquetAlbum:
    """Returns the images of a Parquet file, whatever else it has. Raises DataError."""
    file = read_regular(path, most_memory)
    name = chosen(path, "rows", None, IMAGES, read_schema(file).names)
    table = _read(file, [name], most_memory)
    return ParquetAlbum(
        where=str(path),
        images=_encoded(path, table[name]),
        labels=(UNLABELLED,) * table.num_rows,
    )


def _read(file: sources.File, names: list[str], most_memory: float) -> pa.Table:
    table = read_columns(file, list(dict.fromkeys(names)), most_memory)
    if not table.num_rows:
        raise DataError(f"{file.path}: expected some images, got none")
    return table


def _encoded(path: Path, images: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column, or its field with bytes. Raises DataError."""
    kind = images.type
    if pa.types.is_struct(kind) and kind.get_field_index(BYTES) >= 0:
        place = kind.get_field_index(BYTES)
        chunks = [chunk.flatten()[place] for chunk in images.chunks]
        images = pa.chunked_array(chunks, kind.field(place).type)
    if not (pa.types.is_binary(images.type) or pa.types.is_large_binary(images.type)):
        raise DataError(
            f"{path}: expected a column of encoded images, got {images.type}; "
            "data=table reads other columns"
        )
    return images


def _labels(path: Path, table: pa.Table, name: str) -> tuple[str, ...]:
    """Texts of whole numbers or texts, or what metadata call them. Raises DataError."""
    values = _shared(table[name])
    for place, value in enumerate(values):
        if not isinstance(value, int | str):
            raise DataError(
                f"{path}, row {place + 1}, column {name!r}: expected a whole number or "
                f"a text, got {value!r}"
            )
    called = _called(table.schema.metadata or {}, name)
    if called and all(type(v) is int and 0 <= v < len(called) for v in values):
        return tuple(label_text(called[value]) for value in values)
    return tuple(map(label_text, values))


def _shared(values: pa.ChunkedArray) -> list[Any]:
    """The values, of which each is once in memory where the column has it once."""
    if not pa.types.is_dictionary(values.type):
        return values.to_pylist()
    found: list[Any] = []
    for part in values.chunks:
        known = [*part.dictionary.to_pylist(), None]
        found += [known[place] for place in part.indices.fill_null(-1).to_pylist()]
    return found


def _called(metadata: dict[bytes, bytes], name: str) -> list[str]:
    """The names of classes that Hugging Face's `datasets` stores with their numbers."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = features[name]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
    plain = isinstance(names, list) and all(isinstance(each, str) for each in names)
    return names if plain and len(set(names)) == len(names) else []
