"""The streams that a command speaks on: whatever is in a text, it is shown as text.

Names and values come from files that others may have written. Here and nowhere else it
is seen to that they neither steer the terminal nor fail for want of a sign.
"""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cftrain.errors import printable

NAMES = ("stdout", "stderr")
AS_IN_JSON = "cftrain.as_in_json"
"""How Python calls what is done with signs that a stream cannot write."""

BAR = "\r"
"""What a bar begins with that draws itself anew. It may stand there and nowhere else:
in the midst of a line it would let the end of a text hide its beginning.
"""


class Console:
    """A stream that shows signs which steer a terminal, and passes all else on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        bar = BAR if text.startswith(BAR) else ""
        self._stream.write(bar + printable(text.removeprefix(BAR)))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def console() -> Iterator[None]:
    """While this lasts, what is said on the standard streams is said as text."""
    before = [getattr(sys, name) for name in NAMES]
    for name, stream in zip(NAMES, before, strict=True):
        setattr(sys, name, Console(stream))
    try:
        yield
    finally:
        for name, stream in zip(NAMES, before, strict=True):
            setattr(sys, name, stream)


def usable_streams() -> None:
    """Let streams be there, and replace signs that their encoding does not have."""
    for name in NAMES:
        stream = getattr(sys, name)
        if stream is None:  # closed by who started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):  # maybe one that has no ±
            stream.reconfigure(errors=AS_IN_JSON)


def _as_in_json(error: UnicodeError) -> tuple[str, int]:
    """What is written for signs that an encoding does not have: JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    units = memoryview(lacking.encode("utf-16-be", "surrogatepass")).hex(" ", 2)
    return "".join(f"\\u{unit}" for unit in units.split()), error.end


codecs.register_error(AS_IN_JSON, _as_in_json)
