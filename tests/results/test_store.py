import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cftrain.errors import ResultError
from cftrain.results import schema as schemas
from cftrain.results.schema import OF_TRAINING, TABLES
from cftrain.results.store import Store, done, failed
from cftrain.results.weights_file import weights_digest, weights_path
from tests.console import ROOT, files
from tests.results.rows import (
    KEYS,
    START,
    cell_row,
    evaluation_row,
    metric_rows,
    row,
    sample,
    write_stack,
)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results")


def one_value(cell: str, stack: str, value: float) -> list[dict]:
    return metric_rows(cell, stack, "ip", {(0.1, 0): value})


def content(store: Store, table: str) -> pd.DataFrame:
    """What counts of a table."""
    if table == "protocols":
        return store._read(table)
    readers = {"cells": store.cells, "evaluations": store.evaluations}
    if table in readers:
        return readers[table]()
    chosen = store.cells() if table in OF_TRAINING else store.evaluations()
    return store.rows(table, chosen)


def values(store: Store) -> dict[str, list[float]]:
    metrics = content(store, "metrics")
    return {cell: list(group["value"]) for cell, group in metrics.groupby("cell")}


@pytest.mark.parametrize("table", TABLES)
def test_what_is_written_is_read(store, table):
    given = {field.name: sample(field.type) for field in TABLES[table]}
    keys = [name for name in KEYS if name in given]
    if "status" in given:
        given["status"] = "done"
    rows = [
        {**given, **{name: KEYS[name] for name in keys}, keys[0]: own}
        for own in ("a", "b")
    ]
    trained = {"weights_sha256": "text"}
    cells = [cell_row("a", "s", **trained), cell_row("b", "s", **trained)]
    write_stack(store, "s", cells)
    evaluations = [evaluation_row(name, "s", **trained) for name in ("a", "b")]
    store.write("evaluations", "s", evaluations)
    store.write(table, "s", rows)
    found = content(store, table)
    assert list(found[keys[0]]) == ["a", "b"]
    for name, value in given.items():
        if name in keys:
            continue
        held = found[name][0]
        if isinstance(held, np.ndarray):
            held = held.tolist()
        assert held == value, name


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_store_has_empty_tables_of_all_columns(store, table):
    found = content(store, table)
    assert found.empty
    assert list(found.columns) == TABLES[table].names
    assert store.protocols() == {}
    assert not store.folder.exists()


def test_some_cells_are_read_from_their_parts_alone(store):
    for stack, value in (("s", 1.0), ("t", 2.0)):
        write_stack(
            store, stack, [cell_row(f"{stack}1", stack), cell_row(f"{stack}2", stack)]
        )
        rows = [
            *one_value(f"{stack}1", stack, value),
            *one_value(f"{stack}2", stack, 9),
        ]
        store.write("metrics", stack, rows)
    (store.folder / "metrics" / "part-t.parquet").write_text("damaged")
    evaluations = store.evaluations()
    chosen = evaluations[evaluations["cell"] == "s1"]
    assert list(store.rows("metrics", chosen)["value"]) == [1.0]
    assert store.rows("metrics", evaluations[:0]).empty


def test_whole_columns_are_written_as_rows_are(store):
    rows = one_value("a", "s", 2.5)
    write_stack(store, "s", [cell_row("a", "s")], rows)
    by_rows = content(store, "metrics")
    columns = {name: [row[name] for row in rows] for name in TABLES["metrics"].names}
    store.write_columns("metrics", "s", columns)
    pd.testing.assert_frame_equal(content(store, "metrics"), by_rows)


def test_what_is_no_number_is_null(store):
    rows = [
        row("history", epoch=1, loss=math.nan, seconds=np.float64("nan"), ridge=0.0),
        row("history", epoch=2, loss=math.inf),
    ]
    write_stack(store, "s", [cell_row("c", "s")], history=rows)
    part = pq.read_table(store.folder / "history" / "part-s.parquet")
    assert part["loss"].to_pylist() == [None, math.inf]
    assert part["seconds"].null_count == 2
    assert part["ridge"].to_pylist() == [0.0, None]
    assert part["epoch"].to_pylist() == [1, 2]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e308])
def test_a_measure_that_overflowed_has_no_value(store, value):
    write_stack(store, "s", [cell_row("c", "s")], one_value("c", "s", value))
    assert content(store, "metrics")["value"].isna().tolist() == [True]


