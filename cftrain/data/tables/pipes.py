"""Text that can be read once only, as that of pipes, is copied to read it again."""

import os
import select
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from typing import Protocol, runtime_checkable

from cftrain.errors import DataError

PATIENCE_SECONDS = 60.0
"""So long is waited for the first byte of a pipe."""

BYTE_ORDER_MARK = "\ufeff"
"""With which some programs begin a text; it is no part of the first cell."""


@runtime_checkable
class Text(Protocol):
    """Something open that text can be read from."""

    def read(self, size: int = -1, /) -> str: ...


@contextmanager
def piped(name: str) -> Iterator[Text]:
    """Opens a pipe in which something is to be read. Raises DataError."""
    try:
        # A blocking one would wait here for somebody who writes.
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(name, error) from error
    with open(descriptor, encoding="utf-8", newline="") as pipe:  # noqa: PTH123
        if not select.select([pipe], [], [], PATIENCE_SECONDS)[0]:
            raise DataError(
                f"{name}: expected rows, got a pipe to which nothing was written in "
                f"{PATIENCE_SECONDS:.0f} seconds; rows=- waits for standard input"
            )
        os.set_blocking(descriptor, True)
        yield pipe


@contextmanager
def copied(name: str, source: Text) -> Iterator[TextIOBase]:
    """Yields text that can be read again and again. Raises DataError."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as copy:
        try:
            start = source.read(1)
            copy.write("" if start == BYTE_ORDER_MARK else start)
            shutil.copyfileobj(source, copy)
        except (OSError, ValueError) as error:
            raise unreadable(name, error) from error
        yield copy


def unreadable(name: str, error: Exception) -> DataError:
    """Returns what is raised for rows that cannot be read."""
    return DataError(f"{name}: expected a readable CSV or Parquet file, got {error}")
