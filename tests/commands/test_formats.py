"""Results of an older format are refused, and it is said how to make them anew."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.results.schema import TABLES
from tests.console import TINY_MOONS, call, files

OLD = {"cftrain_format": "2"}


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    """A folder of format 2: `points.parquet` had a column for each axis."""
    folder = tmp_path_factory.mktemp("old")
    (folder / "cells").mkdir()
    columns = TABLES["cells"].empty_table().drop_columns(["data_identity"])
    table = columns.replace_schema_metadata(OLD)
    pq.write_table(table, folder / "cells" / "part-s.parquet")
    points = pa.table({"point": [0], "role": ["model"], "cell": ["c"], "seed": [1]})
    pq.write_table(points, folder / "points.parquet")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("train", *TINY_MOONS),
        ("grid", *TINY_MOONS, "workers=1"),
        ("status",),
        ("tables",),
        ("evaluate", "evaluation=quick"),
        ("verify",),
        ("transfer",),
    ],
    ids=lambda command: command[0],
)
def test_every_command_refuses_format_2(old, tmp_path, command):
    folder = Path(shutil.copytree(old, tmp_path / "run"))
    before = files(folder)
    name, *words = command
    composed = name in ("train", "grid")
    place = [f"hydra.run.dir={folder}"] if composed else [str(folder)]
    arguments = [*words, *place] if composed else [*place, *words]
    message = call(name, *arguments).message
    assert "format 4, got format 2" in message
    assert "move the folder away and run its command again" in message
    assert before.items() <= files(folder).items()
    assert set(files(folder)) - set(before) <= {".lock"}
