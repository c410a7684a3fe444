"""The calls by which files of a folder change, in the place of the system's own.

Each kind of call may fail, or end the process, at its n-th time below a folder.
"""

import errno
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import safetensors.torch
from omegaconf import OmegaConf
from safetensors import SafetensorError

Original = Callable[..., Any]

ON_PATHS = ("open", "mkdir", "replace", "unlink", "chmod", "rmdir")
"""Functions of `os` whose first argument is a path."""

ON_DESCRIPTORS = ("fsync", "write", "pwrite", "ftruncate")
"""Functions of `os` whose first argument is an open file."""

CALLS = (*ON_PATHS, *ON_DESCRIPTORS, "content", "read")
"""With `content`, writing a whole file, and `read`, reading one."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens at the n-th call of a kind: an error, or the end of the process.

    A process ends before the call, or after it. Content is half written by then.
    """

    call: str
    number: int
    error: int | None = None
    after: bool = False

    def happen(self, path: Path) -> None:
        if self.error is None:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(self.error, os.strerror(self.error or 0), str(path))


@dataclass
class Layer:
    """Counts the calls below a folder; with a fault, one of them goes wrong."""

    folder: Path
    fault: Fault | None = None
    counts: Counter[str] = field(default_factory=Counter)
    after: Callable[[str, Path], None] = lambda call, path: None
    """Told of each call that was made."""

    def strikes(self, call: str) -> Fault | None:
        """The fault, if it is this call's turn; the call counts."""
        self.counts[call] += 1
        fault = self.fault
        if fault and (fault.call, fault.number) == (call, self.counts[call]):
            return fault
        return None

    def made(self, call: str, path: Path, original: Original, *given: Any) -> Any:
        fault = self.strikes(call)
        if fault and not fault.after:
            fault.happen(path)
        try:  # a call that fails by itself is one after which a process may die, too
            found = original(*given)
        finally:
            if fault:
                fault.happen(path)
        self.after(call, path)
        return found

    def covers(self, path: Any) -> bool:
        return isinstance(path, str | Path) and Path(path).is_relative_to(self.folder)


@contextmanager
def patched(layer: Layer) -> Iterator[Layer]:
    """Let the calls of this process go through the layer."""
    patches = [
        *(mock.patch.object(os, name, _on_path(layer, name)) for name in ON_PATHS),
        *(mock.patch.object(os, n, _on_descriptor(layer, n)) for n in ON_DESCRIPTORS),
        mock.patch.object(Path, "read_bytes", _reading(layer)),
        mock.patch.object(Path, "write_bytes", _content(layer, Path.write_bytes, 0)),
        mock.patch.object(OmegaConf, "save", _content(layer, OmegaConf.save, 1)),
        mock.patch.object(
            safetensors.torch,
            "save_file",
            _content(layer, safetensors.torch.save_file, 1, SafetensorError),
        ),
    ]
    for patch in patches:
        patch.start()
    try:
        yield layer
    finally:
        for patch in patches:
            patch.stop()


def _on_path(layer: Layer, name: str) -> Original:
    original = getattr(os, name)

    def call(path: Any, *others: Any, **options: Any) -> Any:
        if not layer.covers(path):
            return original(path, *others, **options)
        return layer.made(name, Path(path), lambda: original(path, *others, **options))

    return call


def _on_descriptor(layer: Layer, name: str) -> Original:
    original = getattr(os, name)

    def call(descriptor: int, *others: Any) -> Any:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not layer.covers(path):
            return original(descriptor, *others)
        return layer.made(name, path, original, descriptor, *others)

    return call


def _reading(layer: Layer) -> Original:
    original = Path.read_bytes

    def read(path: Path) -> bytes:
        if not layer.covers(path):
            return original(path)
        return layer.made("read", path, original, path)

    return read


def _content(
    layer: Layer,
    original: Original,
    place: int,
    error: type[Exception] | None = None,
) -> Original:
    """A writer whose argument at a place is a path; it fails with its own error."""

    def write(*given: Any, **options: Any) -> Any:
        path = given[place]
        if not layer.covers(path):
            return original(*given, **options)
        fault = layer.strikes("content")
        found = original(*given, **options)
        if fault:
            os.truncate(path, Path(path).stat().st_size // 2)
            if error is not None and fault.error is not None:
                raise error(f"I/O error: {os.strerror(fault.error)}")
            fault.happen(Path(path))
        layer.after("content", Path(path))
        return found

    return write


ERRORS = {
    "open": errno.EACCES,
    "mkdir": errno.ENOSPC,
    "replace": errno.EIO,
    "unlink": errno.EACCES,
    "chmod": errno.EIO,
    "rmdir": errno.EIO,
    "fsync": errno.EIO,
    "write": errno.ENOSPC,
    "pwrite": errno.ENOSPC,
    "ftruncate": errno.EIO,
    "content": errno.ENOSPC,
    "read": errno.EIO,
}
