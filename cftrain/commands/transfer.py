"""`cftrain transfer FOLDER`: are counterfactuals valid under other seeds' models?"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from cftrain.errors import ResultError
from cftrain.evaluation.transfer import transferred
from cftrain.results.settings import setting
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.restore import restore


def run(arguments: Sequence[str]) -> None:
    """Write the table `transfer` of a folder. Raises ResultError."""
    parser = argparse.ArgumentParser("cftrain transfer", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--rounds", type=int, default=10, help="at most so many rounds of the protocol"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    store = Store(options.folder)
    cells = store.read("cells")
    cells = cells[cells["status"] == "done"]
    groups = [group for group in _seeds(cells) if len(group) > 1]
    if not groups:
        raise ResultError(
            f"{options.folder}: expected cells that differ in their seed only, got "
            "none; train several, for example with '+grid.axes.seed=[1,2,3]'"
        )
    parts = defaultdict(list)
    for group in groups:
        for row in _rows(store, group, options.rounds):
            parts[row["stack"]].append(row)
    for stack, rows in parts.items():
        store.write("transfer", stack, rows)
    count = sum(map(len, groups))
    print(f"{count} models in {len(groups)} groups of seeds: {store.folder}/transfer")


def _seeds(cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Cells that differ in nothing but their seed, together."""
    settings = [setting(row) for _, row in cells.iterrows()]
    grouped = cells.groupby([settings, cells["protocol"]], sort=False)
    return [group for _, group in grouped]


def _rows(store: Store, group: pd.DataFrame, rounds: int) -> Iterator[dict[str, Any]]:
    models = restore(store, list(group["cell"]))
    protocol = models.runs[0].evaluation
    protocol = replace(protocol, rounds=min(rounds, protocol.rounds))
    streams = [Stream(run.seed) for run in models.runs]
    names, stacks = group["cell"].to_list(), group["stack"].to_list()
    for found in transferred(
        models.classifier, models.dataset, protocol, streams=streams
    ):
        yield {
            "cell": names[found.cell],
            "stack": stacks[found.cell],
            "other": names[found.other],
            "energy_weight": found.energy_weight,
            "value": found.value,
            "rows": found.rows,
        }
