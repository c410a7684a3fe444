"""Layers that hold the weights of many models."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from cftrain.seeding import Stream, Streams
from cftrain.tensors import logistic


class StackedLinear(nn.Module):
    """One dense layer per cell: weight (stack, output, input), bias (stack, output)."""

    def __init__(self, inputs: int, outputs: int, streams: Streams) -> None:
        super().__init__()
        weight = torch.stack([glorot(s.generator(), outputs, inputs) for s in streams])
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(len(streams), outputs))

    def forward(
        self, x: Float[Tensor, "stack row input"]
    ) -> Float[Tensor, "stack row output"]:
        return torch.baddbmm(self.bias.unsqueeze(1), x, self.weight.mT)


class Swish(nn.Module):
    """x / (1 + exp(-x)) (Ramachandran, Zoph and Le, 2017), also known as SiLU."""

    def forward(self, x: Tensor) -> Tensor:
        return x * logistic(x)


def swish_slope(x: Tensor) -> Tensor:
    """Returns the derivative of `Swish`."""
    share = logistic(x)
    return share * (1 + x * (1 - share))


def swish_curvature(x: Tensor) -> Tensor:
    """Returns the second derivative of `Swish`."""
    share = logistic(x)
    return share * (1 - share) * (2 + x * (1 - 2 * share))


class StackedConv2d(nn.Module):
    """One convolution per cell, padded to keep the size, and max pooling.

    Weight (stack, output, input, kernel, kernel), bias (stack, output). Channels come
    last, in memory too: that is fast on a CPU. Cells take turns, for a grouped
    convolution is no faster at batches of a thousand images.
    """

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int, pooling: int, streams: Streams
    ) -> None:
        super().__init__()
        shape = (outputs, inputs, kernel, kernel)
        self.weight = nn.Parameter(
            torch.stack([glorot(s.generator(), *shape) for s in streams])
        )
        self.bias = nn.Parameter(torch.zeros(len(streams), outputs))
        self.padding, self.pooling = kernel // 2, pooling

    def forward(
        self, x: Float[Tensor, "stack row height width input"]
    ) -> Float[Tensor, "stack row pooled_height pooled_width output"]:
        cells = zip(x, self.weight, self.bias, strict=True)
        return torch.stack([self._of_cell(*cell) for cell in cells])

    def _of_cell(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x = x.permute(0, 3, 1, 2)
        x = functional.conv2d(x, weight, bias, padding=self.padding)
        return functional.max_pool2d(x, self.pooling).permute(0, 2, 3, 1)


def glorot(generator: torch.Generator, *shape: int) -> Tensor:
    """Draws uniformly in +- sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010).

    The shape is (output, input) or that of a convolution, (output, input, *window),
    each of whose inputs and outputs counts once for every place in the window.
    """
    connections = (shape[0] + shape[1]) * math.prod(shape[2:])
    limit = math.sqrt(6 / connections)
    return limit * (2 * torch.rand(shape, generator=generator) - 1)


def of_layer(streams: Streams, depth: int) -> list[Stream]:
    """Returns the streams that the weights of one layer come from."""
    return [stream.child("layer", depth) for stream in streams]
