"""Small commands, and what an undisturbed one leaves: all that others have to leave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import safetensors.torch
import torch

from cftrain.results.points import FILE, load_points
from cftrain.results.schema import OF_EVALUATION, OF_TRAINING
from cftrain.results.store import Store
from cftrain.results.writing import MARK
from tests.console import TINY_MOONS

CELLS_OF_GRID = (
    "grid.axes={seed: [1, 2]}",
    "grid.only_with={}",
    "grid.fixed={}",
    "workers=1",
    "stack_width=2",
)

DIFFERENT = ["created", "seconds", "stack", "stack_cells", "weights_sha256"]
"""Columns that tell of when and with whom, not of what came out."""


def train(folder: Path, *more: str) -> tuple[str, ...]:
    """A model and its baseline."""
    return ("train", *TINY_MOONS, f"hydra.run.dir={folder}", *more)


def grid(folder: Path, *more: str) -> tuple[str, ...]:
    """Two models and two baselines in stacks of two, in this process."""
    return ("grid", *TINY_MOONS, *CELLS_OF_GRID, f"hydra.run.dir={folder}", *more)


COMMANDS = {"train": train, "grid": grid}


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table in an order of its own, without what differs from run to run."""
    store = Store(folder)
    chosen = {
        **dict.fromkeys(OF_TRAINING, store.cells()),
        **dict.fromkeys(OF_EVALUATION, store.evaluations()),
    }
    found = {name: store.rows(name, rows) for name, rows in chosen.items()}
    found |= {"cells": store.cells(), "evaluations": store.evaluations()}
    found["protocols"] = pd.DataFrame(sorted(store.protocols().items()))
    if (folder / FILE).exists():
        points = load_points(folder)
        found["points"] = points.assign(coordinates=points["coordinates"].map(str))
    return {name: _in_order(table) for name, table in found.items()}


def weights(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Those of each cell."""
    return {
        path.stem: safetensors.torch.load_file(path)
        for path in sorted((folder / "weights").glob("*"))
    }


def leftovers(folder: Path) -> Iterator[Path]:
    """What no finished command leaves."""
    for path in folder.rglob("*"):
        if MARK in path.name or path.name == "checkpoints" or path.suffix == ".damaged":
            yield path


def assert_undisturbed(folder: Path, whole: Path) -> None:
    """The same tables and weights as those of `whole`, bit for bit, and no more."""
    expected, found = tables(whole), tables(folder)
    assert found.keys() == expected.keys()
    assert not expected["metrics"].empty
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, check_exact=True)
    trained, again = weights(whole), weights(folder)
    assert again.keys() == trained.keys()
    for cell, tensors in trained.items():
        for name, value in tensors.items():
            assert torch.equal(again[cell][name], value), (cell, name)
    assert list(leftovers(folder)) == []


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    kept: Any = table.drop(columns=DIFFERENT, errors="ignore")
    plain = [name for name in kept.columns if name not in ("values", "value")]
    return kept.sort_values(plain, ignore_index=True)
