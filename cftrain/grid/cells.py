"""Cells: runs with an id. What identifies a training, an evaluation and a stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cftrain.config.identity import describe, digest
from cftrain.evaluation.protocol import Protocol
from cftrain.training.run import Run

IDENTITY = "3"
"""Raised when what is described in the same way comes to other numbers: then all cells
are others.
"""

PICTURES = ("gallery", "attributions")
"""Parts of a protocol that leave its numbers as they are."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A run and the hash of everything that shapes its weights."""

    id: str
    pair: str
    """Equal for cells that differ in their objective only, and weigh classes alike."""

    data: str
    """The identity of the data: their source and what is in it."""

    run: Run

    weights: str | None = None
    """Digest of the trained weights, where they are known; no part of what it is."""


def cell(run: Run, data: str, described: dict[str, Any] | None = None) -> Cell:
    """The cell of a run on data of the given identity; `described` spares describing
    the run.
    """
    described = describe(run) if described is None else described
    identity = {"format": IDENTITY, "data": data, "run": described}
    shared = {name: part for name, part in described.items() if name != "objective"}
    if "class_weights" in described["objective"]:
        shared["class_weights"] = described["objective"]["class_weights"]
    return Cell(
        id=digest(identity),
        pair=digest({**identity, "run": shared}),
        data=data,
        run=run,
    )


def protocol_id(protocol: Protocol) -> str:
    """Hash of how models are evaluated; pictures are left out."""
    return digest(_without(describe(protocol), PICTURES))


def pictures_id(protocol: Protocol) -> str:
    """Hash of the pictures that an evaluation makes; empty if it makes none."""
    described = describe(protocol)
    pictures = [described[name] for name in PICTURES]
    return digest(pictures) if any(pictures) else ""


def stack_id(cells: Iterable[str], *purpose: str) -> str:
    """Hash of cells that something is done with together, in their order."""
    return digest([*cells, *purpose])


def _without(described: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if key not in names}
