"""What a command says goes to the log of its folder as well."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cftrain.results.log import Log

Stream = Any
"""Whatever stands for a standard stream, in tests too."""


class Recording:
    """A log that begins when there is something to do; until then lines are kept.

    `terminal` is the stream for what is not to be logged, such as bars.
    """

    def __init__(self, log: Log, terminal: Stream) -> None:
        self.terminal = terminal
        self._log = log
        self._waiting: list[str] | None = []

    def begin(self, command: str, words: Sequence[str]) -> None:
        """Write what was said so far, below the command as it was typed."""
        waiting, self._waiting = self._waiting or [], None
        self._log.write(f"$ cftrain {command} {shlex.join(words)}", *waiting)

    def write(self, *lines: str) -> None:
        if self._waiting is None:
            self._log.write(*lines)
        else:
            self._waiting += lines


class _Told:
    """A stream that passes everything on and lets whole lines be recorded too."""

    def __init__(self, stream: Stream, recording: Recording) -> None:
        self._stream = stream
        self._recording = recording
        self._line = ""

    def write(self, text: str) -> int:
        *whole, self._line = (self._line + text).split("\n")
        if whole:
            self._recording.write(*whole)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def recording(log: Log) -> Iterator[Recording]:
    """Record what is printed meanwhile, and the error that ends it."""
    before = sys.stdout, sys.stderr
    found = Recording(log, sys.stderr)
    sys.stdout, sys.stderr = (_Told(each, found) for each in before)
    try:
        yield found
    except BaseException as error:
        found.write(f"ended by {type(error).__name__}: {error}")
        raise
    finally:
        sys.stdout, sys.stderr = before