def test_parts_are_plain_parquet_for_any_tool(store):
    for stack, value in (("s", 1.0), ("t", 2.0)):
        write_stack(
            store, stack, [cell_row("c" + stack, stack)], one_value("c", stack, value)
        )
    frame = pd.read_parquet(store.folder / "metrics")
    assert sorted(frame["value"]) == [1, 2]
    assert list(frame.columns) == TABLES["metrics"].names
    assert len(pd.read_parquet(store.folder / "cells")) == 2


def test_a_folder_may_be_named_like_a_partition(tmp_path):
    store = Store(tmp_path / "seed=3,epoch=4")
    write_stack(store, "s", [cell_row("c", "s", seed=1)])
    assert list(store.cells().columns) == TABLES["cells"].names
    assert store.cells()["seed"][0] == 1


def test_every_part_carries_the_format(store):
    write_stack(store, "s", [cell_row("c", "s")])
    for path in store.folder.rglob("*.parquet"):
        metadata = pq.read_schema(path).metadata
        assert metadata[b"cftrain_format"] == schemas.FORMAT.encode()


def test_a_stack_without_its_cells_is_invisible(store):
    write_stack(store, "s", [cell_row("a", "s")], one_value("a", "s", 1.0))
    store.write("metrics", "t", one_value("b", "t", 2.0))
    store.write("history", "t", [row("history", cell="b", stack="t", epoch=1)])
    store.write("evaluations", "t", [evaluation_row("b", "t")])
    assert done(store.cells()) == {"a"}
    assert values(store) == {"a": [1.0]}
    assert content(store, "history").empty


def test_an_evaluation_without_its_marker_is_invisible(store):
    write_stack(store, "s", [cell_row("a", "s")], one_value("a", "s", 1.0))
    (store.folder / "evaluations" / "part-s.parquet").unlink()
    assert done(store.cells()) == {"a"}
    assert done(store.evaluations()) == set()
    assert values(store) == {}


def test_cells_that_a_stack_does_not_list_are_invisible(store):
    rows = [*one_value("a", "s", 1.0), *one_value("stray", "s", 2.0)]
    write_stack(store, "s", [cell_row("a", "s")], rows)
    assert values(store) == {"a": [1.0]}


def test_only_cells_that_are_done_are_done(store):
    cells = [cell_row("a", "s"), cell_row("b", "s", status="failed", reason="x")]
    store.write("cells", "s", cells)
    assert done(store.cells()) == {"a"}
    assert failed(store.cells()) == {"b": "x"}
    assert set(store.cells()["cell"]) == {"a", "b"}


def test_a_cell_has_the_numbers_of_all_its_protocols(store):
    write_stack(store, "s", [cell_row("a", "s")], one_value("a", "s", 1.0))
    rows = metric_rows("a", "t", "ip", {(0.1, 0): 2.0}, protocol="other")
    store.write("metrics", "t", rows)
    store.write("evaluations", "t", [evaluation_row("a", "t", protocol="other")])
    metrics = content(store, "metrics").set_index("protocol")["value"]
    assert metrics.to_dict() == {"q": 1.0, "other": 2.0}


def test_of_a_repeated_evaluation_the_newest_counts(store):
    write_stack(store, "s", [cell_row("a", "s", age=2)], one_value("a", "s", 1.0))
    store.write("metrics", "t", one_value("a", "t", 2.0))
    store.write("evaluations", "t", [evaluation_row("a", "t", age=1)])
    assert values(store) == {"a": [2.0]}


def test_what_was_measured_on_weights_that_are_gone_does_not_count(store):
    write_stack(store, "s", [cell_row("a", "s", age=2)], one_value("a", "s", 1.0))
    store.write("history", "t", [])
    store.write("cells", "t", [cell_row("a", "t", age=1, weights_sha256="other")])
    assert done(store.evaluations()) == set()
    assert values(store) == {}
    assert content(store, "history").empty


def weights(store: Store, cell: str) -> str:
    """A file of weights; its digest."""
    path = weights_path(store.folder, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cell.encode())
    return str(weights_digest(store.folder, cell))


@pytest.mark.parametrize("age", [-1, 1])
def test_the_training_whose_weights_are_here_counts_whatever_the_clock(store, age):
    digest = weights(store, "a")
    gone = cell_row("a", "s", weights_sha256="gone")
    here = cell_row("a", "t", age=age, weights_sha256=digest)
    store.write("cells", "s", [gone])
    store.write("cells", "t", [here])
    assert list(store.cells()["stack"]) == ["t"]


