"""Merging changes how many files there are, and nothing else, whatever happens."""

import os
import threading
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest

from cftrain.errors import ResultError
from cftrain.results.parts import merging
from cftrain.results.parts import reading as parts
from cftrain.results.parts.merging import merge_parts, put_back
from cftrain.results.store import Store, done
from tests.results.rows import cell_row, metric_rows, row, write_stack

STACKS = [f"s{number}" for number in range(6)]


def write(store: Store, stack: str, value: float) -> None:
    """A stack of two cells."""
    cells = [f"{stack}-{name}" for name in "ab"]
    metrics = [
        found
        for cell in cells
        for found in metric_rows(cell, stack, "ip", {(0.1, 0): value})
    ]
    history = [row("history", cell=c, stack=stack, epoch=1, loss=value) for c in cells]
    write_stack(store, stack, [cell_row(c, stack) for c in cells], metrics, history)


@pytest.fixture
def store(tmp_path) -> Store:
    made = Store(tmp_path)
    for number, stack in enumerate(STACKS):
        write(made, stack, float(number))
    return made


def content(store: Store) -> dict[str, pd.DataFrame]:
    """All rows that count, in one order."""
    cells, evaluations = store.cells(), store.evaluations()
    found = {
        "cells": cells,
        "evaluations": evaluations,
        "history": store.rows("history", cells),
        "metrics": store.rows("metrics", evaluations),
    }
    return {
        name: table.sort_values(["stack", "cell"], ignore_index=True)
        for name, table in found.items()
    }


def same(store: Store, expected: dict[str, pd.DataFrame]) -> None:
    for name, table in content(store).items():
        pd.testing.assert_frame_equal(table, expected[name])


def files(store: Store, table: str) -> list[str]:
    return sorted(path.name for path in (store.folder / table).iterdir())


def test_many_parts_become_one_file_with_the_same_rows(store):
    before = content(store)
    assert merge_parts(store.folder, many=6) == 4 * len(STACKS)
    for table in before:
        (name,) = files(store, table)
        assert name.startswith("merged-00000001-")
    same(store, before)


def test_few_parts_are_let_be(store):
    assert merge_parts(store.folder, many=7) == 0
    assert files(store, "cells") == [f"part-{stack}.parquet" for stack in STACKS]


def test_a_merged_folder_is_merged_further(store):
    merge_parts(store.folder, many=2)
    for number, stack in enumerate(["t0", "t1"]):
        write(store, stack, float(number))
    before = content(store)
    merge_parts(store.folder, many=2)
    assert [name[:15] for name in files(store, "cells")] == [
        "merged-00000001",
        "merged-00000002",
    ]
    same(store, before)


def test_a_stack_that_is_written_again_replaces_its_merged_rows(store):
    merge_parts(store.folder, many=2)
    write(store, "s3", 7.5)
    after = content(store)
    assert set(after["metrics"]["value"]) == {0.0, 1.0, 2.0, 4.0, 5.0, 7.5}
    assert len(after["metrics"]) == 2 * len(STACKS)
    write(store, "s1", 8.5)
    after = content(store)
    merge_parts(store.folder, many=2)
    same(store, after)


def test_a_part_without_rows_takes_back_and_is_not_merged(store):
    merge_parts(store.folder, many=2)
    store.write("cells", "s0", [])
    store.write("cells", "s1", [])
    merge_parts(store.folder, many=2)
    assert done(store.cells()) == {f"{s}-{c}" for s in STACKS[2:] for c in "ab"}


def test_only_the_files_of_a_stack_are_read(store):
    merge_parts(store.folder, many=2)
    write(store, "t", 1.0)
    for path in (store.folder / "metrics").glob("merged-*"):
        path.write_bytes(b"damaged")
    chosen = store.evaluations()
    own = chosen[chosen["stack"] == "t"]
    assert list(store.rows("metrics", own)["value"]) == [1.0, 1.0]
    with pytest.raises(ResultError, match="damaged"):
        store.rows("metrics", chosen)


def test_the_file_of_a_stack_is_the_one_it_was_merged_into(store):
    assert store.file("cells", "s1").name == "part-s1.parquet"
    merge_parts(store.folder, many=2)
    assert store.file("cells", "s1").name.startswith("merged-")
    assert store.file("cells", "nosuch").name == "part-nosuch.parquet"


def test_large_and_damaged_parts_stay(store, monkeypatch):
    path = store.path("metrics", "s2")
    path.write_bytes(b"damaged")
    merge_parts(store.folder, many=2)
    assert path.read_bytes() == b"damaged"
    assert len(files(store, "metrics")) == 2
    monkeypatch.setattr(merging, "LARGE", 10)
    write(store, "t0", 1.0)
    write(store, "t1", 1.0)
    assert merge_parts(store.folder, many=2) == 0


