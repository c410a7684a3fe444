import hashlib
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cftrain.data import sources
from cftrain.data.tables.parquet import read_parquet
from cftrain.errors import DataError

SCHEMA = pa.schema([("value", pa.float64()), ("label", pa.int64())])
TABLE = pa.table([[0.5, 1.5, 2.5], [0, 1, 0]], schema=SCHEMA)


def read(path: Path) -> pa.Table:
    return read_parquet(sources.read_file(path), SCHEMA)


@pytest.fixture
def path(tmp_path) -> Path:
    pq.write_table(TABLE, tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


def test_the_columns_of_the_schema_are_read(path):
    assert read(path).equals(TABLE)


def test_further_columns_and_their_order_do_not_matter(path):
    more = TABLE.append_column("more", pa.array(["a", "b", "c"])).select([2, 1, 0])
    pq.write_table(more, path)
    assert read(path).equals(TABLE)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (TABLE.drop(["label"]), "label"),
        (TABLE.rename_columns(["Value", "label"]), "value"),
        (
            TABLE.cast(pa.schema([("value", pa.float64()), ("label", pa.int32())])),
            "label",
        ),
        (
            TABLE.cast(pa.schema([("value", pa.string()), ("label", pa.int64())])),
            "value",
        ),
    ],
)
def test_other_columns_are_refused(path, table, column):
    pq.write_table(table, path)
    with pytest.raises(
        DataError, match=f"table.parquet: expected column '{column}' of type"
    ):
        read(path)


def damaged(content: bytes) -> list[bytes]:
    middle = len(content) // 2
    return [
        b"",
        b"PAR1",
        b"a text, no table\n" * 20,
        content[:middle],
        content[:-1],
        content[8:],
        content[:4] + bytes(len(content) - 8) + content[-4:],
    ]


@pytest.mark.parametrize("number", range(7))
def test_damaged_files_are_refused(path, number):
    path.write_bytes(damaged(path.read_bytes())[number])
    with pytest.raises(DataError, match="expected a readable Parquet file, got"):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.*: expected a readable file, got"):
        read(tmp_path / "nowhere.parquet")


def test_the_root_comes_before_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "cache", lambda: Path("/the/cache"))
    assert sources.folders(None) == (Path("/the/cache"),)
    assert sources.folders(str(tmp_path)) == (tmp_path, Path("/the/cache"))


@pytest.mark.parametrize("name", ["nowhere", "a_file"])
def test_a_root_that_is_no_folder_is_refused(tmp_path, name):
    (tmp_path / "a_file").write_text("")
    with pytest.raises(
        DataError, match=f"data.root .*: expected a folder, got.*{name}"
    ):
        sources.folders(str(tmp_path / name))


def test_tables_are_kept_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "cache", lambda: tmp_path / "new" / "cache")
    sources.keep(TABLE, "kept.parquet")
    assert [p.name for p in sources.cache().iterdir()] == ["kept.parquet"]
    assert read(sources.cache() / "kept.parquet").equals(TABLE)


def test_the_checksum_is_that_of_the_bytes():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    labels = np.array([1, 2, 3], dtype=np.int32)
    expected = hashlib.sha256(
        bytes(range(12)) + b"".join(label.to_bytes(8, "little") for label in (1, 2, 3))
    )
    assert sources.checksum(values, labels) == expected.hexdigest()
    folded = np.asfortranarray(values)
    assert sources.checksum(folded, labels.astype(np.int64)) == expected.hexdigest()
    assert sources.checksum(values, labels[::-1]) != expected.hexdigest()


def test_work_that_ends_in_time_gives_its_result():
    assert sources.with_deadline(lambda: 7, 5.0) == 7


@pytest.mark.parametrize(
    "error", [OSError("no route"), ValueError("odd"), TimeoutError()]
)
def test_work_that_fails_is_unavailable_with_the_reason(error):
    def work() -> None:
        raise error

    with pytest.raises(sources.Unavailable, match=f"{type(error).__name__}: {error}"):
        sources.with_deadline(work, 5.0)


@pytest.mark.parametrize("watched", [False, True])
def test_work_that_hangs_is_given_up_at_the_deadline(tmp_path, watched):
    released = threading.Event()
    start = time.monotonic()
    with pytest.raises(sources.Unavailable, match=r"no answer within 0\.4 s"):
        sources.with_deadline(
            lambda: released.wait(30), 0.4, watched=tmp_path if watched else None
        )
    assert time.monotonic() - start < 3
    released.set()


def test_a_host_that_swallows_packets_is_given_up(monkeypatch):
    released = threading.Event()

    def swallow(*arguments, **options):
        released.wait(30)

    monkeypatch.setattr(socket, "create_connection", swallow)
    monkeypatch.setattr(sources, "_fetch", None)
    start = time.monotonic()
    with pytest.raises(sources.Unavailable, match="no answer within"):
        sources.fetch_openml(554, 1, timeout_seconds=0.4)
    assert time.monotonic() - start < 3
    released.set()


def test_a_download_that_hangs_is_given_up(monkeypatch, capsys):
    released = threading.Event()

    class Connection:
        def close(self) -> None:
            pass

    monkeypatch.setattr(socket, "create_connection", lambda *a, **o: Connection())
    monkeypatch.setattr(sources, "_fetch", lambda *a, **o: released.wait(30))
    monkeypatch.setattr(sources, "DOWNLOAD_LIMIT_SECONDS", 0.4)
    start = time.monotonic()
    with pytest.raises(sources.Unavailable, match="no answer within"):
        sources.fetch_openml(554, 1, timeout_seconds=0.2)
    assert time.monotonic() - start < 3
    released.set()
