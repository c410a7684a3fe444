"""When a counterfactual is mature."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from cftrain.ranges import Probability
from cftrain.tensors import Mask, PerRow, Rows


class Maturity(ABC):
    """A stopping rule; rows it accepts are frozen where they are."""

    @abstractmethod
    def __call__(self, probability: PerRow, gradient: Rows) -> Mask:
        """Accept rows by their target probability and their search gradient."""


@dataclass(frozen=True, kw_only=True)
class Threshold(Maturity):
    """The target class has at least this probability (paper section 3.1)."""

    threshold: Probability

    def __call__(self, probability: PerRow, gradient: Rows) -> Mask:
        return probability >= self.threshold


@dataclass(frozen=True, kw_only=True)
class Never(Maturity):
    """No early stop: the search uses all its steps. For pictures, not for training."""

    def __call__(self, probability: PerRow, gradient: Rows) -> Mask:
        return probability > 1
