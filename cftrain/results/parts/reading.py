"""The files of one table: a part for each stack, and merged ones that hold many.

The part of a stack is newer than its rows in merged files, and of these the one with
the higher number is newer. So while parts are merged, a stack's rows are in both for a
moment and count once. A part without rows takes back what merged files have.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cftrain.results.identifiers import check_columns
from cftrain.results.parts.parquet import Unreadable, read_parquet

PART, MERGED, ENDING = "part-", "merged-", ".parquet"
OURS = re.compile(
    rf"{PART}.*{re.escape(ENDING)}|{MERGED}\d{{8}}-\w+{re.escape(ENDING)}"
)
SHOWN = 10
"""Damaged files that a message names."""


def part_files(folder: Path) -> list[Path]:
    """All files of a table, the newest first."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _is_ours(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    merged = [name for name in names if name.startswith(MERGED)]
    parts = [name for name in names if name.startswith(PART)]
    return [folder / name for name in (*sorted(parts), *sorted(merged, reverse=True))]


def stack_of(path: Path) -> str | None:
    """The stack whose part a file is; None for merged files."""
    if path.name.startswith(MERGED):
        return None
    return path.name.removeprefix(PART).removesuffix(ENDING)


def read_parts(
    folder: Path,
    schema: pa.Schema,
    *,
    stacks: set[str] | None = None,
    columns: Sequence[str] | None = None,
) -> tuple[pa.Table, list[Path]]:
    """The rows of a table, or of some stacks of it, and the files that are damaged.

    A file that vanishes has been merged meanwhile, and a listing may miss files that
    come and go during it: so it is listed again until there is nothing new. Raises
    ResultError for files of another format.
    """
    key = key_of(schema)
    read: dict[Path, pa.Table] = {}
    damaged: list[Path] = []
    while new := [p for p in _wanted(folder, stacks) if p not in read]:
        for path in new:
            try:
                read[path] = read_part(path, schema, columns)
            except FileNotFoundError:
                continue
            except Unreadable:
                read[path] = None
                damaged.append(path)
    found = [(path, table) for path, table in read.items() if table is not None]
    tables = list(_each_once(found, key, stacks))
    empty = schema.empty_table().select(_with_key(schema, columns))
    return pa.concat_tables([empty, *tables]), damaged


def read_part(
    path: Path, schema: pa.Schema, columns: Sequence[str] | None = None
) -> pa.Table:
    """One file, with its key. Raises FileNotFoundError, Unreadable, ResultError."""
    table = read_parquet(path, schema, _with_key(schema, columns))
    check_columns(path, table)
    stack = stack_of(path)
    if stack is not None and key_of(schema) == "stack":
        others = set(pc.unique(table["stack"]).to_pylist()) - {stack}
        if others:
            raise Unreadable(f"{path}: holds rows of another stack")
    return table


def holder(folder: Path, schema: pa.Schema, stack: str) -> Path | None:
    """The newest file that has rows of a stack."""
    for path in _wanted(folder, {stack}):
        own = stack_of(path)
        if own is not None:
            return path
        if stack in read_part(path, schema, ["stack"])["stack"].to_pylist():
            return path
    return None


def key_of(schema: pa.Schema) -> str:
    """The column that names what a part is of."""
    return "stack" if "stack" in schema.names else "protocol"


def _with_key(schema: pa.Schema, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(schema.names)
    return list(dict.fromkeys([key_of(schema), *columns]))


def told(paths: Iterable[Path]) -> str:
    """Names of files for a message, also those that are not UTF-8."""
    found = [os.fsencode(path).decode(errors="backslashreplace") for path in paths]
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return ", ".join([*found[:SHOWN], *more])


def _is_ours(entry: os.DirEntry[str]) -> bool:
    # A link without a file is none of ours: it would look like one that was merged.
    named = OURS.fullmatch(entry.name) is not None
    return named and (entry.is_file() or not entry.is_symlink())


def _wanted(folder: Path, stacks: set[str] | None) -> list[Path]:
    """The files that may hold rows of the stacks."""
    files = part_files(folder)
    if stacks is None:
        return files
    own = [path for path in files if stack_of(path) in stacks]
    if len(own) == len(stacks):
        return own
    return [*own, *(path for path in files if stack_of(path) is None)]


def _each_once(
    found: list[tuple[Path, pa.Table]], key: str, stacks: set[str] | None
) -> Iterator[pa.Table]:
    """What counts of each file: stacks that no newer one has."""
    seen: set[str] = set()
    order = {True: 0, False: 1}
    found.sort(key=lambda each: each[0].name, reverse=True)
    found.sort(key=lambda each: order[stack_of(each[0]) is not None])
    for path, table in found:
        names = set(pc.unique(table[key]).to_pylist())
        own = stack_of(path)
        wanted = names - seen if stacks is None else (names & stacks) - seen
        if wanted != names:
            table = table.filter(
                pc.is_in(table[key], pa.array(sorted(wanted), pa.string()))
            )
        seen |= names if own is None or key != "stack" else {own}
        if wanted:
            yield table
