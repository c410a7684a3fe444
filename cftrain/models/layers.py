"""Layers that hold the weights of many models."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cftrain.seeding import Streams


class StackedLinear(nn.Module):
    """One dense layer per cell: weight (stack, output, input), bias (stack, output)."""

    def __init__(self, inputs: int, outputs: int, streams: Streams) -> None:
        super().__init__()
        weight = torch.stack([_glorot(inputs, outputs, s.generator()) for s in streams])
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(len(streams), outputs))

    def forward(
        self, x: Float[Tensor, "stack row input"]
    ) -> Float[Tensor, "stack row output"]:
        return torch.baddbmm(self.bias.unsqueeze(1), x, self.weight.mT)


def _glorot(inputs: int, outputs: int, generator: torch.Generator) -> Tensor:
    """Uniform in +- sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010)."""
    limit = math.sqrt(6 / (inputs + outputs))
    return limit * (2 * torch.rand(outputs, inputs, generator=generator) - 1)
