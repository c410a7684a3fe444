"""What a metric is, and what it may look at."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec
from cftrain.evaluation.reference import Reference
from cftrain.evaluation.subject import Subject
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Mask, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Individuals:
    """The searched individuals of one evaluation, and the models that explain them.

    Rows are ordered by round, then by individual. All rounds and cells have the same
    list of classes: an individual has the factual class `pair_factual` and the target
    `pair_target`, which are listed for one round.

    - `factual_row`: the place of each factual among the rows of the evaluated split;
    - `present`: False where there is nothing to explain, because no row has the factual
      class or because the model predicts the row as its target already;
    - `held_out`: for each row an observed row of its target class, taken from the other
      split and the same for all cells;
    - `codec`: turns rows into what people are told; None of images.
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
    codec: Codec | None = None

    @property
    def valid(self) -> Mask:
        """Predicted as the target; not the same as mature."""
        return self.present & (self.predicted == self.found.target)

    def by_round(self, values: Tensor) -> Tensor:
        """Returns (stack, row, ...) as (stack, round, individual, ...)."""
        return values.unflatten(1, (self.rounds, -1))


class Metric(ABC):
    """A quantity that has a unit and is better when it is higher, or when it is lower.

    Most metrics say so in class variables. One that wraps another metric takes unit and
    direction from that one.
    """

    @property
    @abstractmethod
    def unit(self) -> str: ...

    @property
    @abstractmethod
    def higher_is_better(self) -> bool: ...


class CounterfactualMetric(Metric):
    """A metric of counterfactuals: one value for each row."""

    individual: ClassVar[bool] = False
    """Whether the value of every single counterfactual is stored."""

    of_tables: ClassVar[bool] = False
    """Whether it is only about rows that people are told, and so not about images."""

    @property
    def of_valid(self) -> bool:
        """Whether only valid counterfactuals count in means, as in the paper's tables.

        A metric that counts all of them has a class variable in its place.
        """
        return True

    @abstractmethod
    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow: ...


@dataclass(frozen=True, kw_only=True)
class DerivedMetric(CounterfactualMetric):
    """Another metric, of other rows or counted otherwise.

    It has the other's unit and direction and counts the same rows, unless it says
    otherwise. Its single values are not stored: they are no counterfactual's own, or
    stored already.
    """

    metric: CounterfactualMetric

    @property
    def unit(self) -> str:
        return self.metric.unit

    @property
    def higher_is_better(self) -> bool:
        return self.metric.higher_is_better

    @property
    def of_valid(self) -> bool:
        return self.metric.of_valid


class ModelMetric(Metric):
    """A metric of models on the test rows: one value for each level and cell."""

    @property
    def levels(self) -> tuple[float | None, ...]:
        """Attack strengths, or a single None for a metric without."""
        return (None,)

    @abstractmethod
    def __call__(self, subject: Subject) -> Float[Tensor, "level stack"]: ...


class ResampledMetric(Metric):
    """A metric of models on resampled test rows: one value for each round and cell.

    Where it does not apply there are no rounds.
    """

    @abstractmethod
    def __call__(self, subject: Subject) -> Float[Tensor, "round stack"]: ...
