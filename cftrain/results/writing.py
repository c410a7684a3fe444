"""Files that are there whole or not at all, even after a power cut."""

import glob
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cftrain.errors import ResultError

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
"""A file that nobody has yet, and no link to one."""

MARK = "~"
"""Between the parts of a temporary name; no host has it in its own."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside `path` to write to, renamed to it at the end.

    Makes the folder; replaces a file and nothing else. Whatever fails, an older file
    stays and the temporary one goes; the first error is the one that is raised. The
    ending stays: writers look at it.
    """
    partial = _temporary(path)
    try:
        if path.exists() and not path.is_file():  # such as /dev/null
            raise OSError("expected a file or nothing there, got something else")
        make_folder(path.parent)
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


def make_folder(folder: Path) -> None:
    """Make a folder that is missing, and those above it, so that they stay."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(exist_ok=True)
        with suppress(OSError):  # some file systems do not flush folders
            _flush(made.parent)


def jot(path: Path, text: str) -> None:
    """Write a small file anew that may as well be missing, whatever prevents it."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, NEW, 0o666)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


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


@contextmanager
def folder_whole(folder: Path) -> Iterator[Path]:
    """Yields a temporary folder beside `folder` to fill, renamed to it at the end.

    A folder that is there has to be empty. Raises ResultError if it is not, and for
    what the disk does not take; the temporary one then goes.
    """
    home = Path(os.path.abspath(folder))  # noqa: PTH100, a link is not followed
    partial = _temporary(home)
    try:
        _refuse_taken(folder)
        make_folder(home.parent)
        _remove_folders_left(home)
        partial.mkdir()
        yield partial
        for path in (*partial.rglob("*"), partial):
            _flush(path)
        partial.rename(home)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise ResultError(f"{folder}: could not be written: {error}") from error
        raise
    with suppress(OSError):  # some file systems do not flush folders
        _flush(home.parent)


def _refuse_taken(folder: Path) -> None:
    """Raises ResultError for what is there already, but for an empty folder."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
        raise ResultError(
            f"{folder}: expected a new or an empty folder, got one with something in it"
            "; choose another name, or remove it first"
        )


def _remove_folders_left(folder: Path) -> None:
    """Remove temporary folders of this one that dead processes of this host left."""
    for path in folder.parent.glob(
        f".{glob.escape(folder.stem)}{MARK}{_host()}{MARK}*"
    ):
        if path.is_dir() and not path.is_symlink() and not _is_alive(path):
            shutil.rmtree(path, ignore_errors=True)


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
    descriptor = os.open(path, NEW, 0o666)
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
    except (ProcessLookupError, OverflowError):  # the latter is no number of one
        return False
    except PermissionError:
        return True
    return True
