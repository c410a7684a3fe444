"""An interrupted training, on disk.

Random draws are functions of seed and epoch (`cftrain.seeding`), so the number of
finished epochs is all the random state there is.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cftrain.errors import warn
from cftrain.results.writing import replacing

FORMAT = "cftrain-checkpoint-2"
FOLDER = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file that belongs to the stack of some cells, in their order."""

    path: Path
    cells: tuple[str, ...]

    def save(self, state: dict[str, Tensor]) -> None:
        """Replace the file at once: a reader sees the old epoch or the new one."""
        with replacing(self.path) as partial:
            safetensors.torch.save_file(
                {name: value.cpu().contiguous() for name, value in state.items()},
                partial,
                metadata={"format": FORMAT, "cells": json.dumps(self.cells)},
            )

    def load(
        self, like: dict[str, Tensor], *, growing: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The saved state, empty if there is none that fits; such a file is discarded
        with a warning: training starts anew, which costs time and nothing else.

        It has to hold tensors of the names and shapes of `like` and of `growing`, whose
        first axis may have any length.
        """
        if not self.path.exists():
            return {}
        try:
            with safe_open(self.path, framework="pt") as file:
                found = _cells(file.metadata())
                names = file.keys()
                state = {name: file.get_tensor(name) for name in names}
        except (SafetensorError, OSError, ValueError) as error:
            return self._discarded(f"expected a readable checkpoint, got {error}")
        if found != self.cells:
            return self._discarded(f"expected one of cells {self.cells}, got {found}")
        shapes = {name: tuple(value.shape) for name, value in state.items()}
        wanted = {name: tuple(value.shape) for name, value in like.items()}
        for name, value in growing.items():
            wanted[name] = (*shapes.get(name, (0,))[:1], *value.shape[1:])
        if shapes != wanted:
            return self._discarded(f"expected tensors {wanted}, got {shapes}")
        return state

    def remove(self) -> None:
        """Delete the file; the folder stays, another worker may be about to use it."""
        self.path.unlink(missing_ok=True)

    def _discarded(self, why: str) -> dict[str, Tensor]:
        warn(f"{self.path}: {why}; the stack is trained from the start")
        with suppress(OSError):
            self.remove()
        return {}


def checkpoint_of(folder: Path, stack: str, cells: Sequence[str]) -> Checkpoint:
    """Where a stack keeps what an interrupted training has done."""
    path = folder / FOLDER / f"{stack}.safetensors"
    return Checkpoint(path=path, cells=tuple(cells))


def checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """All readable ones of a results folder, in order; others go with a warning."""
    for path in sorted((folder / FOLDER).glob("[!.]*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                cells = _cells(file.metadata())
        except (SafetensorError, OSError, ValueError) as error:
            Checkpoint(path=path, cells=())._discarded(f"could not be read: {error}")
            continue
        yield Checkpoint(path=path, cells=cells)


def _cells(metadata: dict[str, str] | None) -> tuple[str, ...]:
    """Raises ValueError for a file of another format."""
    found = metadata or {}
    if found.get("format") != FORMAT:
        raise ValueError(f"format {found.get('format')}, not {FORMAT}")
    try:
        return tuple(map(str, json.loads(found["cells"])))
    except (KeyError, TypeError) as error:
        raise ValueError("no list of cells in it") from error
