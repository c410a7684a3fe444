"""What a metric is, and what it may look at."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.dataset import Dataset
from cftrain.evaluation.reference import Reference
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Mask, PerRow


@dataclass(frozen=True, kw_only=True)
class Individuals:
    """The searched individuals of one evaluation.

    Rows are ordered by round, then by individual. The (factual class, target) pairs of
    a round are the same in every round and cell; `pair_target` lists the targets of one
    round. `present` is False where the model predicts the factual class for no row.
    """

    found: SearchResult
    predicted: Classes
    present: Mask
    rounds: int
    pair_target: Int[Tensor, " individual"]

    @property
    def valid(self) -> Mask:
        """Predicted as the target; not the same as mature."""
        return self.present & (self.predicted == self.found.target)

    def by_round(self, values: Tensor) -> Tensor:
        """(stack, row, ...) as (stack, round, individual, ...)."""
        return values.unflatten(1, (self.rounds, -1))


class Metric(ABC):
    """A named quantity with a unit and a direction."""

    name: ClassVar[str]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool]


class CounterfactualMetric(Metric):
    """A metric of counterfactuals: one value per row."""

    of_valid: ClassVar[bool] = True
    """Whether only valid counterfactuals count in means, as in the paper's tables."""

    @abstractmethod
    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow: ...


class ModelMetric(Metric):
    """A metric of the classifier on the test rows: one value per level and cell."""

    @property
    def levels(self) -> tuple[float | None, ...]:
        """Attack strengths, or a single None for a metric without."""
        return (None,)

    @abstractmethod
    def __call__(
        self, classifier: Classifier, dataset: Dataset
    ) -> Float[Tensor, "level stack"]: ...
