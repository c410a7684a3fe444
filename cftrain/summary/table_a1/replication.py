"""A grid held against the published values of its points."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.errors import ResultError
from cftrain.summary.reading.reader import Evidence
from cftrain.summary.statistics.intervals import deviation, pooled_deviation

AXES = {
    "decision_threshold": "maturity.threshold",
    "lambda_energy": "generator.energy_weight",
    "max_iter": "search.max_steps",
    "generator": "generator",
}
"""Columns of the published table and the axes of our grid that they are."""

UNMOVED_STEPS = 12
"""Up to so many steps ECCo's decaying energy weight is zero from the start."""

Place = tuple[float, float, int]
"""A point but for its generator."""


@dataclass(frozen=True, order=True)
class Key:
    """A point: the settings of training that the published table varies."""

    threshold: float
    energy_weight: float
    max_steps: int
    generator: str

    @property
    def place(self) -> Place:
        return self.threshold, self.energy_weight, self.max_steps


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Mean and standard deviation of percentage changes, positive for a reduction."""

    value: float
    std: float
    count: int
    models: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()


Effects = Mapping[Key, Effect]


def published_effects(path: Path) -> Effects:
    """The published table. Raises ResultError if it is not there or another one."""
    try:
        table = pd.read_csv(path)
        return {
            _key({name: row[name] for name in AXES}): Effect(
                value=float(row["value"]), std=float(row["std"]), count=1
            )
            for row in table.to_dict("records")
        }
    except (OSError, ValueError, KeyError) as error:
        raise ResultError(
            f"{path}: expected columns {', '.join(AXES)}, value, std, got {error!r}"
        ) from error


def trained_effects(
    evidence: Evidence, *, grid: str, dataset: str, metric: str
) -> dict[Key, Effect]:
    """The finished points of a grid that have values of the metric.

    For every energy weight and round of the evaluation, 100 (baseline - model) /
    |baseline|; mean and standard deviation over all of them, and over the training
    seeds if the grid has several.
    """
    pairs = evidence.collection.pairs
    pairs = pairs[(pairs["grid"] == grid) & (pairs["data"] == dataset)]
    pairs = pairs[pairs["baseline"].notna() & (pairs["objective"] != "vanilla")]
    cells = evidence.collection.cells["status"]
    changes: dict[Key, list[float]] = {}
    used: dict[Key, tuple[list[str], list[str]]] = {}
    for pair in pairs.to_dict("records"):
        model, baseline = pair["model"], pair["baseline"]
        if {cells[model], cells[baseline]} != {"done"}:
            continue
        key = _key({name: pair["coordinates"].get(a) for name, a in AXES.items()})
        changes.setdefault(key, []).extend(
            _changes(evidence.rows("metrics", model), evidence, baseline, metric)
        )
        models, baselines = used.setdefault(key, ([], []))
        models.append(model)
        baselines.append(baseline)
    return {
        key: Effect(
            value=sum(values) / len(values),
            std=deviation(values) or 0.0,
            count=len(values),
            models=tuple(used[key][0]),
            baselines=tuple(used[key][1]),
        )
        for key, values in changes.items()
        if values
    }


def replicate_deviation(effects: Effects, generator: str) -> tuple[float, int] | None:
    """Pooled standard deviation between points that differ in settings without effect,
    and its degrees of freedom; None if there are no such points, or if they shared
    their training.

    Only ECCo has an energy weight, and in short searches not even ECCo.
    """
    groups: dict[tuple[float, int], list[Effect]] = {}
    for key, effect in effects.items():
        unmoved = generator != "ecco" or key.max_steps <= UNMOVED_STEPS
        if key.generator == generator and unmoved:
            groups.setdefault((key.threshold, key.max_steps), []).append(effect)
    if any(_shared(group) for group in groups.values()):
        return None
    return pooled_deviation([[e.value for e in group] for group in groups.values()])


def shares_training(effects: Effects) -> bool:
    """Whether any points share a model or a baseline."""
    return _shared(list(effects.values()))


def _shared(effects: list[Effect]) -> bool:
    for cells in (
        [cell for effect in effects for cell in effect.models],
        [cell for effect in effects for cell in effect.baselines],
    ):
        if len(set(cells)) < len(cells):
            return True
    return False


def _changes(
    rows: pd.DataFrame, evidence: Evidence, baseline: str, metric: str
) -> list[float]:
    both = pd.DataFrame(
        {
            side: table[table["metric"] == metric].set_index(
                ["energy_weight", "round"]
            )["value"]
            for side, table in (
                ("model", rows),
                ("baseline", evidence.rows("metrics", baseline)),
            )
        }
    ).dropna()
    both = both[both["baseline"] != 0]
    gained = 100 * (both["baseline"] - both["model"]) / both["baseline"].abs()
    return [float(value) for value in gained]


def _key(values: Mapping[str, Any]) -> Key:
    threshold, weight, steps, generator = (values[name] for name in AXES)
    return Key(float(threshold), float(weight), int(steps), str(generator).lower())
