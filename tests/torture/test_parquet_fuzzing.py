"""Damaged and strange part files: a clear error or the right numbers, nothing else."""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cftrain.errors import ResultError
from cftrain.results.parts.parquet import read_parquet, write_parquet
from cftrain.results.points import FILE, POINTS, load_points
from cftrain.results.schema import TABLES
from cftrain.results.store import Store
from tests.console import Outcome, call, files
from tests.summary.rows import metric_rows
from tests.summary.stores import cells, epochs, write_grid

COMMANDS = (
    ("status",),
    ("tables", "table=main"),
    ("tables", "table=main", "format=csv"),
)
THOROUGH = 600


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A grid of two seeds and its numbers."""
    folder = tmp_path_factory.mktemp("whole")
    rows = cells(["moons"], ["full", "vanilla"], [1, 2])
    metrics = [
        found
        for number, row in enumerate(rows)
        for metric in ("ip", "ip_star", "validity", "cost")
        for found in metric_rows(
            row["cell"], "s", metric, {(0.5, r): 1 + r / 8 + number for r in range(5)}
        )
    ]
    history = [found for row in rows for found in epochs(row["cell"], loss=[0.5])]
    write_grid(folder, rows, metrics=metrics, history=history)
    return folder


def asked(folder: Path, words: tuple[str, ...]) -> Outcome:
    name, *options = words
    return call(name, str(folder), *options)


def copied(content: dict[str, bytes], folder: Path) -> None:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@st.composite
def mutations(draw: st.DrawFn) -> Iterator[tuple[float, str, float, bytes]]:
    """Which file, what happens to it, where, and with which bytes."""
    place = st.floats(0, 1, exclude_max=True)
    kinds = ["flip", "cut", "insert", "overwrite", "exchange", "double", "zero"]
    kind = draw(st.sampled_from(kinds))
    return draw(place), kind, draw(place), draw(st.binary(min_size=1, max_size=40))


def mutated(content: dict[str, bytes], change: Any) -> dict[str, bytes]:
    which, kind, where, data = change
    name = sorted(content)[int(which * len(content))]
    old = content[name]
    at = int(where * len(old))
    other = content[sorted(content)[int(where * len(content))]]
    new = {
        "flip": old[:at] + bytes([old[at] ^ (data[0] or 1)]) + old[at + 1 :],
        "cut": old[:at],
        "insert": old[:at] + data + old[at:],
        "overwrite": old[:at] + data + old[at + len(data) :],
        "exchange": other,
        "double": old + old,
        "zero": old[:at] + bytes(len(old) - at),
    }[kind]
    return {**content, name: new}


def numbers(folder: Path) -> dict[str, pd.DataFrame] | None:
    """All that a folder holds; None if it is refused."""
    store = Store(folder)
    try:
        cells, evaluations = store.cells(), store.evaluations()
        return {
            "cells": cells,
            "evaluations": evaluations,
            "history": store.rows("history", cells),
            "metrics": store.rows("metrics", evaluations),
            "points": load_points(folder),
        }
    except ResultError:
        return None


@pytest.mark.parametrize(
    "examples", [12, pytest.param(3000, marks=pytest.mark.torture)]
)
def test_mutated_files_are_refused_or_hold_the_right_numbers(whole, tmp_path, examples):
    content, expected = files(whole), numbers(whole)
    copied(content, tmp_path)

    @settings(max_examples=examples)
    @given(mutations())
    def tried(change):
        new = mutated(content, change)
        copied(new, tmp_path)
        found = numbers(tmp_path)
        if found is not None:
            for name, table in found.items():
                pd.testing.assert_frame_equal(table, expected[name])
        assert files(tmp_path) == new

    tried()


@pytest.mark.torture
def test_commands_say_what_is_damaged_or_the_right_numbers(whole):
    content = files(whole)
    right = {words: asked(whole, words) for words in COMMANDS}
    assert {outcome.code for outcome in right.values()} == {0}

    @settings(max_examples=THOROUGH)
    @given(mutations(), st.sampled_from(COMMANDS))
    def tried(change, words):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            new = mutated(content, change)
            copied(new, folder)
            outcome = asked(folder, words)
            if outcome.code == 0:
                assert outcome.out == right[words].out
            else:
                assert outcome.message
            assert files(folder) == new

    tried()


# --- whole files that nobody wrote so ------------------------------------------------

TEXTS = st.sampled_from(["", "\x00", "../../x", "[1]", "{", "{}", "null", "\U0001f600"])
NUMBERS = st.sampled_from([math.inf, -math.inf, math.nan, 0.0, -1.0, 1e308, None])
WHOLES = st.sampled_from([0, -1, 2**62, -(2**63), None])


def values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Strange values of a column's type."""
    if pa.types.is_string(kind):
        return st.one_of(TEXTS, st.none(), st.text(max_size=5))
    if pa.types.is_floating(kind):
        return NUMBERS
    if pa.types.is_integer(kind):
        return WHOLES
    return st.none()


@st.composite
def strange(draw: st.DrawFn) -> tuple[str, int, str, Any]:
    """A table, a row, a column and the value that somebody put there."""
    tables = {**TABLES, FILE: POINTS}
    del tables["gallery"], tables["attributions"], tables["individuals"]
    table = draw(st.sampled_from(sorted(tables)))
    field = draw(st.sampled_from(list(tables[table])))
    value = draw(values(field.type))
    if value is None and not field.nullable:
        value = "" if pa.types.is_string(field.type) else 0
    return table, draw(st.integers(0, 3)), field.name, value


def rewritten(folder: Path, change: tuple[str, int, str, Any]) -> None:
    """Put a value into a table, with a digest that is right."""
    table, number, column, value = change
    points = table == FILE
    path = folder / FILE if points else Store(folder).path(table, "s")
    schema = POINTS if points else TABLES[table]
    if not path.is_file():
        return
    rows = read_parquet(path, schema).to_pylist()
    if rows:
        rows[number % len(rows)][column] = value
        write_parquet(path, pa.Table.from_pylist(rows, schema=schema))


@pytest.mark.parametrize(
    "examples", [4, pytest.param(THOROUGH, marks=pytest.mark.torture)]
)
def test_strange_values_are_no_traceback(whole, examples):
    content = files(whole)

    @settings(max_examples=examples)
    @given(strange(), st.sampled_from(COMMANDS if examples > 4 else COMMANDS[:1]))
    def tried(change, words):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "results"
            copied(content, folder)
            rewritten(folder, change)
            before = files(Path(place))
            outcome = asked(folder, words)
            assert outcome.code == 0 or outcome.message
            assert files(Path(place)) == before

    tried()
