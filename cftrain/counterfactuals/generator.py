"""What a generator of counterfactuals is: a loss, and a space to descend it in."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from cftrain.counterfactuals.route import Route
from cftrain.counterfactuals.space import Space
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Features, Logits, Mask, PerRow, Rows


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

        The search differentiates it by the logits and by the counterfactual, as
        `slopes` says.
        """

    def slopes(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> tuple[Logits, Rows | None]:
        """Returns the gradients of each row's loss by its logits, and directly by the
        counterfactual: None where the loss looks at the logits alone.

        This is automatic differentiation of `loss`. Where there is a closed form, a
        concrete generator gives it: the search is then several times faster.
        """
        # What comes from inference mode could not be part of a graph.
        with torch.inference_mode(False), torch.enable_grad():
            logits, target, counterfactual, factual = (
                each.detach().clone()
                for each in (logits, target, counterfactual, factual)
            )
            loss = self.loss(
                logits.requires_grad_(),
                target,
                counterfactual.requires_grad_(),
                factual,
                progress=progress,
            )
            by_logits, by_counterfactual = torch.autograd.grad(
                loss.sum(), (logits, counterfactual), allow_unused=True
            )
        if by_logits is None:
            by_logits = torch.zeros_like(logits)
        return by_logits, by_counterfactual

    @abstractmethod
    def ineffective(self, max_steps: int) -> frozenset[str]:
        """Returns the weights without effect in searches of at most so many steps."""

    def route(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        *,
        accepts: Callable[[PerRow], Mask],
        max_steps: int,
        constraints: Constraints,
    ) -> Route | None:
        """Returns the rows that those of one cell visit in turn in place of descending
        the loss; None, as here, where they descend it.

        `accepts` says which probabilities of the target are high enough. The search
        stops a row at the first stop where, constrained, it is accepted, and all of
        them where the longest way ends.
        """
        return None

    @property
    def asks_head(self) -> bool:
        """Whether it asks the head of a model, and so is of no use with others."""
        return False

    @property
    def learns(self) -> bool:
        """Whether it is learned from observed rows, so that `fitted` needs some."""
        return self.space.learns

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
