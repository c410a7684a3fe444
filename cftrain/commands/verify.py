"""`cftrain verify FOLDER sample=N`: train some cells again and compare."""

import math
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
from torch import Tensor

from cftrain.commands.command_line.words import read_words
from cftrain.config.ranges import AtLeast, Count, Seed
from cftrain.errors import ResultError
from cftrain.grid.cells import Cell
from cftrain.grid.stored import newest_evaluations, stored_cells, stored_protocol
from cftrain.grid.task import Task
from cftrain.grid.worker import Workplace, perform
from cftrain.results.store import Store
from cftrain.results.weights import read_weights

KEYS = ["metric", "energy_weight", "round", "epsilon"]
NUMBERS = ["value", "rows"]
FINITE = sys.float_info.max
DEFAULTS = {"sample": 5, "seed": 0, "tolerance": 0.0}


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """How many cells are repeated, which ones, and how far numbers may be apart."""

    sample: Count
    """How many cells are trained again."""
    seed: Seed
    """Draws them."""
    tolerance: Annotated[float, AtLeast(0)]
    """How far numbers may be apart; 0: they have to be the same."""


def run(arguments: Sequence[str]) -> None:
    """Repeat a random sample of evaluated cells, each alone, and compare all metrics.

    Raises ResultError if some number differs by more than the tolerance, if stored
    weights cannot be used, or with tolerance 0 if these differ at all.
    """
    folder, options = read_words(arguments, VerifyOptions, DEFAULTS)
    store = Store(folder)
    chosen, evaluations = _sample(store, options)
    stored = store.rows("metrics", evaluations)
    gaps = {}
    with tempfile.TemporaryDirectory() as temporary:
        again = Store(Path(temporary))
        for cell in chosen:
            held, _ = read_weights(store.folder, cell.id)
            name = evaluations.set_index("cell")["protocol"][cell.id]
            evaluation = ((stored_protocol(store, name), (cell,)),)
            outcome = perform(
                Task(train=(cell,), evaluate=evaluation, seconds=0.0),
                Workplace(folder=again.folder, name="verify", device="cpu"),
            )
            if outcome.failed:
                raise ResultError(f"cell {cell.id}: {outcome.failed[cell.id]}")
            gaps[cell.id] = distance(held, read_weights(again.folder, cell.id)[0])
        repeated = again.rows("metrics", again.evaluations())
    worst = {cell.id: difference(stored, repeated, cell.id) for cell in chosen}
    for name, gap in worst.items():
        print(f"cell {name}: largest difference {gap:g}, of weights {gaps[name]:g}")
    most = options.tolerance if options.tolerance == 0 else FINITE
    wrong = [
        cell
        for cell, gap in worst.items()
        if not (gap <= options.tolerance and gaps[cell] <= most)
    ]
    if wrong:
        raise ResultError(
            f"{folder}: expected differences of at most {options.tolerance:g}, got "
            f"more in cells {', '.join(wrong)}"
        )
    print(f"{len(chosen)} cells repeated, all numbers agree")


def _sample(store: Store, options: VerifyOptions) -> tuple[list[Cell], pd.DataFrame]:
    """Some evaluated cells, and their newest evaluations."""
    evaluations = newest_evaluations(store, store.cells()["cell"])
    if evaluations.empty:
        raise ResultError(f"{store.folder}: expected evaluated cells, got none")
    names = sorted(evaluations["cell"])
    count = min(options.sample, len(names))
    chosen = random.Random(options.seed).sample(names, count)
    rows = store.cells().set_index("cell", drop=False).loc[chosen]
    return stored_cells(rows), evaluations[evaluations["cell"].isin(chosen)]


def distance(stored: Mapping[str, Tensor], repeated: Mapping[str, Tensor]) -> float:
    """Largest absolute difference of weights; inf if they do not match."""
    kinds = [
        {name: (value.shape, value.dtype) for name, value in weights.items()}
        for weights in (stored, repeated)
    ]
    if kinds[0] != kinds[1]:
        return math.inf
    gaps = [float((stored[n] - repeated[n]).abs().max()) for n in stored]
    return math.inf if any(map(math.isnan, gaps)) else max(gaps)


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
