"""Share of test rows whose predicted class is their label."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.data.dataset import Dataset
from cftrain.evaluation.metric import ModelMetric
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import predict


@named("accuracy")
@final
@dataclass(frozen=True, kw_only=True)
class Accuracy(ModelMetric):
    """Test accuracy."""

    unit: ClassVar[str] = "share"
    higher_is_better: ClassVar[bool] = True

    def __call__(
        self, classifier: Classifier, dataset: Dataset
    ) -> Float[Tensor, "level stack"]:
        predicted = predict(classifier, dataset.test_features.unsqueeze(0))
        return (predicted == dataset.test_labels).double().mean(1).unsqueeze(0)
