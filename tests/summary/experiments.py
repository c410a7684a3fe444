"""Results of whole grids made by hand."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cftrain.config import tree
from cftrain.results.points import add_points
from cftrain.results.store import Store
from cftrain.summary.reading.collection import collect
from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Selection
from cftrain.summary.tables.sample import Sample
from tests.summary.rows import PROTOCOL, cell_row, metric_rows, row, write_evaluation

Values = Mapping[tuple[float | None, int | None], float | None]

PUBLISHED = tree.folder() / "table" / "published"
SELECTION = Selection(
    grids=("main",), objective="full", protected=False, varies=("seed",)
)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A model and its baseline (None: not trained), with their values by metric."""

    model: Mapping[str, Values]
    baseline: Mapping[str, Values] | None
    data: str = "moons"
    seed: int = 1
    objective: str = "full"
    protected: int = 0
    setting: Mapping[str, Any] = field(default_factory=dict)
    coordinates: Mapping[str, Any] = field(default_factory=dict)
    protocol: str = PROTOCOL
    # Columns of the table of cells.
    model_cell: Mapping[str, Any] = field(default_factory=dict)
    baseline_cell: Mapping[str, Any] = field(default_factory=dict)
    # (energy weight, factual, target, valid, value) by metric.
    model_individuals: Mapping[str, list[tuple]] = field(default_factory=dict)
    baseline_individuals: Mapping[str, list[tuple]] = field(default_factory=dict)
    # Values handed on to other seeds' models.
    model_transfer: tuple[float | None, ...] = ()
    baseline_transfer: tuple[float | None, ...] = ()


def values(*numbers: float | None, weight: float = 0.1) -> Values:
    """A value for each round, of one energy weight."""
    return {(weight, place): number for place, number in enumerate(numbers)}


def random_values(seed: int, weights: int = 5, rounds: int = 20) -> Values:
    draws = np.random.default_rng(seed).uniform(1, 3, (weights, rounds))
    return {
        (float(weight), number): float(draws[weight, number])
        for weight in range(weights)
        for number in range(rounds)
    }


def write_grid(folder: Path, pairs: Iterable[Pair], grid: str = "main") -> None:
    """The grid's points in their order, each pair a stack of its own."""
    points = []
    store = Store(folder)
    for number, pair in enumerate(pairs):
        name = f"{grid}-{number}"
        cells = {"model": f"{name}-ct", "baseline": f"{name}-bl"}
        if pair.baseline is None:
            del cells["baseline"]
        points += [
            {
                "grid": grid,
                "point": number,
                "coordinates": dict(pair.coordinates),
                "role": role,
                "cell": cell,
            }
            for role, cell in cells.items()
        ]
        _write_pair(store, name, pair, cells)
    add_points(folder, points)


def _write_pair(store: Store, stack: str, pair: Pair, cells: dict[str, str]) -> None:
    listed, metrics, individuals, transfer = [], [], [], []
    for role, cell in cells.items():
        objective = pair.objective if role == "model" else "vanilla"
        described = {**pair.setting, "seed": pair.seed, "objective": objective}
        given = {
            "data": pair.data,
            "seed": pair.seed,
            "objective": objective,
            "protected": pair.protected,
            "config": json.dumps(described),
            **getattr(pair, f"{role}_cell"),
        }
        listed.append(cell_row(cell, stack, **given))
        for metric, found in (getattr(pair, role) or {}).items():
            metrics += metric_rows(cell, stack, metric, dict(found))
        for metric, rows in getattr(pair, f"{role}_individuals").items():
            individuals += [
                row(
                    "individuals",
                    cell=cell,
                    stack=stack,
                    metric=metric,
                    energy_weight=weight,
                    factual=factual,
                    target=target,
                    draws=1,
                    valid=valid,
                    value=value,
                )
                for weight, factual, target, valid, value in rows
            ]
        transfer += [
            row("transfer", cell=cell, stack=stack, other="o", value=value, rows=3)
            for value in getattr(pair, f"{role}_transfer")
        ]
    store.write("cells", stack, listed)
    store.write("history", stack, [])
    write_evaluation(
        store,
        stack,
        listed,
        protocol=pair.protocol,
        metrics=_by(pair.protocol, metrics),
        individuals=_by(pair.protocol, individuals),
        transfer=_by(pair.protocol, transfer),
    )


def _by(protocol: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "protocol": protocol} for each in rows]


def reader_of(folder: Path) -> Reader:
    return Reader(collect(folder), PUBLISHED)


def sample_of(folder: Path, pairs: Iterable[Pair], metric: str = "ip") -> Sample:
    """One measure of the only setting of the only dataset of a grid."""
    write_grid(folder, pairs)
    reader = reader_of(folder)
    (dataset,) = reader.datasets([SELECTION])
    (trials,) = reader.trials(SELECTION, dataset).groups
    return Sample(reader=reader, trials=trials, metric=metric, epsilon=None)
