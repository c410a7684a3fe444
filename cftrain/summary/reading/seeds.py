"""Models that differ in their seeds alone, with what they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cftrain.results.replicates import replicate_key
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.protocols import choose


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """For every training seed, in order, the cell of a model and, if there is one, that
    of its baseline; the protocol by which they are compared, None without one; the
    place in a grid that they have in common.
    """

    cells: tuple[tuple[str, ...], ...]
    protocol: str | None
    coordinates: Mapping[str, Any]


def by_seed(collection: Collection) -> list[Seeds]:
    """Returns all trained models of a collection, each with its other seeds.

    Baselines that belong to no other model stand alone.
    """
    cells = collection.cells
    pairs = collection.pairs.drop_duplicates(["model", "baseline"])
    held = {*pairs["model"], *pairs["baseline"].dropna()}
    alone = cells.index[~cells.index.isin(held)]
    rows = [
        *pairs[["model", "baseline", "coordinates"]].to_dict("records"),
        *({"model": cell, "baseline": None, "coordinates": {}} for cell in alone),
    ]
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for row in rows:
        paired = not pd.isna(row["baseline"])
        key = replicate_key(cells.loc[row["model"]].rename(row["model"])), paired
        groups.setdefault(key, []).append(row)
    return [_seeds(group, collection) for group in groups.values()]


def _seeds(rows: list[dict[str, Any]], collection: Collection) -> Seeds:
    ordered = sorted(rows, key=lambda row: collection.cells.loc[row["model"], "seed"])
    cells = [
        (row["model"],) if pd.isna(row["baseline"]) else (row["model"], row["baseline"])
        for row in ordered
    ]
    choice = choose(collection.measured, [{cell for each in cells for cell in each}], 0)
    shared = set.intersection(*(_items(row["coordinates"]) for row in rows))
    return Seeds(
        cells=tuple(cells), protocol=choice.protocol, coordinates=dict(sorted(shared))
    )


def _items(coordinates: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Values of a grid's axes, as text: those that are mappings have no hash."""
    return {(key, str(value)) for key, value in coordinates.items()}