@pytest.mark.parametrize("age", [-1, 1])
def test_a_repeated_training_that_succeeds_counts_whatever_the_clock(store, age):
    """As after retry=failed; also of cells that diverged and left weights."""
    for before in (None, "diverged"):
        lost = {"status": "failed", "reason": "x", "weights_sha256": before}
        store.write("cells", "s", [cell_row("a", "s", **lost)])
        digest = weights(store, "a")
        store.write("cells", "t", [cell_row("a", "t", age=age, weights_sha256=digest)])
        assert done(store.cells()) == {"a"}
    lost = {"status": "failed", "reason": "x", "weights_sha256": digest}
    store.write("cells", "u", [cell_row("a", "u", age=age, **lost)])
    store.write("cells", "t", [cell_row("a", "t", weights_sha256="gone")])
    assert failed(store.cells()) == {"a": "x"}


@pytest.mark.parametrize("age", [-1, 1])
def test_an_evaluation_of_the_weights_counts_whatever_the_clock(store, age):
    store.write("cells", "s", [cell_row("a", "s", weights_sha256="one")])
    evaluation = evaluation_row("a", "s", age=age, weights_sha256="one")
    store.write("evaluations", "s", [evaluation])
    assert done(store.evaluations()) == {"a"}
    lost = evaluation_row("a", "t", status="failed", reason="x", weights_sha256="one")
    store.write("evaluations", "t", [lost])
    assert done(store.evaluations()) == {"a"}
    store.write("cells", "s", [cell_row("a", "s", weights_sha256="other")])
    assert store.evaluations().empty


@pytest.mark.parametrize("age", [-1, 1])
def test_an_evaluation_with_pictures_counts_whatever_the_clock(store, age):
    store.write("cells", "s", [cell_row("a", "s")])
    store.write("evaluations", "s", [evaluation_row("a", "s")])
    shown = evaluation_row("a", "t", age=age, pictures="p")
    store.write("evaluations", "t", [shown])
    assert list(store.evaluations()["stack"]) == ["t"]


def test_some_columns_are_those_of_the_whole_table(store):
    write_stack(store, "s", [cell_row("a", "s")], one_value("a", "s", 1.0))
    for read in (store.cells, store.evaluations):
        names = ["status", "stack"]
        pd.testing.assert_frame_equal(read(names), read()[names])


def test_protocols_come_by_their_ids_the_oldest_first(store):
    for name, day in (("young", 3), ("old", 1), ("between", 2)):
        created = START + timedelta(days=day)
        rows = [{"protocol": name, "config": f'"{name}"', "created": created}]
        store.write("protocols", name, rows)
    assert list(store.protocols().items()) == [
        ("old", '"old"'),
        ("between", '"between"'),
        ("young", '"young"'),
    ]


@pytest.mark.parametrize("order", [("s", "t"), ("t", "s")])
def test_of_a_repeated_cell_the_newest_counts_in_all_tables(store, order):
    """Whatever the order of writing and the names of the files."""
    newest = {"s": 1, "t": 0}
    for stack in order:
        write_stack(
            store,
            stack,
            [cell_row("twice", stack, age=newest[stack]), cell_row(stack, stack)],
            [
                *one_value("twice", stack, float(ord(stack))),
                *one_value(stack, stack, 0.0),
            ],
            [row("history", cell="twice", stack=stack, epoch=1, loss=newest[stack])],
            [row("gallery", cell="twice", stack=stack, factual=newest[stack])],
        )
    assert values(store) == {"twice": [float(ord("t"))], "s": [0.0], "t": [0.0]}
    assert list(content(store, "history")["loss"]) == [0]
    assert list(content(store, "gallery")["factual"]) == [0]
    cells = store.cells().set_index("cell")
    assert cells.loc["twice", "stack"] == "t"
    assert sorted(cells.index) == ["s", "t", "twice"]


def test_a_repeated_stack_replaces_its_parts(store):
    for value, age in ((1.0, 1), (2.0, 0)):
        write_stack(
            store, "s", [cell_row("a", "s", age=age)], one_value("a", "s", value)
        )
    assert values(store) == {"a": [2.0]}
    assert store.cells()["created"][0] == START
    assert len(list(store.folder.rglob("*.parquet"))) == 4


