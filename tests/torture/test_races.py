"""Commands that meet in one folder: one works, others are told, and nothing is lost."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.console import ROOT, Outcome, call
from tests.torture.undisturbed import assert_undisturbed, grid

SECOND = {
    "grid": lambda folder: grid(folder),
    "narrower grid": lambda folder: grid(folder, "stack_width=1"),
    "evaluate": lambda folder: ("evaluate", str(folder), "evaluation.individuals=6"),
    "status": lambda folder: ("status", str(folder)),
    "tables": lambda folder: ("tables", str(folder), "table=accuracy"),
    "verify": lambda folder: ("verify", str(folder), "sample=1"),
}
"""What is started while a grid is at work."""

TIMES = 5
"""Each at so many moments; the first is that of the grid's own start."""

LATEST = 6.0
"""Seconds after the grid's start."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    outcome = call(*grid(folder))
    assert outcome.code == 0, outcome.err
    return folder


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cftrain", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=300)
    return Outcome(process.returncode, out, err)


@pytest.mark.torture
@pytest.mark.parametrize("moment", range(TIMES))
@pytest.mark.parametrize("second", SECOND)
def test_two_at_once(second, moment, whole, tmp_path):
    folder = tmp_path / "run"
    first = started(folder, *grid(folder))
    if moment:
        time.sleep(random.Random(f"{second} {moment}").uniform(0.0, LATEST))
    other = started(folder, *SECOND[second](folder))
    outcomes = [ended(other), ended(first)]
    for outcome in outcomes:
        assert outcome.code in (0, 2), outcome
        assert "Traceback" not in outcome.err, outcome
        if outcome.code:
            assert outcome.err.count("cftrain: ") == 1, outcome
    assert 0 in {outcome.code for outcome in outcomes}, outcomes
    again = call(*grid(folder))
    assert again.code == 0, again.err
    if second != "evaluate":  # it may have added an evaluation of its own
        assert_undisturbed(folder, whole)
