"""What the head of a model answers to the rows of a step, and its gradients.

The two networks are blocks that are trained side by side, as in CounterNet (Guo, Nguyen
and Yadav, 2023): the predictor by all terms of its logits, the head by those of its
answers. Neither block gets a gradient of the other's terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.counterfactuals.categories import softened
from cftrain.counterfactuals.hyperparameters import counts
from cftrain.data.constraints import Constraints
from cftrain.errors import ModelError
from cftrain.models.classifier import Classifier, Headed
from cftrain.objectives.naming import OF_HEAD, PARTS
from cftrain.objectives.objective import Objective
from cftrain.objectives.terms import mean_square, missed_target
from cftrain.seeding import Streams
from cftrain.tensors import Logits, Rows
from cftrain.training.epoch import other_class

PLACES = [PARTS.index(part) for part in OF_HEAD]

OfRows = Float[Tensor, "stack _"]


@dataclass(frozen=True)
class Answered:
    """How far answers are from their targets, and from their rows; no columns where no
    model is trained by that.
    """

    missed: OfRows
    distance: OfRows
    classifier: Classifier

    def by_head(self, objective: Objective) -> tuple[Tensor, Sequence[Tensor]]:
        """Returns the weighted sum of both terms' means (stack,), and its gradients by
        the parameters of the head.
        """
        assert isinstance(self.classifier, Headed)
        parameters = list(self.classifier.head.parameters())
        if not self.missed.shape[1]:
            return self.missed.sum(1), [torch.zeros_like(each) for each in parameters]
        terms = torch.stack([self.missed.mean(1), self.distance.mean(1)])
        total = (objective.part_weights(terms)[PLACES] * terms).sum(0)
        return total.detach(), torch.autograd.grad(total.sum(), parameters)


def check_head(classifier: Classifier, objective: Objective) -> None:
    """Raises ModelError for an objective of heads with a model that has none."""
    if counts(objective.head_weight) and not isinstance(classifier, Headed):
        raise ModelError(
            "objective.head_weight: expected a model with a head (model=counternet), "
            f"got a {type(classifier).__name__}"
        )


def answered(
    classifier: Classifier,
    objective: Objective,
    observed: Rows,
    logits: Logits,
    *,
    constraints: Constraints,
    streams: Streams,
) -> Answered:
    """Returns what is to be told of the head's answers to observed rows with these
    logits; nothing without a head, or where no stream says that it is trained.

    Each is for another class than the predicted one: of more than two one is drawn. An
    answer is judged as it would be given, but for relations. Its distance counts beyond
    the bounds of the domain as well: so it learns to come back.
    """
    if not isinstance(classifier, Headed) or not streams:
        none = observed[:, :0, 0]
        return Answered(none, none, classifier)
    target = other_class(logits.argmax(-1), logits.shape[-1], streams)
    with torch.enable_grad():
        found = softened(classifier.answers(observed, target), constraints, 1.0)
        allowed = observed + constraints.restrict(found - observed)
        given = constraints.clamp(allowed, observed)
        return Answered(
            missed_target(classifier(given), target),
            mean_square(allowed, observed),
            classifier,
        )
