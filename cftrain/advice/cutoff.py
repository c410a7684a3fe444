"""The probability from which on a model of two classes decides for one of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cftrain.config.ranges import Between
from cftrain.data.columns import listed
from cftrain.errors import ConfigError
from cftrain.models.classifier import Classifier, Headed
from cftrain.models.stack_slicing import stack_size
from cftrain.tensors import Classes, Logits, Rows

EVEN = 0.5
"""The threshold of whoever decides for the more probable class."""


@dataclass(frozen=True, kw_only=True)
class Cutoff:
    """The class `positive` is decided from the probability `threshold` on.

    With log((1 - t) / t) added to its logit the larger logit is that of the decision.
    So all that judges by the largest one judges by the threshold.
    """

    positive: str
    threshold: Annotated[float, Between(0, 1)]

    def __str__(self) -> str:
        return f"{self.positive} from {100 * self.threshold:.6g}% on"

    def needed(self, name: str) -> float:
        """Returns the probability that a class needs to be decided."""
        return self.threshold if name == self.positive else 1 - self.threshold

    def shift(self, class_names: Sequence[str]) -> Float[Tensor, " class"]:
        """Returns what is added to logits, or to logarithms of probabilities."""
        shift = torch.zeros(len(class_names))
        odds = (1 - self.threshold) / self.threshold
        shift[class_names.index(self.positive)] = math.log(odds)
        return shift


class Deciding(nn.Module):
    """A classifier whose largest logit is that of its decision."""

    shift: Tensor

    def __init__(self, classifier: Classifier, shift: Float[Tensor, " class"]) -> None:
        super().__init__()
        self.classifier = classifier
        self.register_buffer("shift", shift.expand(stack_size(classifier), -1))

    def forward(self, x: Rows) -> Logits:
        logits: Tensor = self.classifier(x)
        return logits + self.shift.unsqueeze(1)


class DecidingHead(Headed):
    """The same of a classifier with a head, which answers as before."""

    def __init__(self, classifier: Headed, shift: Float[Tensor, " class"]) -> None:
        super().__init__()
        self.predictor = Deciding(classifier.predictor, shift)
        self.asked, self.head = classifier, classifier.head

    def answers(self, rows: Rows, target: Classes) -> Rows:
        found: Rows = self.asked.answers(rows, target)
        return found


def deciding(classifier: Classifier, shift: Float[Tensor, " class"]) -> Classifier:
    """Returns a classifier whose largest logit is that of its decision."""
    if isinstance(classifier, Headed):
        return DecidingHead(classifier, shift)
    return Deciding(classifier, shift)


def chosen_cutoff(
    threshold: float | None,
    positive: str | None,
    class_names: Sequence[str],
    stored: Cutoff | None = None,
) -> Cutoff | None:
    """Returns what was asked for, else what is stored; None for an even threshold.

    Unless named, the positive class is the stored one, or the last of the two. Raises
    ConfigError.
    """
    if threshold is None:
        if positive is not None:
            raise ConfigError("positive: expected a threshold beside it, got null")
        return stored
    if len(class_names) != 2:
        raise ConfigError(
            "threshold: expected null but for a model of two classes, got "
            f"{threshold:g} for one of {len(class_names)} ({listed(class_names)}), "
            "which decides for the most probable class"
        )
    if positive is None:
        positive = class_names[-1] if stored is None else stored.positive
    elif positive not in class_names:
        raise ConfigError(
            f"positive: expected one of the classes {listed(class_names)}, got "
            f"{positive!r}"
        )
    if threshold == EVEN:
        return None
    return Cutoff(positive=positive, threshold=threshold)
