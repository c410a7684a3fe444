"""How improbable a model finds the labels."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.evaluation.metric import ModelMetric
from cftrain.evaluation.subject import Subject


@named("negative_log_likelihood")
@final
@dataclass(frozen=True, kw_only=True)
class NegativeLogLikelihood(ModelMetric):
    """Mean of minus the logarithm of the probability of the label, over test rows.

    A proper score: no model has less of it than one that knows the probabilities.
    """

    unit: ClassVar[str] = "nats"
    higher_is_better: ClassVar[bool] = False

    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]:
        probability = subject.probabilities.double()
        labels = subject.dataset.test_labels.expand(probability.shape[:2])
        # float32 rounds what is below 1e-38 to 0.
        own = probability.gather(-1, labels.unsqueeze(-1)).clamp(min=1e-38)
        found: Tensor = -own.log().mean((1, 2)).unsqueeze(0)
        return found
