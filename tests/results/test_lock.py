import errno
import fcntl
import json
import os
import signal
import subprocess
import sys

import pytest

from cftrain.errors import ResultError
from cftrain.results import writing
from cftrain.results.lock import FILE, at_work
from cftrain.results.writing import replacing
from tests.console import ROOT, in_time

HOLDER = """
import sys, time
from pathlib import Path
from cftrain.results.lock import at_work
with at_work(Path(sys.argv[1]), "cftrain grid"):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is at work in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"at work\n"
        yield process
        process.kill()


def work(folder) -> None:
    with at_work(folder, "cftrain train"):
        pass


def test_the_second_command_is_told_who_is_at_work(holder, tmp_path):
    with pytest.raises(ResultError) as refused:
        work(tmp_path / "run")
    message = str(refused.value)
    assert message.startswith(f"{tmp_path}/run: cftrain grid of ")
    assert "is at work in this folder since 20" in message
    assert f"(pid {holder.pid}, host " in message


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_ends_with_its_process(holder, tmp_path, ending):
    holder.send_signal(ending)
    holder.wait(timeout=10)
    assert (tmp_path / "run" / FILE).read_text()  # what the dead one has told
    work(tmp_path / "run")


def test_the_file_tells_who_and_stays_when_the_work_is_done(tmp_path):
    with at_work(tmp_path / "deep" / "run", "cftrain train"):
        told = json.loads((tmp_path / "deep" / "run" / FILE).read_text())
    assert told["command"] == "cftrain train"
    assert told["pid"] == os.getpid()
    assert (tmp_path / "deep" / "run" / FILE).read_text() == ""
    work(tmp_path / "deep" / "run")


def test_what_a_killed_command_left_half_written_goes(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with replacing(tmp_path / "cells" / "part-a.parquet") as partial:
        name = partial.name.replace(f"~{os.getpid()}~", f"~{dead.pid}~")
    leftover = tmp_path / "cells" / name
    leftover.write_bytes(b"half")
    work(tmp_path)
    assert not leftover.exists()


def test_a_failure_ends_the_lock_too(tmp_path):
    with pytest.raises(ZeroDivisionError), at_work(tmp_path, "cftrain train"):
        raise ZeroDivisionError
    assert (tmp_path / FILE).read_text() == ""
    work(tmp_path)


def test_two_commands_of_one_process_exclude_each_other(tmp_path):
    with at_work(tmp_path, "cftrain train"), pytest.raises(ResultError, match="train"):
        work(tmp_path)


def test_a_process_started_meanwhile_does_not_keep_the_lock(tmp_path):
    with at_work(tmp_path, "cftrain train"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    with child:
        work(tmp_path)
        child.kill()


def test_a_file_system_without_locks_is_told_once(tmp_path, monkeypatch, capsys):
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    work(tmp_path)
    assert capsys.readouterr().err.count("no locks") == 1


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ResultError, match="expected a folder that can be written"):
        work(tmp_path / "file")


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / FILE).symlink_to(tmp_path / "mine")
    with pytest.raises(ResultError):
        work(tmp_path)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_lock_that_is_another_file_as_well_is_not_written_to(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "run" / FILE).hardlink_to(tmp_path / "precious")
    with (
        pytest.raises(ResultError, match="got a hard link to another"),
        at_work(tmp_path / "run", "cftrain train"),
    ):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_lock_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / FILE)
    with in_time(), pytest.raises(ResultError, match="or no file"):
        work(tmp_path)


def test_an_exported_model_is_left_as_it_is(tmp_path):
    for name in ("manifest.json", "model.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ResultError, match="folder of results, got an exported model"):
        work(tmp_path)
    assert not (tmp_path / FILE).exists()
    (tmp_path / "model.json").unlink()  # anybody may have a manifest.json
    work(tmp_path)


def test_names_that_no_writer_gives_are_no_error_of_ours(tmp_path):
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / ".merged").write_text("")
    process = 10**30
    mine = writing._temporary(tmp_path / "x").name
    other = tmp_path / mine.replace(f"~{os.getpid()}~", f"~{process}~")
    other.write_text("")
    with at_work(tmp_path, "cftrain train"):
        assert not other.exists()
