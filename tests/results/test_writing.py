import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from cftrain.errors import ResultError
from cftrain.results import writing
from cftrain.results.writing import (
    folder_whole,
    remove_leftovers,
    replacing,
    written_whole,
)


def test_the_file_is_there_at_the_end_only(tmp_path):
    path = tmp_path / "deep" / "table.parquet"
    with replacing(path) as partial:
        partial.write_text("new")
        assert partial.suffix == ".parquet"
        assert partial.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def interrupted(path: Path) -> None:
    with replacing(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt


def test_the_first_error_is_the_one_that_is_raised(tmp_path):
    below_a_file = tmp_path / "file" / "table.csv"
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"), replacing(below_a_file):
        pass


def test_the_mode_is_the_usual_one_whatever_the_writer_does(tmp_path):
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "weights.safetensors") as partial:
            safetensors.numpy.save_file({"weight": np.zeros(2)}, partial)
        with replacing(tmp_path / "private.txt") as partial:
            partial.unlink()
            partial.touch(0o600)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {0o640}


def test_a_temporary_name_is_never_the_same_and_tells_whose_it_is(tmp_path):
    names = set()
    for _ in range(3):
        with replacing(tmp_path / "table.csv") as partial:
            names.add(partial.name)
    assert len(names) == 3
    assert all(f"~{os.getpid()}~" in name for name in names)
    assert all(f"~{writing._host()}~" in name for name in names)


def test_a_link_with_the_temporary_name_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr(writing.secrets, "token_hex", lambda count: "known")
    planted = writing._temporary(tmp_path / "table.csv")
    planted.symlink_to(tmp_path / "mine")
    with pytest.raises(FileExistsError), replacing(tmp_path / "table.csv"):
        pytest.fail("the link was taken for a new file")
    assert (tmp_path / "mine").read_text() == "mine"


def test_file_and_folder_are_flushed_in_the_order_that_keeps_them(
    tmp_path, monkeypatch
):
    path, order = tmp_path / "table.csv", []
    flush = writing._flush

    def noted(flushed: Path) -> None:
        order.append((flushed.is_dir(), path.exists()))
        flush(flushed)

    monkeypatch.setattr(writing, "_flush", noted)
    with replacing(path) as partial:
        partial.write_text("new")
    assert order == [(False, False), (True, True)]


class WriterError(Exception):
    pass


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), WriterError("No space left")]
)
def test_what_the_disk_does_not_take_is_a_result_error(tmp_path, error):
    path = tmp_path / "table.csv"
    with (
        pytest.raises(ResultError, match=r"\.csv: could not be written: .*No sp"),
        written_whole(path, WriterError),
    ):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_other_errors_are_left_as_they_are(tmp_path):
    with pytest.raises(WriterError), written_whole(tmp_path / "table.csv"):
        raise WriterError


def test_leftovers_of_dead_processes_of_this_host_go(tmp_path):
    child = subprocess.Popen(["true"])
    child.wait()
    host = writing._host()
    names = {
        f".a~{host}~{child.pid}~0f.csv": False,
        f".b~{host}~{os.getpid()}~0f.csv": True,
        f".c~else{host}~{child.pid}~0f.csv": True,
        f".d-{child.pid}.csv": True,
        f"e~{host}~{child.pid}~0f.csv": True,
    }
    for name in names:
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "deep" / name).touch()
    assert remove_leftovers(tmp_path) == 1
    left = {path.name for path in (tmp_path / "deep").iterdir()}
    assert left == {name for name, stays in names.items() if stays}
    assert remove_leftovers(tmp_path / "nowhere") == 0


def test_a_folder_is_there_whole(tmp_path):
    target = tmp_path / "a" / "target"
    with folder_whole(target) as partial:
        assert not target.exists()
        (partial / "deep").mkdir()
        (partial / "deep" / "file").write_text("x")
    assert (target / "deep" / "file").read_text() == "x"
    assert list(target.parent.iterdir()) == [target]


def half_filled(folder: Path, error: type[BaseException]) -> None:
    with folder_whole(folder) as partial:
        (partial / "file").write_text("mine")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_a_folder_that_fails_is_not_there(error, tmp_path):
    expected = ResultError if error is OSError else error
    with pytest.raises(expected):
        half_filled(tmp_path / "target", error)
    assert list(tmp_path.iterdir()) == []


def filled_by_two(target: Path) -> None:
    with folder_whole(target) as partial:
        (partial / "file").write_text("mine")
        (target / "file").write_text("theirs")


def test_a_folder_in_use_is_refused_also_if_it_was_empty_before(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(ResultError, match="could not be written"):
        filled_by_two(target)
    assert (target / "file").read_text() == "theirs"
    with pytest.raises(ResultError, match="expected a new or an empty"):
        folder_whole(target).__enter__()
    assert list(tmp_path.iterdir()) == [target]


def test_folders_of_dead_processes_go(tmp_path):
    """Those of others, and of processes that live, stay."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = f".target~{writing._host()}~{{}}~00"
    left = tmp_path / name.format(dead.pid)
    alive, other = tmp_path / name.format(os.getpid()), tmp_path / ".x~y~1~2"
    for folder in (left, alive, other):
        folder.mkdir()
    with folder_whole(tmp_path / "target"):
        pass
    assert set(tmp_path.iterdir()) == {alive, other, tmp_path / "target"}


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with (
            pytest.raises(ResultError, match="expected a file or nothing there"),
            written_whole(tmp_path / name) as partial,
        ):
            partial.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["null", "pipe"]
    assert (tmp_path / "pipe").is_fifo()
