"""Data of two features and its models, for pictures."""

from collections.abc import Sequence

import torch

from cftrain.data.dataset import Dataset
from cftrain.errors import ConfigError
from cftrain.illustrations.decision_map import Landscape
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict
from cftrain.tensors import Features

GRID_POINTS = 200
MARGIN = 0.5


@torch.no_grad()
def landscape(dataset: Dataset, classifier: Classifier) -> Landscape:
    """Training rows, and what a stack of one model predicts around them."""
    low = dataset.features.amin(0) - MARGIN
    high = dataset.features.amax(0) + MARGIN
    x = torch.linspace(float(low[0]), float(high[0]), GRID_POINTS)
    y = torch.linspace(float(low[1]), float(high[1]), GRID_POINTS)
    grid = torch.cartesian_prod(x, y).unsqueeze(0)
    score = torch.softmax(classifier(grid), -1)[0, :, 1]
    return Landscape(
        features=dataset.features.numpy(),
        labels=dataset.labels.numpy(),
        axes=(x.numpy(), y.numpy()),
        score=score.view(GRID_POINTS, GRID_POINTS).T.numpy(),
    )


def shared_factuals(
    classifiers: Sequence[Classifier], dataset: Dataset, *, label: int, count: int
) -> Features:
    """Test rows of a class that all models predict rightly, spread over the first
    feature. Raises ConfigError if there are too few.
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
