"""`cftrain verify FOLDER --sample N`: train some cells again and compare."""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from cftrain.errors import ResultError
from cftrain.grid.cells import Cell
from cftrain.grid.launch import Task, perform
from cftrain.grid.plan import Stack
from cftrain.results.store import Store
from cftrain.training.run import rebuild

KEYS = ["metric", "energy_weight", "round", "epsilon"]
NUMBERS = ["value", "rows"]


def run(arguments: Sequence[str]) -> None:
    """Repeat a random sample of finished cells, each alone, and compare all metrics.

    Raises ResultError if some number differs by more than the tolerance.
    """
    parser = argparse.ArgumentParser("cftrain verify", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--tolerance", type=float, default=0.0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    store = Store(options.folder)
    done = sorted(store.done())
    if not done:
        raise ResultError(f"{options.folder}: expected finished cells, got none")
    chosen = random.Random(options.seed).sample(done, min(options.sample, len(done)))
    stored = store.read("metrics")
    cells = store.read("cells").set_index("cell")
    with tempfile.TemporaryDirectory() as temporary:
        again = Store(Path(temporary))
        for name in chosen:
            described = json.loads(cells.loc[name, "config"])
            pair = cells.loc[name, "pair"]
            alone = Cell(id=name, pair=pair, run=rebuild(described))
            perform(
                Task(
                    stack=Stack(cells=(alone,), seconds=0.0),
                    folder=again.folder,
                    name="verify",
                    device="cpu",
                )
            )
        repeated = again.read("metrics")
    worst = {cell: difference(stored, repeated, cell) for cell in chosen}
    for cell, gap in worst.items():
        print(f"cell {cell}: largest difference {gap:g}")
    wrong = [cell for cell, gap in worst.items() if not gap <= options.tolerance]
    if wrong:
        raise ResultError(
            f"{options.folder}: expected differences of at most {options.tolerance:g}, "
            f"got more in cells {', '.join(wrong)}"
        )
    print(f"{len(chosen)} cells repeated, all numbers agree")


def difference(stored: pd.DataFrame, repeated: pd.DataFrame, cell: str) -> float:
    """Largest absolute difference of a cell's metrics; inf if rows do not match."""
    ours, theirs = (
        frame[frame["cell"] == cell]
        .sort_values(KEYS, ignore_index=True)[[*KEYS, *NUMBERS]]
        .fillna({"value": float("inf")})
        for frame in (stored, repeated)
    )
    if not ours[KEYS].equals(theirs[KEYS]):
        return float("inf")
    same = ours[NUMBERS].eq(theirs[NUMBERS])
    gap = (ours[NUMBERS] - theirs[NUMBERS]).abs().where(~same, 0.0)
    return float(gap.max().max())
