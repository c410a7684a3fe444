import pytest

from cftrain.errors import ResultError
from cftrain.results.parts import damage
from cftrain.results.parts.damage import set_aside
from cftrain.results.parts.merging import merge_parts
from cftrain.results.points import FILE, add_points
from cftrain.results.store import Store, done
from tests.console import files
from tests.results.rows import START, cell_row, metric_rows, row, write_stack

STACKS = ("s", "t", "u")


@pytest.fixture
def store(tmp_path) -> Store:
    """Three stacks of a cell, with pictures, and a grid's points."""
    made = Store(tmp_path)
    for stack in STACKS:
        metrics = metric_rows(stack, stack, "ip", {(0.1, 0): 1.0})
        shown = [row("gallery", cell=stack, stack=stack, factual=1)]
        past = [row("history", cell=stack, stack=stack, epoch=1)]
        write_stack(made, stack, [cell_row(stack, stack)], metrics, past, shown)
        made.write(
            "transfer", stack, [row("transfer", cell=stack, stack=stack, other="o")]
        )
    protocol = {"protocol": "q", "config": "{}", "created": START}
    made.write("protocols", "q", [protocol])
    point = {"grid": "g", "point": 0, "coordinates": {}, "role": "model", "cell": "s"}
    add_points(tmp_path, [point])
    return made


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "flipped": lambda content: bytes([*content[:50], content[50] ^ 4, *content[51:]]),
}

AGAIN = {
    "cells": ({"t"}, {"t"}),
    "history": ({"t"}, {"t"}),
    "metrics": (set(), {"t"}),
    "gallery": (set(), {"t"}),
    "evaluations": (set(), {"t"}),
    "transfer": (set(), set()),
}
"""The cells that are to be trained and to be evaluated again."""


def left(store: Store) -> tuple[set[str], set[str]]:
    """The cells that are not trained, and those that are not evaluated."""
    every = set(STACKS)
    return every - done(store.cells()), every - done(store.evaluations())


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("table", AGAIN)
def test_a_damaged_part_is_set_aside_and_its_cells_are_to_be_done(
    store, table, kind, capsys
):
    path = store.path(table, "t")
    damaged = DAMAGES[kind](path.read_bytes())
    path.write_bytes(damaged)
    assert set_aside(store.folder) == [path]
    assert capsys.readouterr().err.count("\n") == 1
    assert path.with_name(f"{path.name}.damaged").read_bytes() == damaged
    assert left(store) == AGAIN[table]
    assert set_aside(store.folder) == []


@pytest.mark.parametrize("table", AGAIN)
def test_of_a_damaged_merged_file_all_cells_are_to_be_done(store, table):
    merge_parts(store.folder, many=3)
    write_stack(store, "new", [cell_row("new", "new")])
    (path,) = (store.folder / table).glob("merged-*")
    path.write_bytes(path.read_bytes()[:-1])
    set_aside(store.folder)
    trained, evaluated = AGAIN[table]
    every = set(STACKS)
    assert left(store) == (trained and every, evaluated and every)
    assert "new" in done(store.cells())


@pytest.mark.parametrize("table", ["history", "metrics"])
@pytest.mark.parametrize("merged", [False, True])
def test_what_a_part_held_that_is_not_there_is_to_be_done(store, table, merged, capsys):
    """As after a copy that did not come to its end."""
    if merged:
        merge_parts(store.folder, many=2)
    gone = "merged-*.parquet" if merged else "part-t.parquet"
    for path in (store.folder / table).glob(gone):
        path.unlink()
    lost = set(STACKS) if merged else {"t"}
    marker = store.cells() if table == "history" else store.evaluations()
    with pytest.raises(ResultError, match="expected a part of every stack, got none"):
        store.rows(table, marker)
    assert set_aside(store.folder) == []
    assert f"parts of {len(lost)} stacks are missing" in capsys.readouterr().err
    assert left(store) == (lost if table == "history" else set(), lost)
    assert set_aside(store.folder) == []
    assert capsys.readouterr().err == ""


def test_without_its_protocol_an_evaluation_is_to_be_done(store):
    store.path("protocols", "q").write_bytes(b"")
    set_aside(store.folder)
    assert left(store) == (set(), set(STACKS))
    assert not store.path("protocols", "q").exists()


def test_damaged_points_are_set_aside(store):
    (store.folder / FILE).write_bytes(b"")
    assert set_aside(store.folder) == [store.folder / FILE]
    assert left(store) == (set(), set())


def test_a_reader_names_all_damaged_files_and_touches_none(store):
    paths = [store.path(table, "t") for table in ("cells", "metrics", "evaluations")]
    for path in paths:
        path.write_bytes(b"")
    before = files(store.folder)
    for read in (store.cells, store.evaluations):
        with pytest.raises(ResultError) as caught:
            read()
        assert all(str(path) in str(caught.value) for path in paths)
    assert files(store.folder) == before


def test_many_damaged_files_are_one_short_message(store):
    for number in range(30):
        store.path("cells", f"x{number:02d}").write_bytes(b"")
    with pytest.raises(ResultError, match=r"part-x09\.parquet, and 20 more; the next"):
        store.cells()


def test_who_is_killed_while_setting_aside_finds_all_again(store, monkeypatch):
    path = store.path("metrics", "t")
    path.write_bytes(b"")

    class Killed(BaseException):
        pass

    def killed(path):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(damage, "_free", killed)
        with pytest.raises(Killed):
            set_aside(store.folder)
    set_aside(store.folder)
    assert left(store) == (set(), {"t"})


def test_exchanged_parts_are_damaged(store):
    """Each is whole, but what is in it belongs to another stack."""
    one, other = store.path("metrics", "s"), store.path("metrics", "t")
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    with pytest.raises(ResultError, match="got damaged ones"):
        store.rows("metrics", store.evaluations())
    set_aside(store.folder)
    assert left(store) == (set(), {"s", "t"})


def test_parts_with_names_that_are_not_utf_8_are_named(store):
    folder = bytes(store.folder / "cells")
    with open(folder + b"/part-\xff\xfe.parquet", "wb") as file:  # noqa: PTH123
        file.write(store.path("cells", "s").read_bytes())
    with pytest.raises(ResultError, match=r"part-\\xff\\xfe\.parquet"):
        store.cells()
    set_aside(store.folder)
    assert left(store) == (set(), set())


def test_a_second_damage_of_the_same_part_has_a_name_of_its_own(store):
    for content in (b"", b"x"):
        store.path("metrics", "t").write_bytes(content)
        set_aside(store.folder)
    names = {p.name for p in (store.folder / "metrics").glob("*.damaged")}
    assert names == {"part-t.parquet.damaged", "part-t.parquet.1.damaged"}
