"""Whether a model is right as often as it says."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject


@named("calibration_error")
@final
@dataclass(frozen=True, kw_only=True)
class CalibrationError(ModelMetric):
    """Expected calibration error (Guo et al., 2017, Eq. 3).

    Test rows are put into bins of equal width by the probability of their predicted
    class; the mean over rows of the gap, in their bin, between that and the accuracy.
    """

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = False

    bins: Count

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        confidence, predicted = subject.probabilities.double().max(-1)
        right = (predicted == subject.dataset.test_labels).double()
        # A confidence on the border of two bins belongs to the lower one.
        place = (confidence * self.bins).ceil().long().clamp(1, self.bins) - 1
        gaps = torch.zeros(len(confidence), self.bins).to(confidence)
        gaps = gaps.scatter_add(1, place, right - confidence)
        return gaps.abs().sum(1, keepdim=True).T / confidence.shape[1]
