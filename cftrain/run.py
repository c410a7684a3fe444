"""A run: the frozen description of one trained and evaluated model."""

import json
from dataclasses import MISSING, dataclass, fields, is_dataclass
from hashlib import blake2b
from typing import Any, Literal, get_type_hints

from cftrain.counterfactuals.categories import Categories
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.search import CounterfactualSearch, Steps
from cftrain.data.dataset import DatasetSpec
from cftrain.evaluation.protocol import Protocol
from cftrain.models.classifier import ModelSpec
from cftrain.objectives.objective import Objective
from cftrain.ranges import INCIDENTAL, Seed
from cftrain.training.schedule import Schedule

FORMAT = 2
"""Part of every cell's id: results of another format are never taken for these."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that shapes the numbers of one model. A grid cell is a Run."""

    seed: Seed
    data: DatasetSpec
    model: ModelSpec
    generator: Generator
    maturity: Maturity
    search: Steps
    categories: Categories
    objective: Objective
    schedule: Schedule
    evaluation: Protocol

    def counterfactual_search(self) -> CounterfactualSearch:
        return CounterfactualSearch(
            generator=self.generator,
            maturity=self.maturity,
            steps=self.search,
            categories=self.categories,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a command does with a run; changes none of the run's numbers.

    `compare` is the objective of a twin that shares seed, split and initial weights.
    """

    name: str
    compare: Objective | None
    device: Literal["cpu", "cuda"]
    overwrite: bool


def configured(cls: Any) -> list[str]:
    """Fields that a configuration gives; those with a default are internal."""
    return [
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    ]


def describe(value: Any, *, incidental: bool = False) -> Any:
    """A frozen object as plain JSON values, as a configuration gives them.

    Fields marked INCIDENTAL are left out unless asked for.
    """
    if is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value), include_extras=True)
        described = {
            name: describe(getattr(value, name), incidental=incidental)
            for name in configured(type(value))
            if incidental or INCIDENTAL not in getattr(hints[name], "__metadata__", ())
        }
        kind = type(value)
        return {"_target_": f"{kind.__module__}.{kind.__qualname__}", **described}
    if isinstance(value, dict):
        return {
            key: describe(item, incidental=incidental) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [describe(item, incidental=incidental) for item in value]
    return value


def cell_id(run: Run, source: str) -> str:
    """Hash of the run, of the source of its data and of the results' format."""
    identity = {"format": FORMAT, "source": source, "run": describe(run)}
    text = json.dumps(identity)  # unsorted: the order of a table's columns matters
    return blake2b(text.encode(), digest_size=8).hexdigest()


def stack_id(cells: list[str]) -> str:
    """Hash of the cells that train together, in their order."""
    return blake2b("\n".join(cells).encode(), digest_size=8).hexdigest()


def relations(parts: dict[str, Any]) -> list[str]:
    """Mistakes between parts that are each fine; missing parts are not judged."""
    mistakes = []
    data, schedule = parts.get("data"), parts.get("schedule")
    if data and schedule and schedule.counterfactuals > data.training_rows:
        mistakes.append(
            "schedule.counterfactuals: expected at most the number of training rows "
            f"(data.training_rows={data.training_rows}), got {schedule.counterfactuals}"
        )
    if data and schedule and schedule.batch_rows > data.training_rows:
        mistakes.append(
            "schedule.batch_rows: expected at most the number of training rows "
            f"(data.training_rows={data.training_rows}), got {schedule.batch_rows}"
        )
    objective = parts.get("objective")
    if objective and objective.ridge_weight > 0 == objective.divergence_weight:
        mistakes.append(
            "objective.ridge_weight: expected 0 where objective.divergence_weight is 0 "
            f"(the ridge bounds the divergence), got {objective.ridge_weight:g}"
        )
    return mistakes
