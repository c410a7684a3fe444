"""Marks of work that has begun and not ended, by which a killed attempt is known.

Whoever is killed for want of memory can say nothing. It leaves the mark of what it was
at: if it had not gained an epoch, the next attempt takes half as many cells at once.
That shapes the time of a grid and not its numbers, so a mark that is lost, or one of a
power cut, does no harm.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cftrain.config.identity import describe, digest
from cftrain.grid.cells import Cell
from cftrain.results.folders import regular_bytes
from cftrain.results.writing import jot
from cftrain.training.checkpoint import FOLDER, checkpoint_of
from cftrain.training.run import Run

ENDING = ".begun"
MOST_BYTES = 2**20
"""Of one mark: more than any has."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a process was at: cells of one kind, trained or evaluated together."""

    path: Path
    kind: str
    cells: tuple[str, ...]
    process: int
    epochs: int | None
    """Those that were trained when it began; None for an evaluation."""

    @property
    def vain(self) -> bool:
        """Whether nothing came of it, so that it would end in the same way again."""
        if self.epochs is None:
            return True
        folder = self.path.parents[1]
        return checkpoint_of(folder, self.path.stem, self.cells).epochs <= self.epochs

    @property
    def limit(self) -> int:
        """How many cells of its kind to work on at once the next time."""
        return -(-len(self.cells) // 2)


def kind(run: Run) -> str:
    """Equal for runs on the same data with models of the same form."""
    return digest([describe(run.data), describe(run.model)])


@contextmanager
def marked(
    folder: Path, stack: str, cells: Sequence[Cell], *, process: int, epochs: int | None
) -> Iterator[None]:
    """Leave a mark while something is done; it stays only if this process is killed."""
    path = folder / FOLDER / f"{stack}{ENDING}"
    told = {
        "kind": kind(cells[0].run),
        "cells": [cell.id for cell in cells],
        "process": process,
        "epochs": epochs,
    }
    jot(path, json.dumps(told))
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def marks(folder: Path) -> list[Mark]:
    """All that can be read, in order."""
    found = []
    for path in sorted((folder / FOLDER).glob(f"*{ENDING}")):
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            told = json.loads(regular_bytes(path, MOST_BYTES))
            epochs = told["epochs"]
            found.append(
                Mark(
                    path=path,
                    kind=str(told["kind"]),
                    cells=tuple(map(str, told["cells"])),
                    process=int(told["process"]),
                    epochs=None if epochs is None else int(epochs),
                )
            )
    return found


def limits(found: Collection[Mark]) -> dict[str, int]:
    """By kind, how many cells to work on at once after attempts that were in vain."""
    least: dict[str, int] = {}
    for mark in found:
        if mark.vain:
            least[mark.kind] = min(mark.limit, least.get(mark.kind, mark.limit))
    return least


def limit_of(cells: Collection[Cell], known: Mapping[str, int]) -> int:
    """How many of these cells to work on at once; all of them if nothing is known."""
    if not known:
        return len(cells)
    found = (known[name] for cell in cells if (name := kind(cell.run)) in known)
    return min(found, default=len(cells))


def forget(folder: Path, *, processes: Collection[int] | None = None) -> None:
    """Remove the marks of some processes, or all of them."""
    if processes is not None:
        paths = [mark.path for mark in marks(folder) if mark.process in processes]
    else:
        paths = list((folder / FOLDER).glob(f"*{ENDING}"))
    for path in paths:
        with suppress(OSError):
            path.unlink()
