"""What a generator of counterfactuals is: a loss, and a space to descend it in."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

from cftrain.counterfactuals.space import Space
from cftrain.tensors import Classes, Features, Logits, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a search has come: `step` of at most `max_steps` moves are made."""

    step: int
    max_steps: int


@dataclass(frozen=True, kw_only=True)
class Generator(ABC):
    """Says which rows are good counterfactuals; the search finds them.

    A concrete generator is a final frozen dataclass: the loss and its weights. It is
    descended in its `space`, of which it knows nothing.
    """

    name: str
    space: Space

    @abstractmethod
    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        """Returns what the search descends, for each row.

        The search differentiates it by the logits and by the counterfactual.
        """

    @abstractmethod
    def ineffective(self, max_steps: int) -> frozenset[str]:
        """Returns the weights without effect in searches of at most so many steps."""

    @property
    def draws(self) -> bool:
        """Whether a search by it may end elsewhere when it is repeated."""
        return self.space.draws

    def fitted(self, rows: Features, cache: Path) -> "Generator":
        """Returns it made ready for a dataset's pool; files go to the cache."""
        return replace(self, space=self.space.fitted(rows, cache))

    def sharing(self, fitted: "Generator") -> "Generator":
        """Returns it ready with what another one of the stack was fitted with."""
        return replace(self, space=self.space.sharing(fitted.space))
