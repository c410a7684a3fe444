"""One command at a time works in a folder of results.

The lock belongs to the open file and so ends with its process, however that ends. The
file itself is never removed: a process could then hold a lock on a file without a name
while another one locks its successor.
"""

import errno
import fcntl
import getpass
import json
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cftrain.errors import ResultError
from cftrain.results.folders import refuse_exported, refuse_links
from cftrain.results.parts.damage import set_aside
from cftrain.results.parts.merging import put_back
from cftrain.results.writing import remove_leftovers

FILE = ".lock"
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


@contextmanager
def at_work(folder: Path, command: str) -> Iterator[None]:
    """Make the folder and hold its lock; `command` is what others are told.

    What killed commands have left half-written there is removed.

    Raises ResultError if another command is at work there, if the folder cannot be
    written, if it is an exported model or if a link leads out of it. Where the file
    system has no locks, that is said and the work goes on.
    """
    refuse_exported(folder)
    descriptor = _opened(folder)
    try:
        _refuse_other_files(descriptor, folder)
        refuse_links(folder)
        held = _locked(descriptor, folder)
        remove_leftovers(folder)
        put_back(folder)
        set_aside(folder)
        if not held:
            yield
            return
        _write(descriptor, _introduction(command))
        try:
            yield
        finally:
            _write(descriptor, "")
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / FILE, flags, 0o666)
    except OSError as error:
        raise ResultError(
            f"{folder}: expected a folder that can be written, got "
            f"{error.strerror or error}; choose another one with hydra.run.dir=..."
        ) from error


def _refuse_other_files(descriptor: int, folder: Path) -> None:
    """Raises ResultError for a lock that is another file as well, as it is written to,
    or that is no file.
    """
    found = os.fstat(descriptor)
    if found.st_nlink > 1 or not stat.S_ISREG(found.st_mode):
        raise ResultError(
            f"{folder / FILE}: expected a file of its own, got a hard link to another "
            "one, or no file; remove it"
        )


def _locked(descriptor: int, folder: Path) -> bool:
    """Whether there are locks here. Raises ResultError if another one has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ResultError(
            f"{folder}: {_holder(descriptor)}; wait until it has finished, or choose "
            "another folder with hydra.run.dir=..."
        ) from error
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise ResultError(f"{folder / FILE}: {error.strerror}") from error
        print(
            f"{folder}: this file system has no locks; see to it that no second "
            "command works in this folder",
            file=sys.stderr,
        )
        return False
    return True


def _introduction(command: str) -> str:
    """What the lock file tells others of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    told = {
        "command": command,
        "user": user,
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }
    return json.dumps(told) + "\n"


def _holder(descriptor: int) -> str:
    """Who is at work, as far as the lock file tells."""
    try:
        told = json.loads(os.pread(descriptor, 4096, 0))
        return (
            f"{told['command']} of {told['user']} is at work in this folder since "
            f"{told['since']} (pid {told['pid']}, host {told['host']})"
        )
    except (ValueError, KeyError, TypeError, OSError):  # it has only just begun
        return "another command is at work in this folder"


def _write(descriptor: int, text: str) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
    except OSError:  # a full disk: the lock holds without its text
        return
