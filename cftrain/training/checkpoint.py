"""An interrupted training, on disk.

Random draws are functions of seed and epoch (`cftrain.seeding`), so the number of
finished epochs is all the random state there is.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cftrain.errors import warn
from cftrain.results.weights import content_digest
from cftrain.results.weights_file import check_file
from cftrain.results.writing import written_whole

FORMAT = "cftrain-checkpoint-2"
FOLDER = "checkpoints"

MOST_BYTES = 2**32
"""Of a file: far more than any stack here has."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file that belongs to the stack of some cells, in their order.

    Until there is one, the first file of `wider` serves it: that of a stack which had
    these cells among others, and whose training goes on in parts.
    """

    path: Path
    cells: tuple[str, ...]
    wider: tuple[Path, ...] = ()

    @property
    def epochs(self) -> int:
        """How many are saved; 0 if nothing can be read."""
        path = self._found
        try:
            check_file(path, MOST_BYTES)
            with safe_open(path, framework="pt") as file:
                return int(file.get_slice("history").get_shape()[0])
        except (SafetensorError, OSError, ValueError):
            return 0

    @property
    def _found(self) -> Path:
        """The own file, or else the first wider one that has all of these cells."""
        if not self.path.exists():
            for path in self.wider:
                with suppress(SafetensorError, OSError, ValueError):
                    if set(self.cells) <= set(_cells_of(path)):
                        return path
        return self.path

    def save(self, state: dict[str, Tensor]) -> None:
        """Replace the file at once: a reader sees the old epoch or the new one.

        Raises ResultError if the disk does not take it.
        """
        metadata = {
            "format": FORMAT,
            "cells": json.dumps(self.cells),
            "content": content_digest(state),
        }
        with written_whole(self.path, SafetensorError) as partial:
            safetensors.torch.save_file(
                {name: value.cpu().contiguous() for name, value in state.items()},
                partial,
                metadata=metadata,
            )

    def load(
        self, like: dict[str, Tensor], *, growing: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The saved state, empty if there is none that fits; such a file is discarded
        with a warning: training starts anew, which costs time and nothing else.

        It has to hold tensors of the names and shapes of `like` and of `growing`, whose
        first axis may have any length.
        """
        path = self._found
        if not path.exists():
            return {}
        try:
            check_file(path, MOST_BYTES)
            with safe_open(path, framework="pt") as file:
                found = _cells(file.metadata())
                names = file.keys()
                state = {name: file.get_tensor(name) for name in names}
                written = (file.metadata() or {}).get("content")
        except (SafetensorError, OSError, ValueError) as error:
            return _discarded(path, f"expected a readable checkpoint, got {error}")
        if path == self.path and found != self.cells:
            return _discarded(path, f"expected one of cells {self.cells}, got {found}")
        damaged = content_digest(state) != written
        wanted = {name: tuple(value.shape) for name, value in like.items()}
        epochs = state["history"].shape[:1] if "history" in state else (0,)
        for name, value in growing.items():
            wanted[name] = (*epochs, *value.shape[1:])
        places = [found.index(cell) for cell in self.cells]
        state = {
            name: _chosen(value, wanted.get(name, ()), places)
            for name, value in state.items()
        }
        shapes = {name: tuple(value.shape) for name, value in state.items()}
        if shapes != wanted:
            return _discarded(path, f"expected tensors {wanted}, got {shapes}")
        if damaged:
            return _discarded(path, "expected what was saved, got other numbers")
        return state

    def remove(self) -> None:
        """Delete the file; the folder stays, another worker may be about to use it."""
        self.path.unlink(missing_ok=True)


def checkpoint_of(
    folder: Path,
    stack: str,
    cells: Sequence[str],
    wider: Iterable[str] = (),
) -> Checkpoint:
    """Where a stack keeps what an interrupted training has done; `wider` are stacks
    that it was a part of, the narrowest first.
    """
    paths = [folder / FOLDER / f"{name}.safetensors" for name in (stack, *wider)]
    return Checkpoint(path=paths[0], cells=tuple(cells), wider=tuple(paths[1:]))


def checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """All readable ones of a results folder, in order; others go with a warning."""
    for path in sorted((folder / FOLDER).glob("[!.]*.safetensors")):
        try:
            cells = _cells_of(path)
        except (SafetensorError, OSError, ValueError) as error:
            _discarded(path, f"could not be read: {error}")
            continue
        yield Checkpoint(path=path, cells=cells)


def _discarded(path: Path, why: str) -> dict[str, Tensor]:
    warn(f"{path}: {why}; the stack is trained from the start")
    with suppress(OSError):
        path.unlink(missing_ok=True)
    return {}


def _chosen(value: Tensor, wanted: tuple[int, ...], places: list[int]) -> Tensor:
    """A tensor at some places of the axis in which it is longer than wanted."""
    if value.ndim != len(wanted):
        return value
    pairs = enumerate(zip(value.shape, wanted, strict=True))
    axes = [axis for axis, (length, asked) in pairs if length != asked]
    if len(axes) != 1 or max(places) >= value.shape[axes[0]]:
        return value
    return value.index_select(axes[0], torch.tensor(places))


def _cells_of(path: Path) -> tuple[str, ...]:
    """Raises SafetensorError, OSError or ValueError for other files."""
    check_file(path, MOST_BYTES)
    with safe_open(path, framework="pt") as file:
        return _cells(file.metadata())


def _cells(metadata: dict[str, str] | None) -> tuple[str, ...]:
    """Raises ValueError for a file of another format."""
    found = metadata or {}
    if found.get("format") != FORMAT:
        raise ValueError(f"format {found.get('format')}, not {FORMAT}")
    try:
        return tuple(map(str, json.loads(found["cells"])))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no list of cells in it") from error
