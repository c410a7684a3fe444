"""What the rest of the program knows about models."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn

from cftrain.seeding import Streams
from cftrain.tensors import Classes, Logits, Rows

Classifier = nn.Module
"""Maps (stack, row, feature) to logits (stack, row, class).

Nothing more is asked of a model, save that its parameters and buffers have the stack
as their leading axis: that is what makes a slice of a stack a model of its own.
"""


class Learner(nn.Module, ABC):
    """A classifier that has another mode to learn in, with dropout for example.

    Called as any other one it is in evaluation mode, whatever it is asked for.
    """

    @abstractmethod
    def learning(self, rows: Rows, streams: Streams) -> Logits:
        """Returns logits in training mode; what is drawn comes from one stream per
        cell.
        """


class Headed(nn.Module, ABC):
    """A classifier with a second network, its head, which answers with counterfactuals.

    Logits are those of the `predictor`, in which the head has no part: its parameters
    come after those of the predictor.
    """

    predictor: Classifier
    head: nn.Module

    def forward(self, rows: Rows) -> Logits:
        logits: Logits = self.predictor(rows)
        return logits

    @abstractmethod
    def answers(self, rows: Rows, target: Classes) -> Rows:
        """Returns what the head says these rows would be if they were of the target,
        whatever is allowed. It is differentiable by the head's parameters alone.
        """


def predictor(classifier: Classifier) -> Classifier:
    """Returns the part of a classifier that its logits come from."""
    return classifier.predictor if isinstance(classifier, Headed) else classifier


def learning(classifier: Classifier, rows: Rows, streams: Streams) -> Logits:
    """Returns the logits that a loss is made of, as `Learner.learning`."""
    if isinstance(classifier, Learner):
        return classifier.learning(rows, streams)
    logits: Logits = classifier(rows)
    return logits


class ModelSpec(ABC):
    """A frozen architecture; its weights come from one stream per cell."""

    adopted_by: ClassVar[str] = "cftrain.models.adopted"
    """Where networks of torch become architectures."""

    has_head: ClassVar[bool] = False
    """Whether its classifiers are `Headed`."""

    name: str

    @abstractmethod
    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        """Returns a classifier with a cell for each stream, which alone shapes it."""
