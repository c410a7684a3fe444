"""What a generator of counterfactuals is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from cftrain.tensors import Classes, Logits, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a search is: `step` moves are done of at most `max_steps`."""

    step: int
    max_steps: int


class Generator(ABC):
    """Says which rows are good counterfactuals; the search finds them.

    Concrete generators are final frozen dataclasses of hyperparameters.
    """

    name: str

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
        """What the search descends, per row."""
