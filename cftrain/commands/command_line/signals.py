"""How a command ends that a signal ends: in good order, with the code of the signal.

A signal raises wherever Python is. In a finaliser (`__del__`, the callback of a weak
reference, a hook of the collector) nothing can be raised: Python reports the exception
and goes on. So what is reported and is ours is raised again, a moment later.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 128 + signal.SIGINT

AGAIN = signal.SIGALRM
AGAIN_SECONDS = 0.01
"""After which an exception that was swallowed is raised again."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP, as KeyboardInterrupt is SIGINT: all is left in good order."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.code = 128 + number


def told(by: BaseException) -> str:
    """What people are told of it."""
    return "interrupted" if isinstance(by, KeyboardInterrupt) else str(by)


def code_of(by: BaseException) -> int:
    """The exit code: 128 and the number of the signal, as shells have it."""
    return by.code if isinstance(by, Terminated) else INTERRUPTED


@contextmanager
def signals(received: list[BaseException]) -> Iterator[None]:
    """Let signals that end us raise, once: whoever is impatient disturbs no tidying.

    What was raised is noted, as some libraries turn whatever they meet into an error of
    their own. What a finaliser has swallowed is raised again until it gets through.
    """
    usual = (signal.default_int_handler, signal.SIG_DFL)
    here = threading.current_thread() is threading.main_thread()
    # Left alone are signals that someone ignores or answers already, as in nohup.
    before = {
        number: handler
        for number in ENDINGS
        if here and (handler := signal.getsignal(number)) in usual
    }

    def answer(number: int, frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        interrupt = number == signal.SIGINT
        received.append(KeyboardInterrupt() if interrupt else Terminated(number))
        raise received[0]

    for number in before:
        signal.signal(number, answer)
    try:
        with _raised_again(received) if before else nullcontext():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _raised_again(received: list[BaseException]) -> Iterator[None]:
    """Raise what was received and Python could only report."""
    usual, timer = sys.unraisablehook, signal.getsignal(AGAIN)

    def reported(what: "sys.UnraisableHookArgs") -> None:
        if any(error is what.exc_value for error in received):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            usual(what)

    def answer(number: int, frame: FrameType | None) -> None:
        raise received[0]

    if timer is not signal.SIG_DFL:  # someone has other uses for it
        yield
        return
    sys.unraisablehook = reported
    signal.signal(AGAIN, answer)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(AGAIN, timer)
        sys.unraisablehook = usual
