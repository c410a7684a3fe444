"""Bars on terminals, lines elsewhere, and both in the log."""

import io
import sys

import pytest
import torch

from cftrain.commands.command_line import progress
from cftrain.commands.command_line.progress import Progress
from cftrain.commands.command_line.recording import Recording, recording
from cftrain.results.log import Log
from cftrain.training.history import COLUMNS, EpochRecord


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(**values: float) -> EpochRecord:
    """Of two cells; the first one has the values."""
    given = {**dict.fromkeys(COLUMNS, 0.25), **values}
    return EpochRecord(**{name: torch.tensor([v, 9.0]) for name, v in given.items()})


@pytest.fixture
def log(tmp_path) -> Log:
    return Log(tmp_path)


def said(log: Log) -> list[str]:
    """The lines of the log, without their times."""
    return [
        line.split(" ", 2)[2]
        for line in (log.folder / "log.txt").read_text().split("\n")[:-1]
    ]


def begun(log: Log, terminal: io.StringIO) -> Recording:
    found = Recording(log, terminal)
    found.begin("train", ["data=moons"])
    return found


def test_a_bar_fits_80_columns_with_the_validation_accuracy_first(log, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    terminal = Terminal()
    with Progress("train CT and BL", "epoch", begun(log, terminal)) as bar:
        bar.epoch(1234, 10000, record(validation_accuracy=0.98765, loss=-1.2345e-05))
        bar._bar.refresh()
    frames = terminal.getvalue().split("\r")
    assert all(len(frame.rstrip("\n")) <= 80 for frame in frames)
    assert "train CT and BL  12%|" in frames[-1]
    assert "1234/10000" in frames[-1]
    assert "val 0.988 loss -1.23e-05 mature 0.25" in frames[-1]


def test_a_narrow_terminal_gets_a_narrow_bar(log, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    terminal = Terminal()
    with Progress("evaluate BL", "part", begun(log, terminal)) as bar:
        bar.update(3, 4)
    assert all(len(x.rstrip("\n")) < 50 for x in terminal.getvalue().split("\r"))


def test_what_a_model_has_not_is_not_told(log):
    terminal = Terminal()
    with Progress("train BL", "epoch", begun(log, terminal)) as bar:
        bar.epoch(1, 1, record(mature_share=float("nan")))
    assert "mature" not in terminal.getvalue()


def test_the_log_has_a_line_every_tenth(log):
    with Progress("train CT", "epoch", begun(log, io.StringIO())) as bar:
        for epoch in range(1, 41):
            bar.epoch(epoch, 40, record())
    lines = said(log)
    assert lines[0] == "$ cftrain train data=moons"
    assert len(lines) == 1 + 10
    assert lines[1].startswith("train CT: epoch 4 of 40, val 0.25 loss 0.25 mature")
    assert lines[-1].startswith("train CT: epoch 40 of 40, ")


@pytest.mark.parametrize(("seconds", "printed"), [(2.0, 3), (6.0, 10), (0.1, 0)])
def test_without_a_terminal_there_are_lines_but_not_too_many(
    log, monkeypatch, seconds, printed
):
    """Of ten tenths that take so many seconds each: every third after 6 s, or all."""
    clock = iter(range(100))
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds * next(clock))
    monkeypatch.setattr(progress, "QUIET_SECONDS", 5.0)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with (
        recording(log) as found,
        Progress("evaluate CT", "part", found) as bar,
    ):
        found.begin("train", [])
        for part in range(1, 11):
            bar.update(part, 10)
    lines = stream.getvalue().splitlines()
    assert len(lines) == printed
    assert all(line.startswith("evaluate CT: part ") for line in lines)
    assert len(said(log)) == 11, "printed ones are logged once"


def test_work_that_begins_anew_has_a_new_bar(log):
    terminal = Terminal()
    with Progress("evaluate CT and BL", "part", begun(log, terminal)) as bar:
        bar.update(5, 11)
        bar.update(1, 6)
        bar.update(6, 6)
    assert "6/6" in terminal.getvalue()
