"""A generator that asks the model itself: nothing is searched."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch

from cftrain.config.names import named
from cftrain.counterfactuals.categories import softened
from cftrain.counterfactuals.route import Route
from cftrain.counterfactuals.visiting import Visiting
from cftrain.data.constraints import Constraints
from cftrain.errors import ModelError
from cftrain.models.classifier import Classifier, Headed
from cftrain.tensors import Classes, Mask, PerRow, Rows


@named("counternet_head")
@final
@dataclass(frozen=True, kw_only=True)
class OfHead(Visiting):
    """What the head of a model answers, as far as the constraints allow: one step.

    CounterNet (Guo, Nguyen and Yadav, 2023). There is an answer to each row and target,
    mature or not; another one is not looked for.
    """

    @property
    def asks_head(self) -> bool:
        return True

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
        """Raises ModelError for a model without a head."""
        if not isinstance(classifier, Headed):
            raise ModelError(
                "generator=counternet: expected a model that answers with "
                "counterfactuals itself (model=counternet), got a "
                f"{type(classifier).__name__} without a head"
            )
        answers = softened(classifier.answers(factual, target), constraints, 1.0)
        places = torch.arange(factual.shape[1], device=factual.device)
        return Route(observed=answers[0], stops=places.unsqueeze(1))
