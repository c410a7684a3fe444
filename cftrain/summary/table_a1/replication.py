"""A grid held against the published values of its points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cftrain.errors import ResultError
from cftrain.results.folders import refuse_special
from cftrain.summary.reading.reader import Reader
from cftrain.summary.reading.selection import Point, Trial
from cftrain.summary.statistics.change import change
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
    trials: tuple[Trial, ...] = ()


Effects = Mapping[Key, Effect]


def published_effects(path: Path) -> Effects:
    """Returns the published table. Raises ResultError if there is none or another."""
    try:
        refuse_special(path)
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


def trained_effects(reader: Reader, points: Sequence[Point], metric: str) -> Effects:
    """Returns the effects of a grid's points that have values of the metric.

    Mean and standard deviation over every energy weight and round of the evaluation,
    and over the training seeds if the grid has several.
    """
    by_key: dict[Key, list[Point]] = {}
    for point in points:
        place = {name: point.coordinates.get(axis) for name, axis in AXES.items()}
        by_key.setdefault(_key(place), []).append(point)
    effects = {}
    for key, found in by_key.items():
        values = [value for p in found for value in reductions(reader, p.trial, metric)]
        if values:
            effects[key] = Effect(
                value=sum(values) / len(values),
                std=deviation(values) or 0.0,
                count=len(values),
                trials=tuple(point.trial for point in found),
            )
    return effects


def reductions(reader: Reader, trial: Trial, metric: str) -> list[float]:
    """Returns the percentage by which the model is below its baseline, for every energy
    weight and round in which both have a value.
    """
    model, baseline = (
        reader.rows("metrics", str(cell), trial.protocol)
        for cell in (trial.model, trial.baseline)
    )
    both = pd.DataFrame(
        {
            side: rows[rows["metric"] == metric].set_index(["energy_weight", "round"])[
                "value"
            ]
            for side, rows in (("model", model), ("baseline", baseline))
        }
    )
    changes = change(both["model"], both["baseline"]).dropna()
    return [-float(value) for value in changes]


def replicate_deviation(effects: Effects, generator: str) -> tuple[float, int] | None:
    """Returns the pooled standard deviation between points that differ in settings
    without effect, and its degrees of freedom; None if there are no such points, or if
    they shared their training.

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
    """Returns whether any points share a model or a baseline."""
    return _shared(list(effects.values()))


def _shared(effects: list[Effect]) -> bool:
    trials = [trial for effect in effects for trial in effect.trials]
    for cells in (
        [trial.model for trial in trials],
        [trial.baseline for trial in trials],
    ):
        if len(set(cells)) < len(cells):
            return True
    return False


def _key(values: Mapping[str, Any]) -> Key:
    threshold, weight, steps, generator = (values[name] for name in AXES)
    return Key(float(threshold), float(weight), int(steps), str(generator).lower())
