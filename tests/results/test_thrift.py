"""Thrift's compact protocol: what is read, what is passed over, what is refused."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cftrain.results.parts.thrift import I32, I64, read_structure
from tests.results.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    FALSE,
    I16,
    LIST,
    STRUCT,
    TRUE,
    varint,
    written,
)

SHAPE = {1: I32, 3: I64, 4: {2: I32}, 5: [{1: I64}]}
MAP = bytes([11, 2 * 9, 2, BINARY << 4 | I32, 1, 120, 2, 1, 121, 4])
"""Field 9: two texts with a number each."""


def values(kind: int) -> st.SearchStrategy:
    """Values of a kind as they are written."""
    return {
        TRUE: st.none(),
        FALSE: st.none(),
        BYTE: st.integers(0, 255),
        I16: st.integers(-(2**15), 2**15 - 1),
        I32: st.integers(-(2**31), 2**31 - 1),
        I64: st.integers(-(2**63), 2**63 - 1),
        DOUBLE: st.binary(min_size=8, max_size=8),
        BINARY: st.binary(max_size=200),
    }[kind]


SIMPLE = st.sampled_from([TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY])


def field(number: int, kind: int) -> st.SearchStrategy:
    return st.tuples(st.just(number), st.just(kind), values(kind))


def lists(kind: int) -> st.SearchStrategy:
    one = st.integers(0, 255) if kind in (TRUE, FALSE) else values(kind)
    return st.tuples(st.just(kind), st.lists(one, max_size=20))


def others(deepest: int = 3) -> st.SearchStrategy:
    """Fields that nobody asks for."""
    numbers = st.integers(6, 300)
    found = numbers.flatmap(lambda n: SIMPLE.flatmap(lambda kind: field(n, kind)))
    of_list = st.tuples(numbers, st.just(LIST), SIMPLE.flatmap(lists))
    if not deepest:
        return st.one_of(found, of_list)
    inner = st.lists(others(deepest - 1), max_size=3)
    of_struct = st.tuples(numbers, st.just(STRUCT), inner)
    many = st.tuples(st.just(STRUCT), st.lists(inner, max_size=3))
    return st.one_of(found, of_list, of_struct, st.tuples(numbers, st.just(LIST), many))


@given(
    values(I32),
    values(I64),
    values(I32),
    st.lists(values(I64), max_size=20),
    st.lists(others(), max_size=4),
    st.randoms(),
)
def test_what_is_asked_for_is_read_and_all_else_passed_over(
    first, second, third, listed, passed, chance: random.Random
):
    fields = [
        (1, I32, first),
        (3, I64, second),
        (4, STRUCT, [*passed, (2, I32, third)]),
        (5, LIST, (STRUCT, [[*passed, (1, I64, one)] for one in listed])),
        *passed,
    ]
    chance.shuffle(fields)
    content = b"before" + written(STRUCT, fields)
    found, end = read_structure(content + b"after", len(b"before"), SHAPE)
    assert end == len(content)
    assert found == {
        1: first,
        3: second,
        4: {2: third},
        5: [{1: one} for one in listed],
    }


def test_numbers_of_fields_may_be_written_as_steps():
    """From the definition: field 1 is 1, field 3 is -64, and a stop."""
    content = bytes([1 << 4 | I32, 2, 2 << 4 | I64, 127, 0])
    assert read_structure(content, 0, SHAPE) == ({1: 1, 3: -64}, 5)


@pytest.mark.parametrize("kind", [0, TRUE, I32, STRUCT])
def test_a_list_of_nothing_may_have_any_kind(kind):
    content = bytes([5 << 4 | LIST, kind, 0])
    assert read_structure(content, 0, SHAPE) == ({5: []}, 3)


def test_a_map_is_passed_over():
    assert read_structure(MAP + b"\x00", 0, SHAPE) == ({}, len(MAP) + 1)
    empty = bytes([11, 2 * 9, 0])
    assert read_structure(empty + b"\x00", 0, SHAPE) == ({}, 4)


def wide(kind: int, number: int) -> bytes:
    """Field 1 or 3 with a number that is wider than its kind."""
    head = bytes([kind]) + written(I16, 1 if kind == I32 else 3)
    return head + varint(2 * number) + b"\x00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (written(STRUCT, [(1, I32, 5), (1, I32, 5)]), "field 1 twice"),
        (written(STRUCT, [(1, I32, 500), (1, I64, 5)]), "field 1 twice"),
        (written(STRUCT, [(1, I64, 5)]), "a field of kind 6"),
        (written(STRUCT, [(1, TRUE, None)]), "a field of kind 1"),
        (written(STRUCT, [(4, I32, 5)]), "a field of kind 5"),
        (written(STRUCT, [(5, STRUCT, [])]), "a field of kind 12"),
        (written(STRUCT, [(5, LIST, (I32, [1]))]), "a list of kind 5"),
        (b"\x7d\x00", "a field of kind 13"),
        (wide(I32, 2**31), "more than 32 bits"),
        (wide(I64, 2**63), "more than 64 bits"),
        (wide(I64, 2**80), "more than 64 bits"),
        (bytes([I32]) + varint(2 * (2**16 + 1)) + b"\x02\x00", "more than 16 bits"),
        (bytes([BYTE]) + written(I16, 2**15 - 1) + b"\x00\xf3\x00\x00", "number 32782"),
        (b"\x98" + varint(2**32 + 1) + b"a\x00", "more than 31 bits"),
        (b"\x9c" * 50 + b"\x00" * 51, "more than 16 structures"),
        (b"\x99" + b"\x19" * 50 + b"\x00" * 51, "more than 16 structures"),
        (b"\x15", "index out of range"),
        (b"\x98\x7f", "index out of range"),
    ],
)
def test_what_another_reader_may_take_otherwise_is_refused(content, message):
    with pytest.raises((IndexError, ValueError), match=message):
        read_structure(content, 0, SHAPE)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_structure_or_refused(content):
    try:
        found, end = read_structure(content, 0, SHAPE)
    except (IndexError, ValueError):
        return
    assert found.keys() <= SHAPE.keys()
    assert 0 < end <= len(content)
