"""Convolutional network in the style of LeNet."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Annotated, Literal

from torch import nn

from cftrain.config.names import named
from cftrain.config.ranges import Count, Later
from cftrain.errors import ConfigError
from cftrain.models.classifier import Classifier, ModelSpec
from cftrain.models.layers import StackedConv2d, StackedLinear, of_layer
from cftrain.seeding import Streams

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
"""Increasing ones only, which give the same before and after max pooling."""


@named("lenet")
@dataclass(frozen=True, kw_only=True)
class Lenet(ModelSpec):
    """Convolutions with max pooling, then dense layers (LeCun et al., 1998).

    Rows are images of `image` = (height, width) pixels, row by row, with the numbers of
    a pixel, its `input_channels`, side by side. There is a convolution for each of
    `channels`, a dense layer for each of `hidden`, and an activation after each of
    them; it follows the pooling, where there is less to do.
    """

    name: str
    image: tuple[Count, Count]
    input_channels: Annotated[Count, Later(neutral=1)]
    channels: tuple[Count, ...]
    kernel: Count
    pooling: Count
    hidden: tuple[Count, ...]
    activation: Literal["relu", "tanh"]

    def __post_init__(self) -> None:
        mistakes = []
        if self.kernel % 2 == 0:
            mistakes.append(
                "model.kernel: expected an odd number, so that padding keeps the size "
                f"of images, got {self.kernel}"
            )
        if 0 in self._pooled():
            height, width = self.image
            mistakes.append(
                f"model.image: expected at least {self.pooling ** len(self.channels)} "
                f"pixels a side for {len(self.channels)} times pooling by "
                f"{self.pooling}, got {height} x {width}; model.channels with fewer "
                "convolutions pool less often"
            )
        if mistakes:
            raise ConfigError(mistakes)

    def build(self, *, features: int, classes: int, streams: Streams) -> Classifier:
        shape = (*self.image, self.input_channels)
        if features != prod(shape):
            raise ConfigError(
                f"model.image: expected height x width x input_channels to be "
                f"{features}, the number of features of the data, got "
                f"{' x '.join(map(str, shape))} = {prod(shape)}"
            )
        activation = ACTIVATIONS[self.activation]
        layers: list[nn.Module] = [nn.Unflatten(-1, shape)]
        depths = iter(range(len(self.channels) + len(self.hidden) + 1))
        for inputs, outputs in pairwise((self.input_channels, *self.channels)):
            convolution = StackedConv2d(
                inputs,
                outputs,
                kernel=self.kernel,
                pooling=self.pooling,
                streams=of_layer(streams, next(depths)),
            )
            layers += [convolution, activation()]
        layers.append(nn.Flatten(2))
        for inputs, outputs in pairwise((self._flat(), *self.hidden, classes)):
            dense = StackedLinear(inputs, outputs, of_layer(streams, next(depths)))
            layers += [dense, activation()]
        return nn.Sequential(*layers[:-1])

    def _pooled(self) -> tuple[int, int]:
        """Returns height and width after the convolutions."""
        shrink = self.pooling ** len(self.channels)
        return self.image[0] // shrink, self.image[1] // shrink

    def _flat(self) -> int:
        """Returns how many numbers a row has after the convolutions."""
        height, width = self._pooled()
        return height * width * (self.input_channels, *self.channels)[-1]
