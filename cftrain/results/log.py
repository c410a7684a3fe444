"""A file in a folder of results that says what was said there, and when."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cftrain.errors import printable

FILE = "log.txt"

ADDING = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    | os.O_NOFOLLOW
    | os.O_NONBLOCK
    | os.O_CLOEXEC
)
"""Neither a link to elsewhere is followed nor a pipe waited for."""


@dataclass(frozen=True)
class Log:
    """Lines with their times at the end of a file, which may as well be missing."""

    folder: Path

    def write(self, *lines: str) -> None:
        """Add lines; if that cannot be done, whatever is at work goes on without."""
        now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        told = (printable(f"{now} {line}".rstrip()) for line in lines)
        text = "".join(f"{line}\n" for line in told)
        with suppress(OSError):
            descriptor = os.open(self.folder / FILE, ADDING, 0o666)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    os.write(descriptor, text.encode(errors="backslashreplace"))
            finally:
                os.close(descriptor)
