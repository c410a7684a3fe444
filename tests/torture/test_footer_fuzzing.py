"""Footers of Parquet files with fields that nobody writes so: refused, or read.

Damaged bytes are mostly no structure any more; here it is one, with other fields,
kinds, values and lengths of lists, as whoever sends a file may have written it.
"""

import resource
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cftrain.advice.raw_files import opened
from cftrain.data.sources import File
from cftrain.data.tables.parquet import framed, read_columns, read_schema
from cftrain.errors import CftrainError
from cftrain.results.parts.parquet import read_parquet, write_parquet
from cftrain.results.schema import METRICS
from tests.results.rows import metric_rows
from tests.results.test_footer import OPTIONS, parquet, resealed, table
from tests.results.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    FALSE,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Field,
    Footer,
    footer,
    refooted,
)


def whole_numbers(bits: int) -> list[int]:
    ends = [sign * 2**power for power in (7, 15, 31, 40) for sign in (-1, 1)]
    most = 2 ** (bits - 1) - 1
    return [*range(-1, 9), *(end for end in ends if abs(end) <= most), most, -most - 1]


NAMES = [b"", b"text", b"number", b"\xff\xfe", b"a" * 300]
VALUES: dict[int, list[Any]] = {
    TRUE: [None],
    FALSE: [None],
    BYTE: [0, 1, 255],
    **{kind: whole_numbers(bits) for kind, bits in {I16: 16, I32: 32, I64: 64}.items()},
    DOUBLE: [bytes(8), b"\xff" * 8],
    BINARY: NAMES,
    LIST: [
        (I32, []),
        (STRUCT, [[]]),
        *[(kind, [-1, 1, 2**20]) for kind in (I32, I64)],
        (BINARY, NAMES),
    ],
    STRUCT: [[], [(1, I32, 1)], [(1, I64, -1), (2, BINARY, b"a"), (3, TRUE, None)]],
}
"""Of each kind what is likely to be too much, too little or none at all."""

NUMBERS = st.integers(1, 18)


def structures(found: Footer) -> Iterator[Footer]:
    """All in a footer that have fields, itself first."""
    yield found
    for _, kind, value in found:
        inner = [value] if kind == STRUCT else []
        if kind == LIST and value[0] == STRUCT:
            inner = value[1]
        for one in inner:
            yield from structures(one)


def single(whole: bytes) -> Iterator[tuple[int, int, list[Field]]]:
    """Each change that there is to one field of a footer: of which structure, the
    place of the field, and what is there instead.
    """
    for which, inside in enumerate(structures(footer(whole))):
        for place, field in enumerate(inside):
            for new in others(*field):
                yield which, place, new


def with_change(whole: bytes, which: int, place: int, new: list[Field]) -> bytes:
    found = footer(whole)
    list(structures(found))[which][place : place + 1] = new
    return refooted(whole, found)


def others(number: int, kind: int, value: Any) -> Iterator[list[Field]]:
    """What may be in the place of a field: nothing, two, or another one."""
    yield []
    for new in VALUES[kind]:
        yield [(number, kind, new)]
        yield [(number, kind, value), (number, kind, new)]
    for other in VALUES.keys() - {kind}:
        yield [(number, other, VALUES[other][0])]
        yield [(number, kind, value), (number, other, VALUES[other][0])]
    if kind == LIST:
        element, values = value
        yield [(number, kind, (element, values[:-1]))]
        yield [(number, kind, (element, [*values, *values]))]


@st.composite
def changes(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with a few changes to its footer."""
    found = footer(whole)
    for _ in range(draw(st.integers(1, 3))):
        filled = [one for one in structures(found) if one]
        if not filled:
            break
        inside = filled[draw(st.integers(0, len(filled) - 1))]
        place = draw(st.integers(0, len(inside) - 1))
        number, kind, value = inside[place]
        if draw(st.booleans()):
            other = deepcopy(draw(st.sampled_from(VALUES[kind])))
            inside.append((draw(NUMBERS), kind, other))
        else:
            new = draw(st.sampled_from(list(others(number, kind, value))))
            inside[place : place + 1] = deepcopy(new)
    return refooted(whole, found)


def as_table(path: Path) -> None:
    file = File(path, path.read_bytes())
    names = read_schema(file).names
    framed(path, read_columns(file, [n for n in names if n != "list"], 0.05))


def as_rows(path: Path) -> None:
    with opened(str(path)) as rows:
        rows.header()
        rows.check(["number", "text"])
        list(rows.frames(["number", "text"], texts=["text"], rows=10))


def as_results(path: Path) -> None:
    path.write_bytes(resealed(path.read_bytes()))
    read_parquet(path, METRICS)


def part(path: Path) -> bytes:
    rows = metric_rows("c", "s", "ip", {(0.5, n): n / 8 for n in range(9)})
    write_parquet(path, pa.Table.from_pylist(rows, schema=METRICS))
    return path.read_bytes()


READERS: dict[str, Callable[[Path], None]] = {
    "table": as_table,
    "rows": as_rows,
    "results": as_results,
}


def said_of(reader: Callable[[Path], None], path: Path) -> str:
    """What an error of ours says; the name of a file that is read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader(path)
        except CftrainError as error:
            return str(error)
    return path.name


@pytest.fixture
def bounded() -> Iterator[None]:
    """Much more memory than any of the files needs is not to be had."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    taken = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**31, most))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (before, most))


def check(name: str, path: Path, content: bytes) -> None:
    """An error that is none of ours fails, and so does the end of the process."""
    path.write_bytes(content)
    said = said_of(READERS[name], path)
    assert path.name in said
    assert "malloc" not in said


def wholes(name: str, path: Path) -> list[bytes]:
    if name == "results":
        return [part(path)]
    chosen = table().select(["number", "text"]) if name == "rows" else table()
    return [parquet(chosen, **options) for options in OPTIONS.values()]


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("each", [100, pytest.param(1, marks=pytest.mark.torture)])
@pytest.mark.parametrize("name", READERS)
def test_a_strange_field_is_refused_or_read(name, each, tmp_path):
    path = tmp_path / "strange.parquet"
    whole, *_ = wholes(name, path)
    for change in islice(single(whole), 0, None, each):
        check(name, path, with_change(whole, *change))


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize(
    "examples", [10, pytest.param(3000, marks=pytest.mark.torture)]
)
@pytest.mark.parametrize("name", READERS)
def test_strange_footers_are_refused_or_read(name, examples, tmp_path):
    path = tmp_path / "strange.parquet"

    @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(wholes(name, path)).flatmap(changes))
    def tried(content):
        check(name, path, content)

    tried()
