"""Spirals: two arms that wind around each other."""

import math
from dataclasses import dataclass
from typing import Annotated, final

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, PositiveFloat
from cftrain.data.generated import Generated


@named("my_package:spirals")
@final
@dataclass(frozen=True, kw_only=True)
class Spirals(Generated):
    """One arm of a spiral for each of two classes, with Gaussian noise."""

    turns: PositiveFloat
    noise: Annotated[float, AtLeast(0)]

    def names(self) -> tuple[str, ...]:
        return "x1", "x2"

    def classes(self) -> int:
        return 2

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        radius = torch.rand(len(labels), generator=generator).sqrt()
        angle = 2 * math.pi * self.turns * radius + math.pi * labels
        arm = radius.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], 1)
        return arm + self.noise * torch.randn(len(labels), 2, generator=generator)
