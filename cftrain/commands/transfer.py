"""`cftrain transfer FOLDER`: are counterfactuals valid under other seeds' models?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import torch

from cftrain.commands.command_line.words import read_words
from cftrain.config.ranges import Count
from cftrain.data.sources import cache
from cftrain.errors import ResultError
from cftrain.evaluation.transfer import transferred
from cftrain.grid.stored import newest_evaluations, stored_protocol
from cftrain.grid.worker import THREADS
from cftrain.results.lock import at_work
from cftrain.results.replicates import replicate_key
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.restore import restore

DEFAULTS = {"rounds": 10}


@dataclass(frozen=True, kw_only=True)
class TransferOptions:
    """At most so many rounds of the protocol."""

    rounds: Count
    """Rounds of the protocol whose counterfactuals are tried, at most."""


def run(arguments: Sequence[str]) -> None:
    """Write the table `transfer` of a folder. Raises ResultError."""
    folder, options = read_words(arguments, TransferOptions, DEFAULTS)
    torch.set_num_threads(THREADS)
    store = Store(folder)
    with at_work(folder, "cftrain transfer"):
        groups = [group for group in _replicates(store) if len(group) > 1]
        if not groups:
            raise ResultError(
                f"{folder}: expected evaluated cells that differ in their seed only, "
                "got none; train several, as with '+grid.axes.seed=[1,2,3]'"
            )
        parts = defaultdict(list)
        for group in groups:
            for row in _rows(store, group, options.rounds):
                parts[row["stack"]].append(row)
        for stack, rows in parts.items():
            store.write("transfer", stack, rows)
    count = sum(map(len, groups))
    print(f"{count} models in {len(groups)} groups of seeds: {folder}/transfer")


def _replicates(store: Store) -> list[pd.DataFrame]:
    """Newest evaluations of cells that differ in nothing but their seed, together."""
    cells = store.cells().set_index("cell")
    evaluations = newest_evaluations(store, cells.index)
    keys = [replicate_key(cells.loc[cell]) for cell in evaluations["cell"]]
    grouped = evaluations.groupby([keys, evaluations["protocol"]], sort=False)
    return [group for _, group in grouped]


def _rows(store: Store, group: pd.DataFrame, rounds: int) -> Iterator[dict[str, Any]]:
    models = restore(store, list(group["cell"]))
    protocol = stored_protocol(store, group["protocol"].iloc[0])
    protocol = protocol.fitted(models.dataset, cache())
    protocol = replace(protocol, rounds=min(rounds, protocol.rounds))
    streams = [Stream(run.seed) for run in models.runs]
    keys = group[["cell", "stack", "protocol"]].to_dict("records")
    for found in transferred(
        models.classifier, models.dataset, protocol, streams=streams
    ):
        yield {
            **keys[found.cell],
            "other": keys[found.other]["cell"],
            "energy_weight": found.energy_weight,
            "value": found.value,
            "rows": found.rows,
        }
