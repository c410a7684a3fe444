"""Data of two features and its models, for pictures."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from cftrain.data.dataset import Dataset
from cftrain.errors import ConfigError
from cftrain.illustrations.decision_map import DecisionMap
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict
from cftrain.tensors import Features

GRID_POINTS = 200
MARGIN = 0.5


@torch.no_grad()
def decision_map(dataset: Dataset, classifier: Classifier) -> DecisionMap:
    """Returns training rows, and what a stack of one model predicts around them."""
    low = dataset.features.amin(0) - MARGIN
    high = dataset.features.amax(0) + MARGIN
    x = torch.linspace(float(low[0]), float(high[0]), GRID_POINTS)
    y = torch.linspace(float(low[1]), float(high[1]), GRID_POINTS)
    grid = torch.cartesian_prod(x, y).unsqueeze(0)
    score = torch.softmax(classifier(grid), -1)[0, :, 1]
    return DecisionMap(
        features=dataset.features.numpy(),
        labels=dataset.labels.numpy(),
        axes=(x.numpy(), y.numpy()),
        score=score.view(GRID_POINTS, GRID_POINTS).T.numpy(),
    )


def shared_factuals(
    classifiers: Sequence[Classifier], dataset: Dataset, *, label: int, count: int
) -> Features:
    """Returns test rows of a class that all models predict rightly, spread over the
    first feature. Raises ConfigError if there are too few.
    """
    right = dataset.test_labels == label
    for classifier in classifiers:
        right &= predict(classifier, dataset.test_features.unsqueeze(0))[0] == label
    rows = dataset.test_features[right]
    if len(rows) < count:
        raise ConfigError(
            f"factuals: expected at most {len(rows)}, the test rows of class {label} "
            f"that all models predict rightly, got {count}"
        )
    order = rows[:, 0].argsort()
    return rows[order[torch.linspace(0, len(order) - 1, count).round().long()]]


def protecting(dataset: Dataset, feature: str | None) -> Dataset:
    """Returns the same rows with one feature immutable, or none, and all others free.

    Raises ConfigError for a feature that is not there.
    """
    names = dataset.feature_names
    if feature is not None and feature not in names:
        raise ConfigError(
            f"feature: expected one of {', '.join(names[:10])}, got {feature!r}"
        )
    free = torch.tensor([name != feature for name in names])
    constraints = replace(dataset.constraints, may_increase=free, may_decrease=free)
    return replace(dataset, constraints=constraints)
