"""Multilayer perceptron of any depth; without hidden layers it is linear."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from torch import nn

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.models.classifier import Classifier, ModelSpec
from cftrain.models.layers import StackedLinear, Swish, of_layer
from cftrain.seeding import Streams

ACTIVATIONS = {"relu": nn.ReLU, "swish": Swish, "tanh": nn.Tanh}


@named("mlp")
@dataclass(frozen=True, kw_only=True)
class Mlp(ModelSpec):
    """Dense layers of the given widths with an activation after each hidden one."""

    name: str
    hidden: tuple[Count, ...]
    activation: Literal["relu", "swish", "tanh"]

    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        widths = (features, *self.hidden, classes)
        layers: list[nn.Module] = []
        for depth, (inputs, outputs) in enumerate(pairwise(widths)):
            if depth:
                layers.append(ACTIVATIONS[self.activation]())
            layers.append(StackedLinear(inputs, outputs, of_layer(streams, depth)))
        return nn.Sequential(*layers)
