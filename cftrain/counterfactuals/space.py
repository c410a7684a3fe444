"""Where a search moves: among rows, or among states that stand for them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.seeding import Stream
from cftrain.tensors import Features, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The random numbers of one step, for those of its `rows` that are still moving.

    `index` has the places of the moving rows among all rows. A row gets the same
    numbers whichever other rows are still moving.
    """

    stream: Stream
    rows: int
    index: Tensor

    def normal(self, numbers: int, *, like: Tensor) -> Tensor:
        """Returns so many standard normal numbers for each moving row.

        The shape is (1, row, number), type and device are those of `like`.
        """
        generator = self.stream.generator()
        drawn = torch.randn(self.rows, numbers, generator=generator, dtype=like.dtype)
        return drawn.to(like.device)[self.index].unsqueeze(0)

    def uniform(self) -> PerRow:
        """Returns a number in [0, 1) for each moving row."""
        drawn = torch.rand(self.rows, generator=self.stream.child("visit").generator())
        return drawn.to(self.index.device)[self.index].unsqueeze(0)


class Space(ABC):
    """Says what the states of a search are, and how they stand for rows.

    Concrete spaces are final frozen dataclasses. Any of them goes with any generator.
    """

    @property
    @abstractmethod
    def draws(self) -> bool:
        """Whether a search in this space may end elsewhere when it is repeated."""

    @property
    def shows_states(self) -> bool:
        """Whether states are the rows themselves, so that `view` has no graph."""
        return False

    @property
    def has_closed_form(self) -> bool:
        """Whether `pull_back` goes from rows to states, so that `view` is not asked:
        then the rows of a state are those that it was encoded from.
        """
        return False

    def pull_back(self, state: Tensor, by_rows: Rows) -> Tensor:
        """Returns the gradient by the state of what has this gradient by its rows."""
        raise NotImplementedError

    @property
    @abstractmethod
    def learns(self) -> bool:
        """Whether it is learned from observed rows, so that `fitted` needs some."""

    @abstractmethod
    def fitted(self, rows: Features, cache: Path) -> "Space":
        """Returns the space made ready for a dataset's pool; files go to the cache."""

    @abstractmethod
    def sharing(self, fitted: "Space") -> "Space":
        """Returns this space, ready with what another one of the stack was fitted with.

        Raises StackError if the two are of different kinds.
        """

    @abstractmethod
    def encode(self, x: Rows, noise: Noise) -> Tensor:
        """Returns the state that stands for the rows x."""

    @abstractmethod
    def view(self, state: Tensor, x: Rows) -> Rows:
        """Returns the rows x as a differentiable function of their state."""

    @abstractmethod
    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        """Returns by how much a step of the state would move the rows x."""


@named("feature_space")
@final
@dataclass(frozen=True, kw_only=True)
class FeatureSpace(Space):
    """The space of the rows themselves: a state is its row."""

    @property
    def draws(self) -> bool:
        return False

    @property
    def shows_states(self) -> bool:
        return True

    @property
    def has_closed_form(self) -> bool:
        return True

    def pull_back(self, state: Tensor, by_rows: Rows) -> Tensor:
        return by_rows

    @property
    def learns(self) -> bool:
        return False

    def fitted(self, rows: Features, cache: Path) -> "FeatureSpace":
        return self

    def sharing(self, fitted: Space) -> "FeatureSpace":
        return self

    def encode(self, x: Rows, noise: Noise) -> Tensor:
        return x

    def view(self, state: Tensor, x: Rows) -> Rows:
        return state

    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        return step