def disk_full(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content[:9])
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("table", TABLES)
def test_a_full_disk_leaves_the_older_part(store, table, monkeypatch):
    cells = [cell_row("a", "s")]
    gallery = [row("gallery", cell="a", stack="s", factual=1)]
    write_stack(store, "s", cells, one_value("a", "s", 1.0), gallery=gallery)
    before = files(store.folder)
    monkeypatch.setattr(Path, "write_bytes", disk_full)
    with pytest.raises(ResultError, match="No space left on device") as caught:
        store.write(table, "s", [])
    path = store.folder / table / "part-s.parquet"
    assert str(caught.value).startswith(f"{path}: could not be written: ")
    assert files(store.folder) == before
    assert values(store) == {"a": [1.0]}


def test_a_part_is_renamed_into_its_place(store, monkeypatch):
    """A reader sees the old file or the new one and never a part of one."""
    seen = []
    write = Path.write_bytes

    def spy(path, content):
        seen.append(path)
        write(path, content)
        assert not (store.folder / "cells" / "part-s.parquet").exists()
        assert store.cells().empty

    monkeypatch.setattr(Path, "write_bytes", spy)
    store.write("cells", "s", [cell_row("a", "s")])
    assert seen[0].parent == store.folder / "cells"
    assert not seen[0].exists()
    assert list(files(store.folder)) == ["cells/part-s.parquet"]


def test_writing_below_a_file_is_an_error_with_the_path(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match=r"file/cells/part-s\.parquet: could not be"):
        Store(tmp_path / "file").write("cells", "s", [])


def test_rows_that_do_not_fit_the_schema_leave_nothing(store):
    with pytest.raises(ResultError):
        store.write("cells", "s", [cell_row("a", "s", seed=2**63)])


def test_a_folder_without_permission_is_an_error(store, nobody):
    with nobody, pytest.raises(ResultError, match=r"could not be written: .*denied"):
        store.write("cells", "s", [])


@pytest.fixture
def nobody(tmp_path) -> AbstractContextManager[None]:
    """No right to write to the folder: nothing is forbidden to root, so not as root."""

    @contextmanager
    def dropped() -> Iterator[None]:
        tmp_path.chmod(0o500)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)
            tmp_path.chmod(0o700)

    return dropped()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_a_damaged_part_is_an_error_with_its_path(store, table, damage):
    write_stack(store, "s", [cell_row("a", "s")])
    store.write(table, "s", [row(table, **{next(iter(TABLES[table].names)): "a"})])
    path = store.folder / table / "part-s.parquet"
    whole = path.read_bytes()
    path.write_bytes(
        {"truncated": whole[: len(whole) // 2], "text": b"a,b\n", "empty": b""}[damage]
    )
    with pytest.raises(ResultError) as caught:
        store._read(table)
    message = str(caught.value)
    assert message.startswith(
        f"{store.folder}: expected whole files of results, got damaged ones: {path}; "
    )
    assert "sets them aside" in message


@pytest.mark.parametrize("metadata", [{"cftrain_format": "0"}, {}])
def test_a_part_of_another_format_is_an_error_with_its_path(store, metadata):
    path = store.folder / "cells" / "part-s.parquet"
    path.parent.mkdir(parents=True)
    table = TABLES["cells"].empty_table().replace_schema_metadata(metadata)
    pq.write_table(table, path)
    found = metadata.get("cftrain_format", "none")
    with pytest.raises(ResultError) as caught:
        store.cells()
    assert str(caught.value).startswith(
        f"{path}: expected results of format {schemas.FORMAT}, got format {found}"
    )


def test_a_part_with_other_columns_is_an_error_with_its_path(store):
    path = store.folder / "cells" / "part-s.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(TABLES["cells"].empty_table().drop_columns(["seed"]), path)
    with pytest.raises(ResultError, match=f"{path}: expected results of format"):
        store.cells()


def test_other_files_are_let_be(store):
    write_stack(store, "s", [cell_row("a", "s")])
    (store.folder / "cells" / ".part-t.parquet.123").write_bytes(b"half")
    (store.folder / "cells" / "notes.txt").write_text("mine")
    assert done(store.cells()) == {"a"}


def test_times_are_kept_to_the_microsecond(store):
    made = START + timedelta(microseconds=123_456)
    store.write("cells", "s", [cell_row("a", "s", created=made)])
    assert store.cells()["created"][0] == made


def test_reading_needs_no_torch(store):
    write_stack(store, "s", [cell_row("a", "s")])
    code = (
        "import sys; from pathlib import Path\n"
        "from cftrain.results.store import Store, done\n"
        f"assert done(Store(Path({str(store.folder)!r})).cells()) == {{'a'}}\n"
        "assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
