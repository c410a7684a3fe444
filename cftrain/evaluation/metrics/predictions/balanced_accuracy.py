"""Accuracy in which every class weighs the same."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject


@named("balanced_accuracy")
@final
@dataclass(frozen=True, kw_only=True)
class BalancedAccuracy(ModelMetric):
    """Unweighted mean of the accuracies on the test rows of each class that has any."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        labels = subject.dataset.test_labels
        right = (subject.predicted == labels).double()
        recalls = [right[:, labels == label].mean(1) for label in labels.unique()]
        return torch.stack(recalls).mean(0, keepdim=True)
