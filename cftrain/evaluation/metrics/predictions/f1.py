"""Macro F1 on test rows."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject


@named("macro_f1")
@final
@dataclass(frozen=True, kw_only=True)
class MacroF1(ModelMetric):
    """Unweighted mean over classes of 2 tp / (2 tp + fp + fn), 0 for a class unseen."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        predicted, dataset = subject.predicted, subject.dataset
        labels = dataset.test_labels.unsqueeze(0)
        scores = []
        for label in range(dataset.classes):
            found, true = predicted == label, labels == label
            hits = (found & true).sum(1).double()
            both = found.sum(1) + true.sum(1)
            scores.append(2 * hits / both.clamp(min=1))
        return torch.stack(scores).mean(0, keepdim=True)
