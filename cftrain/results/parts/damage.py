"""Files of results that are not what was written: named, or set aside to be made anew.

Only the holder of a folder's lock sets files aside; who merely reads says what is wrong
and stops, since numbers without a part of them would be other numbers.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from cftrain.errors import ResultError, warn
from cftrain.results.parts.parquet import Unreadable, read_parquet, write_parquet
from cftrain.results.parts.reading import (
    PART,
    part_files,
    read_part,
    read_parts,
    stack_of,
    told,
)
from cftrain.results.points import FILE, POINTS
from cftrain.results.schema import OF_EVALUATION, OF_TRAINING, TABLES

MARKERS = {
    **dict.fromkeys(OF_TRAINING, "cells"),
    **dict.fromkeys(OF_EVALUATION, "evaluations"),
}
"""The table that lists the rows of another one; written last."""

ALWAYS = {"history", "metrics"}
"""Tables that have a part of every stack that their marker lists."""

AGAIN = "done again where a command wants it"

MADE_ELSEWHERE = {"transfer"}
"""Tables that are made anew by commands of their own."""


def complaint(folder: Path, found: Iterable[Path]) -> Unreadable:
    """One error that names all damaged files of a folder of results."""
    every = dict.fromkeys(
        [*found, *(p for t in TABLES for p in damaged_parts(folder, t))]
    )
    return Unreadable(
        f"{folder}: expected whole files of results, got damaged ones: {told(every)}; "
        "the next cftrain train, grid or evaluate in this folder sets them aside, and "
        "its own command does again what they held"
    )


def damaged_parts(folder: Path, table: str) -> list[Path]:
    """The files of a table that are not what was written."""
    found = []
    for path in part_files(folder / table):
        try:
            read_part(path, TABLES[table], [])
        except (FileNotFoundError, ResultError) as error:
            if isinstance(error, Unreadable):
                found.append(path)
    return found


def set_aside(folder: Path) -> list[Path]:
    """Rename damaged files to `*.damaged`, say so once, and forget what needs them, or
    what needs parts that are missing.

    What is forgotten (an empty part of the marker) is to be done again. It is forgotten
    first: who is killed in between finds the damaged files again.
    """
    found = {table: damaged_parts(folder, table) for table in TABLES}
    every = [path for paths in found.values() for path in paths]
    every += _damaged_points(folder)
    lost = _lost(folder, found)
    if any(lost.values()) and not every:
        count = len(set().union(*lost.values()))
        warn(f"{folder}: parts of {count} stacks are missing; they are {AGAIN}")
    for marker, stacks in lost.items():
        for stack in sorted(stacks):
            path = folder / marker / f"{PART}{stack}.parquet"
            if path not in every:
                write_parquet(path, TABLES[marker].empty_table())
    for path in every:
        with suppress(FileNotFoundError):
            path.replace(_free(path))
    if every:
        warn(f"{folder}: set aside as *.damaged, and {AGAIN}: {told(every)}")
    return every


def _damaged_points(folder: Path) -> list[Path]:
    path = folder / FILE
    try:
        read_parquet(path, POINTS)
    except Unreadable:
        return [path]
    except (FileNotFoundError, ResultError):
        pass
    return []


def _lost(folder: Path, found: Mapping[str, list[Path]]) -> dict[str, set[str]]:
    """The stacks that each marker must not list any more."""
    lost: dict[str, set[str]] = {"cells": set(), "evaluations": set()}
    for table, marker in MARKERS.items():
        if table == marker or table in MADE_ELSEWHERE:
            continue
        if not found[table] and table not in ALWAYS:
            continue
        own = {stack for path in found[table] if (stack := stack_of(path)) is not None}
        lost[marker] |= own
        if len(own) < len(found[table]) or table in ALWAYS:
            # Nobody knows what a merged file held, or one that is not there any more:
            # all stacks that are nowhere else.
            lost[marker] |= _finished(folder, marker) - _held(folder, table, found)
    if found["protocols"]:
        kept, _ = read_parts(folder / "protocols", TABLES["protocols"])
        known = set(kept["protocol"].to_pylist())
        rows, _ = read_parts(
            folder / "evaluations", TABLES["evaluations"], columns=["protocol"]
        )
        lost["evaluations"] |= {
            row["stack"] for row in rows.to_pylist() if row["protocol"] not in known
        }
    return lost


def _finished(folder: Path, marker: str) -> set[str]:
    """The stacks with results; what failed has none."""
    columns = ["stack", "status"]
    rows, _ = read_parts(folder / marker, TABLES[marker], columns=columns)
    return {row["stack"] for row in rows.to_pylist() if row["status"] == "done"}


def _held(folder: Path, table: str, found: Mapping[str, list[Path]]) -> set[str]:
    """The stacks that whole files of a table are about, if only without rows."""
    rows, _ = read_parts(folder / table, TABLES[table], columns=["stack"])
    whole = set(part_files(folder / table)) - set(found[table])
    names = {stack for path in whole if (stack := stack_of(path)) is not None}
    return names | set(rows["stack"].to_pylist())


def _free(path: Path) -> Path:
    """A name beside a damaged file that nothing has."""
    number, name = 0, path.with_name(f"{path.name}.damaged")
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.{number}.damaged")
    return name
