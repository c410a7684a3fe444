"""Thrift's compact protocol, in which Parquet writes its footer and headers of pages.

A shape names the fields that are read; all others are passed over. What a lenient
reader might take in another way, as a field told twice, a number wider than its type
or a field of another type, is refused: whoever reads on must see what was seen here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

Shape = Mapping[int, "int | Shape | Sequence[Shape]"]
"""Fields by their numbers: a kind of whole number, a structure, or a list of them."""

I32, I64 = 5, 6

STOP, TRUE, FALSE, BYTE, I16 = 0, 1, 2, 3, 4
DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 7, 8, 9, 10, 11, 12
BITS = {I16: 16, I32: 32, I64: 64}
SIZE_BITS = 31
LAST_FIELD = 2**15 - 1
FIXED_BYTES = {TRUE: 1, FALSE: 1, BYTE: 1, DOUBLE: 8}
"""Of the elements of a list or map."""

DEEPEST = 16
"""Structures in one another: Parquet has at most seven."""


@runtime_checkable
class Content(Protocol):
    """Bytes, in memory or not, of which one is asked for at a time."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> int: ...


def read_structure(
    content: Content, at: int, shape: Shape
) -> tuple[dict[int, Any], int]:
    """The fields of a structure that its shape names, and where the structure ends.

    Raises IndexError or ValueError for what is no such structure.
    """
    fields: dict[int, Any] = {}
    number = 0
    while (kind := (head := content[at]) & 15) != STOP:
        at += 1
        number += head >> 4
        if not head >> 4:
            number, at = _whole(content, at, BITS[I16])
        wanted = shape.get(number)
        if wanted is None:
            if number > LAST_FIELD:
                raise ValueError(f"a field with number {number}")
            if kind > FALSE:  # which are their own value in a structure
                at = _passed(content, at, kind, DEEPEST)
        elif number in fields:
            raise ValueError(f"field {number} twice")
        # Almost all are small whole numbers, and folders have tens of thousands.
        elif kind == wanted and (byte := content[at]) < 128:
            fields[number], at = (byte >> 1) ^ -(byte & 1), at + 1
        else:
            fields[number], at = _value(content, at, kind, wanted)
    return fields, at + 1


def _value(
    content: Content, at: int, kind: int, wanted: int | Shape | Sequence[Shape]
) -> tuple[Any, int]:
    if kind == wanted and kind in BITS:
        return _whole(content, at, BITS[kind])
    if kind == STRUCT and isinstance(wanted, Mapping):
        return read_structure(content, at, wanted)
    if kind == LIST and isinstance(wanted, Sequence):
        (shape,) = wanted
        count, element, at = _size(content, at)
        if count and element != STRUCT:  # of none, some writers tell no kind
            raise ValueError(f"a list of kind {element}")
        found = []
        for _ in range(count):
            fields, at = read_structure(content, at, shape)
            found.append(fields)
        return found, at
    raise ValueError(f"a field of kind {kind}")


def _passed(content: Content, at: int, kind: int, deepest: int) -> int:
    """Where a value ends that nobody asks for, with so many structures in it."""
    if kind in BITS:
        while content[at] > 127:
            at += 1
        return at + 1
    if kind == BINARY:
        length, at = _varint(content, at, SIZE_BITS)
        return at + length
    if kind in FIXED_BYTES:
        return at + FIXED_BYTES[kind]
    if not deepest:
        raise ValueError(f"more than {DEEPEST} structures in one another")
    if kind == STRUCT:
        while inner := content[at] & 15:
            short, at = content[at] >> 4, at + 1
            if not short:
                at = _passed(content, at, I16, 0)
            if inner > FALSE:
                at = _passed(content, at, inner, deepest - 1)
        return at + 1
    if kind in (LIST, SET):
        count, element, at = _size(content, at)
        return _elements(content, at, count, (element,), deepest - 1)
    if kind == MAP:
        count, at = _varint(content, at, SIZE_BITS)
        both = content[at] if count else 0
        return _elements(
            content, at + bool(count), count, (both >> 4, both & 15), deepest - 1
        )
    raise ValueError(f"a field of kind {kind}")


def _elements(
    content: Content, at: int, count: int, kinds: tuple[int, ...], deepest: int
) -> int:
    for _ in range(count):
        for kind in kinds:
            at = _passed(content, at, kind, deepest)
    return at


def _size(content: Content, at: int) -> tuple[int, int, int]:
    """How many elements a list has, of which kind, and where they begin."""
    count, kind = content[at] >> 4, content[at] & 15
    at += 1
    if count == 15:
        count, at = _varint(content, at, SIZE_BITS)
    return count, kind, at


def _whole(content: Content, at: int, bits: int) -> tuple[int, int]:
    """A whole number, whose sign is its last bit."""
    found, at = _varint(content, at, bits)
    return (found >> 1) ^ -(found & 1), at


def _varint(content: Content, at: int, bits: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first."""
    found = shift = 0
    while True:
        byte = content[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift >= bits:
            raise ValueError(f"a number of more than {bits} bits")
    if found >> bits:
        raise ValueError(f"a number of more than {bits} bits")
    return found, at