def test_rows_in_memory_are_bounded(store, monkeypatch):
    before = content(store)
    monkeypatch.setattr(merging, "MOST", 1)
    merge_parts(store.folder, many=2)
    assert len(files(store, "cells")) == len(STACKS)
    assert all(name.startswith("merged-") for name in files(store, "cells"))
    same(store, before)


class Killed(BaseException):
    """The process ends here: nothing that would run afterwards runs."""


QUICK = (0, 3, 8, 16, 33, 47)
"""Some of the places: the rest takes minutes."""


@pytest.mark.parametrize(
    "call",
    [
        *QUICK,
        *(
            pytest.param(n, marks=pytest.mark.torture)
            for n in range(60)
            if n not in QUICK
        ),
    ],
)
def test_killed_at_any_moment_no_row_is_lost_or_twice(store, call):
    """At the n-th rename, removal or flush of a file."""
    before = content(store)
    calls = 0

    def dying(real):
        def counted(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls > call:
                raise Killed
            return real(*arguments, **options)

        return counted

    with (
        mock.patch.object(Path, "replace", dying(Path.replace)),
        mock.patch.object(Path, "unlink", dying(Path.unlink)),
        mock.patch("os.fsync", dying(os.fsync)),
        pytest.raises(Killed),
    ):
        merge_parts(store.folder, many=2)
    same(store, before)
    put_back(store.folder)
    same(store, before)
    merge_parts(store.folder, many=2)
    same(store, before)
    assert not list(store.folder.rglob("*.merged"))


@pytest.mark.parametrize("killed", [False, True])
def test_a_part_that_is_written_meanwhile_stays(store, monkeypatch, killed):
    """After it was read and before it goes; also if the process ends in between."""
    written = merging.write_parquet

    def late(path, table):
        written(path, table)
        if path.parent.name == "metrics":
            write(store, "s4", 9.5)

    monkeypatch.setattr(merging, "write_parquet", late)
    if killed:
        monkeypatch.setattr(merging, "_put_back", lambda taken: None)
    merge_parts(store.folder, many=2)
    if killed:
        monkeypatch.undo()
        put_back(store.folder)
    assert store.path("metrics", "s4").is_file()
    values = store.rows("metrics", store.evaluations()).set_index("stack")["value"]
    assert set(values["s4"]) == {9.5}
    assert len(values) == 2 * len(STACKS)


def test_a_listed_file_that_vanished_is_listed_again(store, monkeypatch):
    before = content(store)
    listed = parts.part_files
    stale = {folder: listed(store.folder / folder) for folder in before}
    merge_parts(store.folder, many=2)
    first = dict(stale)

    def outdated(folder):
        return first.pop(folder.name, None) or listed(folder)

    monkeypatch.setattr(parts, "part_files", outdated)
    same(store, before)


def test_a_listing_that_missed_what_was_moved_is_made_up_for(store, monkeypatch):
    """As may happen while parts are merged: neither the part nor the merged file."""
    before = content(store)
    merge_parts(store.folder, many=2)
    write(store, "t", 1.0)
    after = content(store)
    listed = parts.part_files
    missed = set(before)

    def partial(folder):
        found = listed(folder)
        if folder.name in missed:
            missed.remove(folder.name)
            return [path for path in found if "merged" not in path.name]
        return found

    monkeypatch.setattr(parts, "part_files", partial)
    same(store, after)


@pytest.mark.parametrize("rounds", [5, pytest.param(300, marks=pytest.mark.torture)])
def test_readers_see_every_row_once_while_parts_are_merged(store, rounds):
    """All cells that were written before the reader began."""
    wrong: list[str] = []
    finished = threading.Event()

    def reading() -> None:
        while not finished.is_set():
            known = set(written)
            cells = store.cells()["cell"]
            if not known <= set(cells) or cells.duplicated().any():
                wrong.append(f"{len(known - set(cells))} of {len(known)} missing")

    written = {f"{stack}-{name}" for stack in STACKS for name in "ab"}
    threads = [threading.Thread(target=reading) for _ in range(2)]
    with mock.patch("os.fsync"):
        for thread in threads:
            thread.start()
        for number in range(rounds):
            for part in range(4):
                stack = f"t{number}-{part}"
                store.write("cells", stack, [cell_row(f"{stack}-a", stack)])
                written.add(f"{stack}-a")
            merge_parts(store.folder, many=4)
        finished.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert set(store.cells()["cell"]) == written


def test_a_full_disk_leaves_the_parts(store, monkeypatch):
    before = content(store)

    def full(path, data):
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert merge_parts(store.folder, many=2) == 0
    assert files(store, "cells") == [f"part-{stack}.parquet" for stack in STACKS]
    same(store, before)


def test_a_file_system_without_links_gives_parts_back_too(store, monkeypatch):
    def unsupported(source, target):
        raise PermissionError

    path = store.path("cells", "s0")
    path.replace(path.with_name(f"{path.name}.merged"))
    monkeypatch.setattr(os, "link", unsupported)
    put_back(store.folder)
    assert "s0-a" in done(store.cells())
