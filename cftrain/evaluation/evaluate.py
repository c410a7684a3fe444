"""Evaluate every cell of a stack by a protocol."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cftrain.config.outside import all_own
from cftrain.cores import side_by_side
from cftrain.data.dataset import Dataset
from cftrain.errors import DataError
from cftrain.evaluation.attribution import class_means
from cftrain.evaluation.individuals import draw_individuals, references
from cftrain.evaluation.metric import (
    CounterfactualMetric,
    DerivedMetric,
    Individuals,
    ModelMetric,
    ResampledMetric,
)
from cftrain.evaluation.protocol import Attributions, Protocol
from cftrain.evaluation.reference import Reference
from cftrain.evaluation.subject import Subject
from cftrain.models.classifier import Classifier
from cftrain.models.module import is_shareable
from cftrain.seeding import Streams
from cftrain.tensors import Mask, PerRow


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One value of one metric of one cell; metrics go by their names in the protocol.

    For metrics of counterfactuals the mean over the `rows` of a round that count; NaN
    and 0 rows where none does.
    """

    cell: int
    metric: str
    energy_weight: float | None
    round: int | None
    epsilon: float | None
    value: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Explained:
    """The values of one metric for every distinct individual of one cell.

    `factual` is a place in the evaluated split, `draws` says how often the individual
    was drawn; `mature` are those whose target got to the threshold of maturity. The
    value is NaN where the counterfactual is not valid.
    """

    cell: int
    metric: str
    energy_weight: float | None
    factual: Int[Tensor, " individual"]
    target: Int[Tensor, " individual"]
    draws: Int[Tensor, " individual"]
    valid: Bool[Tensor, " individual"]
    mature: Bool[Tensor, " individual"]
    value: Float[Tensor, " individual"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that was found; `attributions` only if the protocol asks for them."""

    measurements: list[Measurement]
    explained: list[Explained]
    attributions: Float[Tensor, "stack class feature"] | None


def evaluate(
    classifier: Classifier,
    dataset: Dataset,
    protocol: Protocol,
    *,
    streams: Streams,
    on_part: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Measures all cells; cell s draws its individuals from stream s.

    `on_part` is called after each of the `parts` of the work. Raises DataError if there
    are no test rows.
    """
    if not len(dataset.test_labels):
        raise DataError(f"{dataset.name}: expected test rows to evaluate by, got none")
    measurements: list[Measurement] = []
    explained: list[Explained] = []
    subject = Subject(classifier=classifier, dataset=dataset)
    for name, metric in protocol.metrics.items():
        if isinstance(metric, ModelMetric | ResampledMetric):
            measurements += _model_values(name, metric, subject)
    on_part()
    reference, _ = references(dataset, protocol.split)
    for number, (weight, search) in enumerate(protocol.searches()):
        drawn = [stream.child("evaluation", number) for stream in streams]
        individuals = draw_individuals(
            classifier, dataset, protocol, search, streams=drawn, on_search=on_part
        )
        asked = _of_counterfactuals(protocol, individuals)
        found = _values([*asked.values()], individuals, reference)
        for (name, metric), values in zip(asked.items(), found, strict=True):
            counted = individuals.valid if metric.of_valid else individuals.present
            measurements += _round_values(name, individuals, values, counted, weight)
            if metric.individual:
                explained += _explained(name, individuals, values, weight)
        on_part()
    return Evaluation(
        measurements=measurements,
        explained=explained,
        attributions=_attributions(subject, protocol.attributions),
    )


def metric_rows(found: Evaluation, protocol: Protocol) -> Iterator[dict[str, Any]]:
    """Yields the measurements as rows of the table of metrics, each with the place of
    its `cell` in the stack.
    """
    for measurement in found.measurements:
        metric = protocol.metrics[measurement.metric]
        yield {
            **asdict(measurement),
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
        }


def parts(protocol: Protocol, cells: int) -> int:
    """Returns of how many parts an evaluation of so many cells consists."""
    return 1 + len(protocol.searches()) * (cells + 1)


def _attributions(
    subject: Subject, asked: Attributions | None
) -> Float[Tensor, "stack class feature"] | None:
    if asked is None:
        return None
    found = subject.attributions(steps=asked.steps, seed=asked.seed)
    return class_means(found, subject.dataset)


def _of_counterfactuals(
    protocol: Protocol, individuals: Individuals
) -> dict[str, CounterfactualMetric]:
    """The metrics that are about these individuals."""
    return {
        name: metric
        for name, metric in protocol.metrics.items()
        if isinstance(metric, CounterfactualMetric)
        and not (metric.of_tables and individuals.codec is None)
    }


def _values(
    metrics: Sequence[CounterfactualMetric],
    individuals: Individuals,
    reference: Reference,
) -> list[PerRow]:
    """The values of each metric; what comes of one is nothing to the others."""
    own = all_own(*(part for each in metrics for part in _parts(each)))
    return side_by_side(
        lambda metric: metric(individuals, reference).double(),
        metrics,
        shared=own and is_shareable(individuals.classifier),
    )


def _parts(metric: CounterfactualMetric) -> Iterator[CounterfactualMetric]:
    """A metric and those that it is derived from."""
    yield metric
    if isinstance(metric, DerivedMetric):
        yield from _parts(metric.metric)


def _model_values(
    name: str, metric: ModelMetric | ResampledMetric, subject: Subject
) -> Iterator[Measurement]:
    """Yields a value for each level of an attack, or for each round of resampling."""
    levels = metric.levels if isinstance(metric, ModelMetric) else None
    for number, of_cells in enumerate(metric(subject).tolist()):
        for cell, value in enumerate(of_cells):
            yield Measurement(
                cell=cell,
                metric=name,
                energy_weight=None,
                round=number if levels is None else None,
                epsilon=None if levels is None else levels[number],
                value=value,
                rows=len(subject.dataset.test_labels),
            )


def _round_values(
    name: str,
    individuals: Individuals,
    values: PerRow,
    counted: Mask,
    energy_weight: float | None,
) -> Iterator[Measurement]:
    counted = individuals.by_round(counted & torch.isfinite(values))
    rows = counted.sum(-1)
    sums = torch.where(counted, individuals.by_round(values), 0).sum(-1)
    means = sums / torch.where(rows > 0, rows, torch.nan)
    for cell, (of_rounds, counts) in enumerate(
        zip(means.tolist(), rows.tolist(), strict=True)
    ):
        for number, (value, count) in enumerate(zip(of_rounds, counts, strict=True)):
            yield Measurement(
                cell=cell,
                metric=name,
                energy_weight=energy_weight,
                round=number,
                epsilon=None,
                value=value,
                rows=count,
            )


def _explained(
    name: str, individuals: Individuals, values: PerRow, energy_weight: float | None
) -> Iterator[Explained]:
    target, present = individuals.found.target, individuals.present
    values = torch.where(individuals.valid, values, torch.nan)
    classes = int(target.max()) + 1
    for cell in range(len(values)):
        places = present[cell].nonzero().squeeze(1)
        key = individuals.factual_row[cell, places] * classes + target[cell, places]
        key, inverse, draws = key.unique(return_inverse=True, return_counts=True)
        first = torch.empty_like(draws).scatter_reduce(
            0, inverse, places, "amin", include_self=False
        )
        yield Explained(
            cell=cell,
            metric=name,
            energy_weight=energy_weight,
            factual=key // classes,
            target=key % classes,
            draws=draws,
            valid=individuals.valid[cell, first],
            mature=individuals.found.mature[cell, first],
            value=values[cell, first],
        )
