"""Footers of Parquet files taken apart and put together again, as nobody writes them.

A structure is a list of fields, each with its number, kind and value; the value of a
list is the kind of its elements and these.
"""

from operator import itemgetter
from typing import Any

START, TAIL = 4, 8
FOLDED = (4, 0, 1, 0, 3, 7)
"""The path to the size of the first column in the first group of rows."""

Field = tuple[int, int, Any]
Footer = list[Field]

STOP, TRUE, FALSE, BYTE, I16, I32, I64 = range(7)
DOUBLE, BINARY, LIST = 7, 8, 9
STRUCT = 12


def footer(content: bytes) -> Footer:
    """What a file's footer has, in full."""
    reader = Reader(content[-TAIL - length(content) : -TAIL])
    found = reader.value(STRUCT)
    assert reader.at == len(reader.content)
    return found


def reheaded(content: bytes, path: tuple[int, ...], *new: Field) -> bytes:
    """A file of one column and one page with another header of this page."""
    reader = Reader(content)
    reader.at = START
    header = written(STRUCT, changed(reader.value(STRUCT), path, *new))
    page = content[reader.at : -TAIL - length(content)]
    size = (FOLDED[-1], I64, len(header + page))
    fields = changed(footer(content), FOLDED, size)
    return refooted(
        content[:START] + header + page + content[-TAIL - length(content) :], fields
    )


def refooted(content: bytes, fields: Footer) -> bytes:
    """A file with another footer."""
    new = written(STRUCT, fields)
    size = len(new).to_bytes(4, "little")
    return content[: -TAIL - length(content)] + new + size + b"PAR1"


def length(content: bytes) -> int:
    return int.from_bytes(content[-TAIL : -TAIL + 4], "little")


def changed(fields: Footer, path: tuple[int, ...], *new: Field) -> Footer:
    """With other fields in place of that at the end of a path of numbers, of which
    each second one is a place in a list where a list is; added if there is none.
    """
    number, *rest = path
    if not rest:
        kept = [field for field in fields if field[0] != number]
        return sorted([*kept, *new], key=itemgetter(0))
    return [
        (of, kind, _within(kind, value, tuple(rest), new))
        if of == number
        else (of, kind, value)
        for of, kind, value in fields
    ]


def _within(kind: int, value: Any, path: tuple[int, ...], new: Any) -> Any:
    if kind == STRUCT:
        return changed(value, path, *new)
    element, values = value
    place, *rest = path
    if not rest:
        return element, [*values[:place], *values[place + 1 :]]
    one = _within(element, values[place], tuple(rest), new)
    return element, [*values[:place], one, *values[place + 1 :]]


class Reader:
    """Reads values one after the other."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def varint(self) -> int:
        digits = []
        while not digits or digits[-1] > 127:
            digits.append(self.byte())
        return sum((digit & 127) << 7 * place for place, digit in enumerate(digits))

    def taken(self, size: int) -> bytes:
        self.at += size
        return self.content[self.at - size : self.at]

    def value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE):
            return None
        if kind in (I16, I32, I64):
            found = self.varint()
            return found // 2 if found % 2 == 0 else -(found + 1) // 2
        if kind == BYTE:
            return self.byte()
        if kind == DOUBLE:
            return self.taken(8)
        if kind == BINARY:
            return self.taken(self.varint())
        if kind == LIST:
            head = self.byte()
            count = self.varint() if head >> 4 == 15 else head >> 4
            element = head & 15
            if element in (TRUE, FALSE):
                return element, list(self.taken(count))
            return element, [self.value(element) for _ in range(count)]
        assert kind == STRUCT
        fields, number = [], 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.value(I16)
            fields.append((number, head & 15, self.value(head & 15)))
        return fields


def written(kind: int, value: Any) -> bytes:
    """A value of a kind, in as few bytes as can be."""
    if kind in (TRUE, FALSE):
        return b""
    if kind in (I16, I32, I64):
        return varint(2 * value if value >= 0 else -2 * value - 1)
    if kind == BYTE:
        return bytes([value])
    if kind == DOUBLE:
        return value
    if kind == BINARY:
        return varint(len(value)) + value
    if kind == LIST:
        element, values = value
        count = len(values)
        head = bytes([min(count, 15) << 4 | element])
        head += varint(count) if count >= 15 else b""
        if element in (TRUE, FALSE):
            return head + bytes(values)
        return head + b"".join(written(element, one) for one in values)
    assert kind == STRUCT
    found, last = b"", 0
    for number, of, one in value:
        step = number - last
        short = bytes([step << 4 | of]) if 0 < step < 16 else None
        found += (short or bytes([of]) + written(I16, number)) + written(of, one)
        last = number
    return found + bytes([STOP])


def varint(number: int) -> bytes:
    digits = [number & 127]
    while number := number >> 7:
        digits.append(number & 127)
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])
