"""Evaluate every cell of a stack by a protocol."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import class_index
from cftrain.evaluation.metric import CounterfactualMetric, Individuals, ModelMetric
from cftrain.evaluation.protocol import Protocol
from cftrain.evaluation.reference import Reference
from cftrain.models.classifier import Classifier
from cftrain.models.members import predict, width
from cftrain.seeding import Stream, Streams
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


def evaluate(
    classifier: Classifier, dataset: Dataset, protocol: Protocol, *, streams: Streams
) -> Iterator[Measurement]:
    """All measurements of all cells; cell s draws its individuals from stream s."""
    for name, metric in protocol.metrics.items():
        if isinstance(metric, ModelMetric):
            yield from _model_measurements(name, metric, classifier, dataset)
    if protocol.split == "test":
        features, labels = dataset.test_features, dataset.test_labels
    else:
        features, labels = dataset.features, dataset.labels
    reference = Reference(features, labels, dataset.classes)
    for number, (weight, search) in enumerate(protocol.searches()):
        drawn = [stream.child("evaluation", number) for stream in streams]
        individuals = draw_individuals(
            classifier, dataset, reference, protocol, search, streams=drawn
        )
        for name, metric in protocol.metrics.items():
            if isinstance(metric, CounterfactualMetric):
                values = metric(individuals, reference).double()
                counted = individuals.valid if metric.of_valid else individuals.present
                yield from _row_measurements(name, individuals, values, counted, weight)


def draw_individuals(
    classifier: Classifier,
    dataset: Dataset,
    reference: Reference,
    protocol: Protocol,
    search: CounterfactualSearch,
    *,
    streams: Streams,
) -> Individuals:
    """Draw the individuals of all rounds and search their counterfactuals."""
    stack = width(classifier)
    device = reference.features.device
    factual_class, target = pairs(
        protocol.individuals, dataset.classes, Stream(protocol.pair_seed)
    )
    wanted = factual_class.repeat(protocol.rounds).expand(stack, -1).to(device)
    targets = target.repeat(protocol.rounds).expand(stack, -1).to(device)
    index = class_index(
        predict(classifier, reference.features.unsqueeze(0)), dataset.classes
    )
    factual = reference.features[index.draw(wanted, streams)]
    found = search(
        classifier,
        factual,
        targets,
        constraints=dataset.constraints,
        streams=[stream.child("search") for stream in streams],
    )
    return Individuals(
        found=found,
        predicted=predict(classifier, found.counterfactual),
        present=index.counts.gather(1, wanted) > 0,
        rounds=protocol.rounds,
        pair_target=target,
    )


def pairs(count: int, classes: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """Factual classes, uniform, and targets, uniform among the other classes."""
    generator = stream.generator()
    factual = torch.randint(classes, (count,), generator=generator)
    offset = torch.randint(1, classes, (count,), generator=generator)
    return factual, (factual + offset) % classes


def _model_measurements(
    name: str, metric: ModelMetric, classifier: Classifier, dataset: Dataset
) -> Iterator[Measurement]:
    values = metric(classifier, dataset)
    for level, of_cells in zip(metric.levels, values.tolist(), strict=True):
        for cell, value in enumerate(of_cells):
            yield Measurement(
                cell=cell,
                metric=name,
                energy_weight=None,
                round=None,
                epsilon=level,
                value=value,
                rows=len(dataset.test_labels),
            )


def _row_measurements(
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
