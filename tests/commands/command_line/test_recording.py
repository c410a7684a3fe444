"""What is said is logged once there is something to do."""

import io
import os
import sys

import pytest

from cftrain.commands.command_line.recording import recording
from cftrain.errors import warn
from cftrain.results.log import FILE, Log


def logged(log: Log) -> list[str]:
    lines = (log.folder / FILE).read_text().splitlines()
    return [line.partition(" ")[2].partition(" ")[2] for line in lines]


def test_lines_of_both_streams_are_logged_below_the_command(tmp_path, capsys):
    log = Log(tmp_path)
    with recording(log) as said:
        print("before")
        said.begin("train", ["name=a b"])
        warn("careful")
        print("two\nlines", end="")
        print(" and more")
    print("afterwards")
    assert logged(log) == [
        "$ cftrain train 'name=a b'",
        "before",
        "cftrain: warning: careful",
        "two",
        "lines and more",
    ]
    shown = capsys.readouterr()
    assert shown.out == "before\ntwo\nlines and more\nafterwards\n"
    assert shown.err == "cftrain: warning: careful\n"


def test_where_nothing_begins_there_is_no_log(tmp_path):
    with recording(Log(tmp_path)):
        print("done already")
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_the_last_line_and_goes_on(tmp_path):
    log = Log(tmp_path)
    before = sys.stdout

    def interrupted() -> None:
        with recording(log) as said:
            said.begin("train", [])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert logged(log)[-1] == "ended by KeyboardInterrupt:"
    assert sys.stdout is before


def test_streams_are_what_they_were(tmp_path, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with recording(Log(tmp_path)):
        assert not sys.stdout.isatty()
        assert sys.stdout is not stream
    assert sys.stdout is stream


def test_a_second_command_is_added(tmp_path):
    for word in ("seed=1", "seed=2"):
        with recording(Log(tmp_path)) as said:
            said.begin("train", [word])
    assert logged(Log(tmp_path)) == ["$ cftrain train seed=1", "$ cftrain train seed=2"]


def test_a_link_is_not_followed_and_a_pipe_not_waited_for(tmp_path):
    """The folder may come from others."""
    elsewhere = tmp_path / "elsewhere"
    for name, made in (
        ("link", lambda path: path.symlink_to(elsewhere)),
        ("pipe", os.mkfifo),
        ("folder", os.mkdir),
    ):
        (tmp_path / name).mkdir()
        made(tmp_path / name / FILE)
        Log(tmp_path / name).write("a line")
    assert not elsewhere.exists()


def test_a_folder_that_is_not_there_does_no_harm(tmp_path):
    Log(tmp_path / "nosuch").write("a line")
