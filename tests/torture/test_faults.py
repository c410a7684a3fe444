"""Every call on a file fails once, or is the last of its process: nothing is lost."""

import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console import call
from tests.torture.file_layer import CALLS, ERRORS, Fault, Layer, patched
from tests.torture.undisturbed import COMMANDS, assert_undisturbed

MOST = 4
"""Points of one kind in one command; they are spread evenly over its calls."""


@pytest.fixture(scope="module")
def wholes(tmp_path_factory) -> dict[str, tuple[Path, Layer]]:
    """For each command its undisturbed folder, and the calls that it made."""
    found = {}
    for name, words in COMMANDS.items():
        folder = tmp_path_factory.mktemp(name) / "run"
        with patched(Layer(folder)) as layer:
            outcome = call(*words(folder))
        assert outcome.code == 0, outcome.err
        found[name] = (folder, layer)
    return found


def points(count: int, most: int) -> list[int]:
    """At most so many of the numbers from 1 to a count, the first and last included."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(n * (count - 1) / (most - 1)) for n in range(most)})


def faults(layer: Layer, kind: str, ending: str) -> Iterator[Fault]:
    for number in points(layer.counts[kind], MOST):
        yield Fault(
            call=kind,
            number=number,
            error=ERRORS[kind] if ending == "error" else None,
            after=ending == "killed after",
        )


def disturbed(words: tuple[str, ...], folder: Path, fault: Fault) -> None:
    """An error is one message and exit code 2, unless it is of no consequence."""
    with patched(Layer(folder, fault)) as layer:
        outcome = call(*words)
    assert layer.counts[fault.call] >= fault.number, "the call was never made"
    assert outcome.code in (0, 2), (fault, outcome)
    assert "Traceback" not in outcome.err, (fault, outcome.err)
    assert outcome.err.count("cftrain: ") == (outcome.code == 2), (fault, outcome.err)


def killed(words: tuple[str, ...], folder: Path, fault: Fault) -> None:
    """A copy of this process runs the command and is killed by the fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries with threads of their own
        child = os.fork()
    if child == 0:
        with patched(Layer(folder, fault)):
            call(*words)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the call was never made"
    assert os.WTERMSIG(status) == signal.SIGKILL


def suffers(command: str, fault: Fault, folder: Path, whole: Path) -> None:
    """A fault, and the same command again when its cause is gone."""
    words = COMMANDS[command](folder)
    (disturbed if fault.error else killed)(words, folder, fault)
    again = call(*words)
    assert again.code == 0, (fault, again.err)
    try:
        assert_undisturbed(folder, whole)
    except AssertionError as error:
        raise AssertionError(f"after {fault}: {error}") from error


@pytest.mark.torture
@pytest.mark.parametrize("ending", ["error", "killed before", "killed after"])
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("command", COMMANDS)
def test_after_a_fault_the_same_command_completes(
    command, kind, ending, wholes, tmp_path
):
    whole, layer = wholes[command]
    for fault in faults(layer, kind, ending):
        suffers(command, fault, tmp_path / str(fault.number), whole)


@pytest.mark.torture
def test_there_are_enough_points(wholes):
    counts = [
        len(points(layer.counts[kind], MOST))
        for _, layer in wholes.values()
        for kind in CALLS
    ]
    assert 3 * sum(counts) >= 200


@pytest.mark.parametrize(
    "fault",
    [
        Fault(call="content", number=3, error=ERRORS["content"]),
        Fault(call="replace", number=5),
    ],
)
def test_a_fault_and_a_kill_lose_nothing(fault, wholes, tmp_path):
    suffers("train", fault, tmp_path / "run", wholes["train"][0])
