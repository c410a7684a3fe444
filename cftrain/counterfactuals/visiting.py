"""Generators that go to rows which they are told, in place of descending a loss."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from cftrain.counterfactuals.energy import cross_entropy, cross_entropy_slope
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.penalties import distance, distance_slope
from cftrain.counterfactuals.route import Route
from cftrain.data.constraints import Constraints
from cftrain.errors import ConfigError
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Logits, Mask, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Visiting(Generator):
    """What a search would descend is the generic loss, which says how good a row is,
    but has no say in where to go.
    """

    def __post_init__(self) -> None:
        if not self.space.shows_states:
            raise ConfigError(
                "generator.space: expected features, since rows are visited as they "
                "are, got a space of other states"
            )

    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        return cross_entropy(logits, target) + distance(counterfactual, factual)

    def slopes(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> tuple[Logits, Rows]:
        pull = distance_slope(counterfactual, factual)
        return cross_entropy_slope(logits, target), pull

    def ineffective(self, max_steps: int) -> frozenset[str]:
        return frozenset()

    @abstractmethod
    def route(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        *,
        accepts: Callable[[PerRow], Mask],
        max_steps: int,
        constraints: Constraints,
    ) -> Route:
        """Returns where to go."""
