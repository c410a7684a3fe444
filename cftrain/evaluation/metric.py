"""What a metric is, and what it may look at."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.constraints import Constraints
from cftrain.data.dataset import Dataset
from cftrain.evaluation.reference import Reference
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Mask, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Individuals:
    """The searched individuals of one evaluation, and who explains them.

    Rows are ordered by round, then by individual. The (factual class, target) pairs of
    a round are the same in every round and cell; `pair_target` lists the targets of one
    round and `pair_factual` the factual classes. `factual_row` is the place of a
    factual among the rows of the evaluated split. `present` is False where there is
    nothing to explain: no row of the factual class, or one that the model already
    predicts as the target. `held_out` has for each row an observed row of its target
    class that is not among the reference rows, the same for all cells.
    """

    found: SearchResult
    predicted: Classes
    present: Mask
    factual_row: Classes
    held_out: Rows
    rounds: int
    pair_factual: Int[Tensor, " individual"]
    pair_target: Int[Tensor, " individual"]
    classifier: Classifier
    constraints: Constraints

    @property
    def valid(self) -> Mask:
        """Predicted as the target; not the same as mature."""
        return self.present & (self.predicted == self.found.target)

    def by_round(self, values: Tensor) -> Tensor:
        """(stack, row, ...) as (stack, round, individual, ...)."""
        return values.unflatten(1, (self.rounds, -1))


class Metric(ABC):
    """A quantity with a unit and a direction.

    Most metrics have them as class variables; one that wraps another has the other's.
    """

    @property
    @abstractmethod
    def unit(self) -> str: ...

    @property
    @abstractmethod
    def higher_is_better(self) -> bool: ...


class CounterfactualMetric(Metric):
    """A metric of counterfactuals: one value per row."""

    of_valid: ClassVar[bool] = True
    """Whether only valid counterfactuals count in means, as in the paper's tables."""

    individual: ClassVar[bool] = False
    """Whether the value of every single counterfactual is stored."""

    @abstractmethod
    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow: ...


@dataclass(frozen=True, kw_only=True)
class DerivedMetric(CounterfactualMetric):
    """Another metric of other rows, in the unit and direction of that one."""

    metric: CounterfactualMetric

    @property
    def unit(self) -> str:
        return self.metric.unit

    @property
    def higher_is_better(self) -> bool:
        return self.metric.higher_is_better


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


class ResampledMetric(Metric):
    """A metric of the classifier on resampled test rows: a value per round and cell.

    Without rounds where it does not apply.
    """

    @abstractmethod
    def __call__(
        self, classifier: Classifier, dataset: Dataset
    ) -> Float[Tensor, "round stack"]: ...
