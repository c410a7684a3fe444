"""Share of test rows whose predicted class is their label."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject


@named("accuracy")
@final
@dataclass(frozen=True, kw_only=True)
class Accuracy(ModelMetric):
    """Test accuracy."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        right = subject.predicted == subject.dataset.test_labels
        return right.double().mean(1).unsqueeze(0)
