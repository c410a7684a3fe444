"""Folders of results that somebody sent: nothing is written outside, nothing hangs, and
what is damaged is told in one line.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.torch
import torch

from cftrain.results.parts.parquet import write_parquet
from cftrain.results.schema import TABLES
from cftrain.training.checkpoint import FORMAT
from tests.console import TINY_MOONS, call, files, in_time

ONE_TABLE = "one table"
COMMANDS: dict[str, tuple[str, ...]] = {
    "status": (),
    "verify": ("sample=1",),
    "transfer": ("rounds=1",),
    "tables": (),
    ONE_TABLE: ("table=accuracy",),
    "evaluate": ("evaluation.rounds=1", "workers=1"),
}
PATHS = ("cell", "stack", "pair", "protocol")
ELSEWHERE = "../../../../canary/x"
DEEP = "[" * 100_000


def quick(values: Sequence[Any], always: Sequence[Any]) -> list[Any]:
    """Parameters of which only some are tried in every run of the tests."""
    return [
        value
        if value in always
        else pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=pytest.mark.torture,
        )
        for value in values
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Two seeds of a model and of its baseline, evaluated."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    words = ("grid=single", "+grid.axes.seed=[1,2]", "workers=1")
    outcome = call("grid", *TINY_MOONS, *words, f"hydra.run.dir={folder}")
    assert outcome.code == 0, outcome
    return folder


@pytest.fixture
def sent(trained, tmp_path) -> Path:
    """A copy that may be changed, beside a canary that may not."""
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary" / "x").write_text("mine")
    return Path(shutil.copytree(trained, tmp_path / "a" / "b" / "run"))


def parts(folder: Path, table: str) -> list[Path]:
    if table == "points":
        return [folder / "points.parquet"]
    return sorted((folder / table).glob("part-*.parquet"))


def changed(folder: Path, table: str, column: str, value: Any) -> None:
    """Put a value into every row of a column, whatever the type of the column; the
    digest of the file is that of its new content, as whoever sends it can see to.
    """
    for path in parts(folder, table):
        part = pq.read_table(path, partitioning=None)
        place = part.column_names.index(column)
        field = part.schema.field(column)
        values = pa.array([value] * len(part), field.type)
        field = field if value is not None else field.with_nullable(True)
        written = part.set_column(place, field, values)
        metadata = pq_schema(table).metadata
        write_parquet(path, written.replace_schema_metadata(metadata))


def called(command: str, folder: Path) -> str:
    """The message of a command that refuses a folder; fails if it did anything else."""
    canary = folder.parents[2] / "canary"
    before, neighbours = files(canary), set(folder.parents[2].iterdir())
    words = (str(folder), *COMMANDS[command])
    name = "tables" if command == ONE_TABLE else command
    outcome = call(name, *words, cwd=folder.parents[2])
    assert files(canary) == before
    assert set(folder.parents[2].iterdir()) == neighbours
    assert outcome.code in (0, 1, 2), outcome
    assert "an error of cftrain itself" not in outcome.err, outcome.err
    assert "Traceback" not in outcome.err
    return outcome.err if outcome.code else ""


@pytest.mark.parametrize(
    ("command", "column"),
    quick(
        [(command, column) for command in COMMANDS for column in PATHS],
        [("verify", "cell"), ("transfer", "stack"), ("tables", "cell")],
    ),
)
def test_an_id_that_leads_elsewhere_is_refused(command, column, sent):
    for table, schema in TABLES.items():
        if column in schema.names:
            changed(sent, table, column, ELSEWHERE)
    said = called(command, sent)
    assert f"column {column}: expected an id of letters and digits, got" in said


@pytest.mark.parametrize("column", quick(["data", "objective", "generator"], ["data"]))
def test_a_name_that_leads_elsewhere_is_refused(column, sent):
    changed(sent, "cells", column, ELSEWHERE)
    said = called("tables", sent)
    assert f"column {column}: expected a name of letters, digits and plain" in said


@pytest.mark.parametrize(
    "name",
    quick(["weights", "metrics", "checkpoints", "tables"], ["weights"]),
)
def test_a_link_that_leads_out_is_refused(name, sent):
    canary = sent.parents[2] / "canary"
    if (sent / name).is_dir():
        shutil.move(sent / name, canary / name)
        (sent / name).symlink_to(canary / name)
    else:
        (sent / name).symlink_to(canary)
    command = "tables" if name == "tables" else "transfer"
    assert "expected results inside their folder, got a link" in called(command, sent)


@pytest.mark.torture
def test_a_link_inside_is_fine(sent):
    shutil.move(sent / "weights", sent / "kept")
    (sent / "weights").symlink_to("kept")
    assert called("evaluate", sent) == ""


READERS = {"weights": "verify", "metrics": "verify", "cells": "status"}


@pytest.mark.parametrize("place", READERS)
def test_a_pipe_is_told_and_not_waited_for(place, sent):
    for path in sorted((sent / place).glob("*")):
        path.unlink()
        os.mkfifo(path)
    said = called(READERS[place], sent)
    refused = "got something else of that name", "expected whole files of results"
    assert any(words in said for words in refused), said


ENTRIES = (
    *("cells", "history", "weights", "evaluations", "metrics", "individuals"),
    *("protocols", "checkpoints", "points.parquet", "config.yaml", "overrides.yaml"),
    *("log.txt", ".lock", "tables", "figures", "report.html", "transfer"),
)


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ENTRIES)
def test_no_entry_of_a_folder_is_waited_for(name, command, kind, sent):
    path = sent / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with in_time():
        assert "still waiting" not in called(command, sent)


@pytest.mark.parametrize("name", ["x.safetensors", "x.begun"])
def test_a_pipe_among_checkpoints_is_not_waited_for(name, sent):
    (sent / "checkpoints").mkdir()
    os.mkfifo(sent / "checkpoints" / name)
    assert called("evaluate", sent) == ""
    assert not (sent / "checkpoints").exists()


def test_marks_and_checkpoints_that_nobody_wrote_are_no_error_of_ours(sent):
    (sent / "checkpoints").mkdir()
    (sent / "checkpoints" / "x.begun").write_text(DEEP)
    metadata = {"format": FORMAT, "cells": DEEP}
    safetensors.torch.save_file(
        {"history": torch.zeros(1)}, sent / "checkpoints" / "x.safetensors", metadata
    )
    assert called("evaluate", sent) == ""


DAMAGE: dict[str, list[Any]] = {
    "config": [
        "",
        "null",
        "[]",
        "{}",
        DEEP,
        '{"_target_": "run"}',
        '{"_target_": "cftrain.a\\u0000b.C"}',
        '{"_target_": 7}',
    ],
    "coordinates": ["", "null", "[1]", DEEP, '{"seed": {"a": [1]}}'],
    "role": ["", "evil"],
    "seed": [-1, 2**62],
    "status": ["", "evil"],
}


def damages() -> Iterator[tuple[str, str, Any]]:
    for table in ("cells", "protocols", "points", "evaluations", "metrics", "history"):
        schema = pq_schema(table)
        for field in schema:
            values = DAMAGE.get(field.name, [])
            if pa.types.is_string(field.type):
                values = [*values, "", "$x_$", "\x1b[2J\n", "-" * 300]
            if pa.types.is_floating(field.type):
                values = [*values, float("inf"), -1e308]
            if pa.types.is_integer(field.type):
                values = [*values, -1, 0, 2**62]
            for value in [*values, *([None] if field.nullable else [])]:
                yield table, field.name, value


def pq_schema(table: str) -> pa.Schema:
    from cftrain.results.points import POINTS

    return POINTS if table == "points" else TABLES[table]


def name_of_damage(damage: tuple[str, str, Any]) -> str:
    return f"{damage[0]}-{damage[1]}-{str(damage[2])[:12]!r}"


QUICK = [
    each
    for each in damages()
    if each[1] in ("config", "coordinates") and each[2] in ("[]", "[1]", DEEP)
]


@pytest.mark.parametrize("damage", QUICK, ids=name_of_damage)
def test_a_damaged_configuration_is_told(damage, sent):
    changed(sent, *damage)
    command = {"cells": "transfer", "protocols": "transfer"}.get(damage[0], "tables")
    assert "expected a configuration" in called(command, sent)


def harmed() -> Iterator[Any]:
    """Every damage with the commands that are quick, and some with the others."""
    for damage in damages():
        table, column, _ = damage
        commands = ["status", "transfer", ONE_TABLE]
        if column in ("config", "coordinates"):
            commands += ["verify", "evaluate"]
        if table in ("cells", "points"):
            commands.append("tables")
        for command in commands:
            name = f"{command}-{name_of_damage(damage)}"
            yield pytest.param(command, damage, id=name, marks=pytest.mark.torture)


@pytest.mark.parametrize(("command", "damage"), list(harmed()))
def test_a_damaged_column_is_no_error_of_ours(command, damage, sent):
    changed(sent, *damage)
    called(command, sent)


def changed_table(folder: Path) -> None:
    """Other content under the same name: the stored fingerprint is that of another."""
    changed(folder, "cells", "data_identity", "generated:0000")


@pytest.mark.parametrize(
    "command", quick(["verify", "transfer", "evaluate"], ["transfer"])
)
def test_data_that_have_changed_since_are_not_used(command, sent):
    changed_table(sent)
    said = called(command, sent)
    assert "expected the data generated:0000, got generated" in said


def _nan(content: bytes) -> bytes:
    return content[:-4] + b"\xff\xff\xff\x7f"


WEIGHTS: dict[str, Callable[[bytes], bytes]] = {
    "not finite": _nan,
    "truncated": lambda content: content[:-3],
    "empty": lambda content: b"",
    "another type": lambda content: content.replace(b'"F32"', b'"I32"'),
    "another name": lambda content: content.replace(b'"0.bias"', b'"9.bias"'),
    "no codec": lambda content: content.replace(b'"cell"', b'"cill"'),
}


@pytest.mark.parametrize(
    ("command", "damage"),
    quick(
        [
            (each, damage)
            for each in ("transfer", "verify", "evaluate")
            for damage in WEIGHTS
        ],
        [("transfer", "not finite"), ("transfer", "another type")],
    ),
)
def test_damaged_weights_are_told_by_all_who_read_them(command, damage, sent):
    for path in (sent / "weights").iterdir():
        path.write_bytes(WEIGHTS[damage](path.read_bytes()))
    assert "expected" in called(command, sent)


def test_weights_that_are_not_those_of_the_training_are_not_measured(sent):
    """Sound ones: finite, of the right shapes and of the same cell."""
    for path in (sent / "weights").iterdir():
        path.write_bytes(path.read_bytes()[:-4] + b"\0\0\x80\x3f")
    outcome = call("evaluate", str(sent), *COMMANDS["evaluate"])
    assert outcome.code == 1
    assert "expected the file that was written when the cell was" in outcome.err
    assert f"\n0 of 20 cells done: {sent}" in outcome.out


def test_failed_cells_are_exit_code_1(tmp_path):
    words = ("schedule.optimiser.learning_rate=1e308", "compare=none")
    outcome = call("train", *TINY_MOONS, *words, f"hydra.run.dir={tmp_path / 'run'}")
    assert outcome.code == 1
    assert "diverged" in outcome.out + outcome.err


@pytest.mark.torture
def test_a_file_that_unfolds_to_too_much_is_told(sent):
    """A column of one repeated value is a few bytes, whatever its length."""
    path = parts(sent, "metrics")[0]
    schema = TABLES["metrics"]
    rows = 1_000_000
    values = {
        field.name: pa.repeat(pa.scalar("c" if field.type == pa.string() else 1), rows)
        for field in schema
    }
    block = pa.table(values).cast(schema)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(block)
    said = called("tables", sent)
    assert "expected whole files of results, got damaged ones" in said
    assert path.name in said
