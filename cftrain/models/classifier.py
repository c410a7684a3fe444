"""What the rest of the program knows about models."""

from abc import ABC, abstractmethod

from torch import nn

from cftrain.seeding import Streams

Classifier = nn.Module
"""Maps (stack, row, feature) to logits (stack, row, class).

Nothing more is asked of a model, save that its parameters and buffers have the stack
as their leading axis: that is what makes a slice of a stack a model of its own.
"""


class ModelSpec(ABC):
    """A frozen architecture; its weights come from one stream per cell."""

    name: str

    @abstractmethod
    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        """Returns a classifier with a cell for each stream, which alone shapes it."""
