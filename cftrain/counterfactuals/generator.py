"""What a generator of counterfactuals is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cftrain.seeding import Stream
from cftrain.tensors import Classes, Features, Logits, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a search is: `step` moves are done of at most `max_steps`."""

    step: int
    max_steps: int


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Draws of one step for the rows that are left of `rows`: those at `index`.

    A row's draw does not depend on which other rows are left.
    """

    stream: Stream
    rows: int
    index: Tensor

    def normal(self, width: int, *, like: Tensor) -> Tensor:
        """Standard normal numbers (1, row, width)."""
        generator = self.stream.generator()
        drawn = torch.randn(self.rows, width, generator=generator, dtype=like.dtype)
        return drawn.to(like.device)[self.index].unsqueeze(0)


class Generator(ABC):
    """Says which rows are good counterfactuals; the search finds them.

    Concrete generators are final frozen dataclasses of hyperparameters. One that
    searches in the feature space has a loss and nothing else. One that searches
    elsewhere says what its states are by `encode`, `view` and `move`.
    """

    name: str

    @property
    def draws(self) -> bool:
        """Whether a search by it may end elsewhere when it is repeated."""
        return False

    def fitted(self, rows: Features, cache: Path) -> "Generator":
        """The generator made ready for a dataset's pool; files go to the cache."""
        return self

    def sharing(self, fitted: "Generator") -> "Generator":
        """This generator, ready with what another one of the stack was fitted with."""
        return self

    def ineffective(self, max_steps: int) -> frozenset[str]:
        """Options that change nothing in searches of at most so many steps."""
        return frozenset()

    def encode(self, x: Rows, noise: Noise) -> Tensor:
        """The state that stands for the rows x; the search descends by it."""
        return x

    def view(self, state: Tensor, x: Rows) -> Rows:
        """The rows of a state: with the values of x, differentiable by the state."""
        return state

    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        """The move of x that a step of the state proposes."""
        return step

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
