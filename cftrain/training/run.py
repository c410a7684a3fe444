"""A run: the frozen description of one trained model."""

from dataclasses import dataclass
from typing import Annotated, Any

from cftrain.config.build import build_object
from cftrain.config.names import named
from cftrain.config.ranges import Later, Seed
from cftrain.counterfactuals.categories import Categories
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import DatasetSpec
from cftrain.models.classifier import ModelSpec
from cftrain.objectives.class_weights import mistaken
from cftrain.objectives.objective import Objective
from cftrain.results.identifiers import is_name
from cftrain.training.initial import InitialWeights
from cftrain.training.schedule import Schedule


@named("run")
@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that shapes the weights of one model, and nothing else.

    How a model is evaluated is no part of it, nor is where its data lie: both may
    change without a new training. A grid cell is a Run with an id.
    """

    seed: Seed
    data: DatasetSpec
    model: ModelSpec
    generator: Generator
    maturity: Maturity
    search: GradientDescent
    categories: Categories
    objective: Objective
    schedule: Schedule
    init_from: Annotated[InitialWeights | None, Later(None)]

    def counterfactual_search(self) -> CounterfactualSearch:
        return CounterfactualSearch(
            generator=self.generator,
            maturity=self.maturity,
            descent=self.search,
            categories=self.categories,
        )


def rebuild(described: dict[str, Any]) -> Run:
    """The run that `cftrain.config.identity.describe` described.

    What says where things lie comes from here and now. Raises ConfigError.
    """
    return build_object(described, Run, "run")


def relations(parts: dict[str, Any]) -> list[str]:
    """Mistakes between parts that are each fine; missing parts are not judged."""
    mistakes = _unfit_names(parts)
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
    if data and schedule and schedule.judges_epochs and not data.validation_rows:
        judge = "patience" if schedule.keep == "last" else f"keep={schedule.keep}"
        mistakes.append(
            f"data.validation_rows: expected some where schedule.{judge} judges by "
            "them, got 0"
        )
    budget = parts.get("budget")
    if data and budget and budget.active and not data.validation_rows:
        mistakes.append(
            "data.validation_rows: expected some where a budget judges by them, got 0"
        )
    if data and parts.get("evaluation") and not data.has_test_rows:
        mistakes.append(
            "data.test_share (data.pool_share of a declaration): expected test rows to "
            "evaluate the models by, got none"
        )
    objective = parts.get("objective")
    if objective and objective.ridge_weight > 0 == objective.divergence_weight:
        mistakes.append(
            "objective.ridge_weight: expected 0 where objective.divergence_weight is 0 "
            f"(the ridge bounds the divergence), got {objective.ridge_weight:g}"
        )
    return mistakes + _headless(parts) + _unfit_weights(parts)


def _headless(parts: dict[str, Any]) -> list[str]:
    """What needs a head that the model does not have, or that nothing trains."""
    model, objective = parts.get("model"), parts.get("objective")
    if not model or not objective:
        return []
    evaluation, mistakes = parts.get("evaluation"), []
    askers = {
        "generator": parts.get("generator"),
        "evaluation.generator": getattr(evaluation, "generator", None),
        "evaluation.gallery.generator": getattr(
            getattr(evaluation, "gallery", None), "generator", None
        ),
    }
    asking = [key for key, each in askers.items() if each and each.asks_head]
    trained, distance = objective.head_weight > 0, objective.head_distance_weight
    needing = [*asking, *(["objective.head_weight"] * trained)]
    if needing and not model.has_head:
        mistakes.append(
            f"model: expected one with a head (model=counternet) for {needing[0]}, got "
            f"{model.name}"
        )
    if asking and not trained:
        mistakes.append(
            f"objective.head_weight: expected some (objective=counternet) for a head "
            f"that {asking[0]} asks, got 0"
        )
    if distance > 0 and not trained:
        mistakes.append(
            "objective.head_distance_weight: expected 0 where objective.head_weight is "
            f"0, got {distance:g}"
        )
    return mistakes


def _unfit_weights(parts: dict[str, Any]) -> list[str]:
    """Weights of other classes than those of the data, as far as these are known."""
    objectives = {key: parts.get(key) for key in ("objective", "compare")}
    weights = {
        key: objective.class_weights
        for key, objective in objectives.items()
        if objective and objective.class_weights is not None
    }
    if not weights or not parts.get("data"):
        return []  # names may have to be looked up among files
    names = parts["data"].class_names
    return [
        f"{key}.class_weights: {wrong}"
        for key, chosen in weights.items()
        if names and (wrong := mistaken(chosen, names))
    ]


def _unfit_names(parts: dict[str, Any]) -> list[str]:
    """Names become parts of the names of files, wherever results are read."""
    names = {
        key: getattr(parts.get(key), "name", None)
        for key in ("data", "model", "generator", "grid")
    }
    return [
        f"{key}.name: expected a name of letters, digits and plain signs, got {name!r}"
        for key, name in names.items()
        if name is not None and not is_name(name)
    ]
