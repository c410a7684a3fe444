"""Accuracy on attacked test rows."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.data.dataset import Dataset
from cftrain.evaluation.attacks import fgsm
from cftrain.evaluation.metric import ModelMetric
from cftrain.models.classifier import Classifier
from cftrain.models.members import predict, width
from cftrain.ranges import AtLeast

ATTACKED_ROWS = 1024
"""Test rows attacked at a time."""


@final
@dataclass(frozen=True, kw_only=True)
class FgsmAccuracy(ModelMetric):
    """Test accuracy under FGSM, for each epsilon (in units of the model's inputs)."""

    name: ClassVar[str] = "fgsm_accuracy"
    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    epsilons: tuple[Annotated[float, AtLeast(0)], ...]

    @property
    def levels(self) -> tuple[float | None, ...]:
        return self.epsilons

    def __call__(
        self, classifier: Classifier, dataset: Dataset
    ) -> Float[Tensor, "level stack"]:
        stack = width(classifier)
        correct = torch.zeros(len(self.epsilons), stack, dtype=torch.float64)
        for rows in torch.arange(len(dataset.test_labels)).split(ATTACKED_ROWS):
            x = dataset.test_features[rows].expand(stack, -1, -1)
            label = dataset.test_labels[rows].expand(stack, -1)
            for level, epsilon in enumerate(self.epsilons):
                attacked = fgsm(classifier, x, label, epsilon=epsilon)
                hits = predict(classifier, attacked) == label
                correct[level] += hits.sum(1).cpu()
        return correct / len(dataset.test_labels)
