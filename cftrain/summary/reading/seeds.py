"""Models that differ in their seeds alone, with what they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.results.budget.table import given_up, load_budgets
from cftrain.results.replicates import TRAINING_SEED, replicate_key
from cftrain.summary.reading.collection import Collection
from cftrain.summary.reading.protocols import choose

OF_BUDGET = (*TRAINING_SEED, "objective.strength")
"""What varies between models that budgets have kept."""


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

    Baselines that belong to no other model stand alone. Models that budgets have kept
    are replicates whatever their strength is, which belongs to the choice; where one
    has kept the baseline, this is the model and its own baseline. What budgets have
    tried and not kept is left out.
    """
    cells = collection.cells
    budgets = _budgets(collection)
    chosen, lost = _kept(budgets, cells), given_up(budgets)
    pairs = collection.pairs.drop_duplicates(["model", "baseline"])
    paired = set(pairs["model"])
    held = {*paired, *pairs["baseline"].dropna(), *lost} - (chosen.keys() - paired)
    alone = cells.index[~cells.index.isin(held)]
    rows = [
        *pairs[["model", "baseline", "coordinates"]].to_dict("records"),
        *({"model": cell, "baseline": None, "coordinates": {}} for cell in alone),
    ]
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for row in rows:
        model = row["model"]
        key = (
            chosen[model].key if model in chosen else _key(cells, model, TRAINING_SEED)
        )
        if model in chosen:
            row["baseline"] = chosen[model].baseline
        groups.setdefault((key, not pd.isna(row["baseline"])), []).append(row)
    return [_seeds(group, collection) for group in groups.values()]


@dataclass(frozen=True)
class _Kept:
    """What a model that a budget has kept is a replicate of, and its baseline."""

    key: str
    baseline: str


def _budgets(collection: Collection) -> pd.DataFrame:
    folders = sorted(set(collection.cells["folder"]))
    return pd.concat([load_budgets(Path(folder)) for folder in folders])


def _kept(budgets: pd.DataFrame, cells: pd.DataFrame) -> dict[str, _Kept]:
    """The models that budgets have kept."""
    found = {}
    for _, curve in budgets.groupby("budget", sort=False):
        baseline = str(curve["baseline"].iloc[0])
        tried = [cell for cell in curve["cell"] if cell != baseline]
        known = [cell for cell in [*tried, baseline] if cell in cells.index]
        for kept in curve["cell"][curve["kept"]]:
            if kept in cells.index and baseline in cells.index:
                found[kept] = _Kept(_key(cells, known[0], OF_BUDGET), baseline)
    return found


def _key(cells: pd.DataFrame, cell: str, varies: tuple[str, ...]) -> str:
    return replicate_key(cells.loc[cell].rename(cell), varies)


def _seeds(rows: list[dict[str, Any]], collection: Collection) -> Seeds:
    if all(row["model"] == row["baseline"] for row in rows):  # there is no other
        rows = [{**row, "baseline": None} for row in rows]
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
