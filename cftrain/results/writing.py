"""Files that are there whole or not at all, even after a power cut."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cftrain.errors import ResultError

MARK = "~"
"""Between the parts of a temporary name; no host has it in its own."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside `path` to write to, renamed to it at the end.

    Makes the folder. Whatever fails, an older file stays and the temporary one goes;
    the first error is the one that is raised. The ending stays: writers look at it.
    """
    partial = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = _created(partial)
        yield partial
        partial.chmod(mode)  # some writers put a file of their own there, for us alone
        _flush(partial)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    with suppress(OSError):  # some file systems do not flush folders
        _flush(path.parent)


@contextmanager
def written_whole(path: Path, *errors: type[Exception]) -> Iterator[Path]:
    """As `replacing`. Raises ResultError for what the disk does not take.

    `errors` are the writer's own, besides OSError.
    """
    expected: tuple[type[Exception], ...] = (OSError, OverflowError, *errors)
    try:
        with replacing(path) as partial:
            yield partial
    except expected as error:
        raise ResultError(f"{path}: could not be written: {error}") from error


def remove_leftovers(folder: Path) -> int:
    """Remove temporary files below a folder that dead processes of this host left.

    Returns how many there were.
    """
    pattern = f".*{MARK}{_host()}{MARK}*{MARK}*"
    found = [path for path in folder.rglob(pattern) if not _is_alive(path)]
    for path in found:
        with suppress(OSError):
            path.unlink()
    return len(found)


def _temporary(path: Path) -> Path:
    """A name that nobody else uses or can guess, and that says whose it is."""
    owner = MARK.join([_host(), str(os.getpid()), secrets.token_hex(6)])
    return path.with_name(f".{path.stem}{MARK}{owner}{path.suffix}")


def _host() -> str:
    return socket.gethostname().partition(".")[0] or "localhost"


def _created(path: Path) -> int:
    """Make an empty file, following no link. Returns its mode, which umask decided."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        return os.fstat(descriptor).st_mode & 0o7777
    finally:
        os.close(descriptor)


def _flush(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_alive(temporary: Path) -> bool:
    """Whether the process that a temporary name belongs to still runs."""
    process = temporary.name.split(MARK)[-2]
    if not process.isdecimal():
        return True  # not one of ours
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
