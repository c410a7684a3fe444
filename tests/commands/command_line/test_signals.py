"""Signals that arrive where nothing can be raised."""

import gc
import os
import signal
import time
import weakref
from collections.abc import Callable

import pytest

from cftrain.commands.command_line.signals import Terminated, signals

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 60.0


class Thing:
    """Something that a weak reference may be to."""


def in_a_finaliser(send: Callable[[], None]) -> None:
    class Last:
        def __del__(self) -> None:
            send()

    Last()


def in_a_finaliser_of_a_finaliser(send: Callable[[], None]) -> None:
    class Last:
        def __del__(self) -> None:
            in_a_finaliser(send)
            time.sleep(0.05)  # what is raised again comes while this lasts

    Last()


def in_a_callback(send: Callable[[], None]) -> None:
    thing = Thing()
    reference = weakref.ref(thing, lambda _: send())
    del thing
    assert reference() is None


def in_the_collector(send: Callable[[], None]) -> None:
    def hook(phase: str, about: dict[str, int]) -> None:
        gc.callbacks.remove(hook)
        send()

    gc.callbacks.append(hook)
    gc.collect()


PLACES = (
    in_a_finaliser,
    in_a_finaliser_of_a_finaliser,
    in_a_callback,
    in_the_collector,
)


def waited_for(place: Callable[[Callable[[], None]], None], number: int) -> None:
    """Send the signal at that place and go on, as a command would."""
    place(lambda: os.kill(os.getpid(), number))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.01)
    pytest.fail("the signal was swallowed")


@pytest.fixture
def heard():
    """Signals that a shell had the tests ignore, as in the background, are not."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number, handler in before.items():
        if handler == signal.SIG_IGN:
            usual = number == signal.SIGINT
            signal.signal(
                number, signal.default_int_handler if usual else signal.SIG_DFL
            )
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_is_not_swallowed(place, number, capsys):
    before = [signal.getsignal(each) for each in (*NUMBERS, signal.SIGALRM)]
    received: list[BaseException] = []
    kind = KeyboardInterrupt if number == signal.SIGINT else Terminated
    with pytest.raises(kind) as caught, signals(received):
        waited_for(place, number)
    assert received == [caught.value]
    assert [signal.getsignal(each) for each in (*NUMBERS, signal.SIGALRM)] == before
    assert "Exception ignored" not in capsys.readouterr().err


def test_other_errors_of_finalisers_are_reported_as_ever(monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", lambda what: told.append(what.exc_type))

    def fail() -> None:
        raise ValueError

    with signals([]):
        in_a_finaliser(fail)
    assert told == [ValueError]
