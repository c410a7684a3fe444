"""Integrated gradients: what a class logit owes to each feature."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from cftrain.cores import side_by_side
from cftrain.counterfactuals.energy import target_logit
from cftrain.counterfactuals.gradients import input_gradient
from cftrain.data.dataset import Dataset
from cftrain.models.classifier import Classifier
from cftrain.models.module import is_shareable
from cftrain.models.stack_slicing import stack_size
from cftrain.seeding import Stream
from cftrain.tensors import Classes, Features, Rows

ATTRIBUTED_ROWS = 1024
"""Rows attributed at a time."""


def integrated_gradients(
    classifier: Classifier, x: Rows, label: Classes, baseline: Features, *, steps: int
) -> Rows:
    """Returns what the logit of each row's label owes to its features.

    Sundararajan et al. (2017): the row minus its baseline, the same in all cells, times
    the mean gradient on the straight way between them, by the midpoint rule.
    """
    parts = zip(
        x.split(ATTRIBUTED_ROWS, 1),
        label.split(ATTRIBUTED_ROWS, 1),
        baseline.split(ATTRIBUTED_ROWS),
        strict=True,
    )
    found = side_by_side(
        lambda part: _integral(classifier, *part, steps),
        [*parts],
        shared=is_shareable(classifier),
    )
    return torch.cat(found, 1)


def attributions(
    classifier: Classifier, dataset: Dataset, *, steps: int, seed: int
) -> Rows:
    """Returns integrated gradients of all test rows, each for its own label's logit.

    Every row has a baseline of its own, uniform in (-1, 1) and a function of the seed:
    whether the authors draw one for each row or for each call is not known.
    """
    rows = dataset.test_features
    generator = Stream(seed).generator()
    uniform = torch.rand(rows.shape, generator=generator, dtype=rows.dtype)
    stack = stack_size(classifier)
    return integrated_gradients(
        classifier,
        rows.expand(stack, -1, -1),
        dataset.test_labels.expand(stack, -1),
        (2 * uniform - 1).to(rows.device),
        steps=steps,
    )


def class_means(found: Rows, dataset: Dataset) -> Float[Tensor, "stack class feature"]:
    """Returns the mean attributions of each class's test rows; NaN without rows."""
    members = one_hot(dataset.test_labels, dataset.classes).to(found)
    return members.T @ found / members.sum(0).unsqueeze(-1)


def _integral(
    classifier: Classifier, x: Rows, label: Classes, baseline: Features, steps: int
) -> Rows:
    way = x - baseline
    total = torch.zeros_like(way)
    for step in range(steps):
        place = baseline + (step + 0.5) / steps * way
        total += input_gradient(target_logit, classifier, place, label)
    return way * total / steps
