"""When a counterfactual is mature."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

from cftrain.config.names import named
from cftrain.counterfactuals.hyperparameters import Probability
from cftrain.tensors import Mask, PerRow


class Maturity(ABC):
    """A stopping rule; rows it accepts are frozen where they are."""

    accepts_exhausted: ClassVar[bool] = False
    """Whether a row that used all its steps is mature as well."""

    @abstractmethod
    def __call__(self, probability: PerRow) -> Mask:
        """Returns which rows are accepted by their target probability."""


@named("threshold")
@final
@dataclass(frozen=True, kw_only=True)
class Threshold(Maturity):
    """The target class has at least this probability (paper section 3.1)."""

    threshold: Probability

    def __call__(self, probability: PerRow) -> Mask:
        return probability >= self.threshold


@named("exhausted")
@final
@dataclass(frozen=True, kw_only=True)
class Exhausted(Maturity):
    """The threshold, or all steps used: the notation list of the paper's appendix."""

    accepts_exhausted: ClassVar[bool] = True

    threshold: Probability

    def __call__(self, probability: PerRow) -> Mask:
        return probability >= self.threshold


@named("never")
@final
@dataclass(frozen=True, kw_only=True)
class Never(Maturity):
    """No early stop: the search uses all its steps. For pictures, not for training."""

    def __call__(self, probability: PerRow) -> Mask:
        return probability > 1
