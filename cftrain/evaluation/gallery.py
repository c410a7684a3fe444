"""Counterfactuals of a few factuals for every other class, for pictures."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.dataset import Dataset
from cftrain.evaluation.protocol import Gallery
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict, stack_size


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One row of one cell: the counterfactual for a target, or the factual itself."""

    cell: int
    factual: int
    label: int
    target: int
    predicted: int
    values: list[float]


def exhibits(
    classifier: Classifier, dataset: Dataset, gallery: Gallery
) -> list[Exhibit]:
    """Returns counterfactuals of the first test rows of some evenly spaced classes.

    Models have no say in the choice, so that cells which are evaluated apart can be
    shown side by side: a factual may be one that a model predicts wrongly.
    """
    chosen = _factuals(dataset, gallery.factuals)
    labels = dataset.test_labels[chosen]
    stack = stack_size(classifier)
    targets = torch.arange(dataset.classes, device=labels.device)
    factual = dataset.test_features[chosen].repeat_interleave(dataset.classes, 0)
    target = targets.repeat(len(chosen))
    search = CounterfactualSearch(
        generator=gallery.generator, maturity=gallery.maturity, descent=gallery.search
    )
    found = search(
        classifier,
        factual.expand(stack, -1, -1),
        target.expand(stack, -1),
        constraints=dataset.constraints,
    )
    own = labels.repeat_interleave(dataset.classes) == target
    shown = torch.where(own.unsqueeze(-1), found.factual, found.counterfactual)
    predicted = predict(classifier, shown)
    return [
        Exhibit(
            cell=cell,
            factual=int(chosen[row // dataset.classes]),
            label=int(labels[row // dataset.classes]),
            target=int(target[row]),
            predicted=int(predicted[cell, row]),
            values=shown[cell, row].tolist(),
        )
        for cell in range(stack)
        for row in range(len(target))
    ]


def _factuals(dataset: Dataset, count: int) -> Tensor:
    """Returns their places; a class without test rows has none."""
    classes = torch.linspace(0, dataset.classes - 1, count).round().long().unique()
    first = [
        (dataset.test_labels == label).nonzero().flatten()[:1] for label in classes
    ]
    return torch.cat(first)
