"""Ctrl-C and SIGTERM, as a terminal and a cluster send them: to every process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.grids import small
from tests.console import ROOT, TINY_MOONS

ENDLESS = "schedule.epochs=100000"
PATIENCE = 60.0


def start(*arguments: str) -> subprocess.Popen:
    """A command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cftrain", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)


def group(leader: int) -> set[int]:
    """The living processes of a group, from /proc."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group, *_ = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of_group) == leader and state != "Z":
            found.add(int(path.parent.name))
    return found


def interrupted(process: subprocess.Popen, number: int) -> str:
    """What a command says when its whole group gets a signal; nothing of it stays."""
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=PATIENCE)
    wait_for(lambda: not group(process.pid))
    assert process.returncode == 128 + number
    assert said.count("\n") == 1, said
    return said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "interrupted"),
        pytest.param(signal.SIGTERM, "SIGTERM", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, "SIGHUP", marks=pytest.mark.slow),
    ],
)
def test_a_grid_ends_in_good_order(tmp_path, number, said):
    process = start(*small(tmp_path, "workers=2", "stack_width=1", ENDLESS))
    checkpoints = tmp_path / "checkpoints"
    wait_for(lambda: len(list(checkpoints.glob("[!.]*.safetensors"))) > 1)
    assert len(group(process.pid)) >= 3
    message = interrupted(process, number)
    assert message.startswith("cftrain: ")
    assert said in message
    assert "run the same command again to go on" in message
    assert list(checkpoints.glob("[!.]*.safetensors"))


@pytest.mark.slow
def test_a_grid_ends_in_good_order_while_its_workers_start(tmp_path):
    process = start(*small(tmp_path, "workers=2", "stack_width=1", ENDLESS))
    wait_for(lambda: len(group(process.pid)) > 2)
    assert "interrupted" in interrupted(process, signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_training_ends_in_good_order(tmp_path, number):
    process = start("train", *TINY_MOONS, ENDLESS, f"hydra.run.dir={tmp_path}")
    checkpoints = tmp_path / "checkpoints"
    wait_for(lambda: bool(list(checkpoints.glob("[!.]*.safetensors"))))
    assert "run the same command again" in interrupted(process, number)
    assert list(checkpoints.glob("[!.]*.safetensors"))
    assert not list(checkpoints.glob("*.begun")), "nobody has died"


@pytest.mark.slow
def test_nohup_is_respected(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # is inherited
    try:
        process = start("train", *TINY_MOONS, ENDLESS, f"hydra.run.dir={tmp_path}")
    finally:
        signal.signal(signal.SIGHUP, before)
    checkpoints = tmp_path / "checkpoints"
    wait_for(lambda: bool(list(checkpoints.glob("[!.]*.safetensors"))))
    process.send_signal(signal.SIGHUP)
    time.sleep(1.0)
    assert process.poll() is None
    assert "interrupted" in interrupted(process, signal.SIGINT)
