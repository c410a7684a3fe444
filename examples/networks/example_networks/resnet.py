"""A small residual network for images."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

GROUPS = 4
"""Of channels that are normalised together, row by row: no batch norm."""


class Block(nn.Module):
    """Two convolutions with group norm, and a way around them (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.GroupNorm(GROUPS, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.GroupNorm(GROUPS, outputs)
        self.around = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.around(x) + self.second_norm(self.second(hidden)))


class ResNet(nn.Module):
    """A block for each of `channels`, which are multiples of 4; every block after the
    first one halves height and width, as the first convolution does.
    """

    def __init__(
        self,
        row_shape: Sequence[int],
        classes: int,
        *,
        channels: Sequence[int] = (8, 16),
    ) -> None:
        super().__init__()
        self.inputs = nn.Conv2d(row_shape[0], channels[0], 3, 2, 1)
        widths = pairwise((channels[0], *channels))
        self.blocks = nn.Sequential(
            *(
                Block(inputs, outputs, stride=2 if place else 1)
                for place, (inputs, outputs) in enumerate(widths)
            )
        )
        self.outputs = nn.Linear(channels[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """(row, channel, height, width) to logits (row, class)."""
        hidden = self.blocks(torch.relu(self.inputs(x)))
        return self.outputs(hidden.mean((2, 3)))
