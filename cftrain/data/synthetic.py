"""Benchmark sets of low dimension, generated and not read."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, PositiveFloat
from cftrain.data.generated import Generated
from cftrain.errors import ConfigError

PLANE = ("x1", "x2")


@named("moons")
@dataclass(frozen=True, kw_only=True)
class Moons(Generated):
    """Two interleaving half circles with Gaussian noise."""

    shift: tuple[float, float]
    noise: Annotated[float, AtLeast(0)]

    def names(self) -> tuple[str, ...]:
        return PLANE

    def classes(self) -> int:
        return 2

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        angle = math.pi * torch.rand(len(labels), generator=generator)
        arc = torch.stack([angle.cos(), angle.sin()], 1)
        flipped = torch.tensor(self.shift) + torch.stack([angle.cos(), -angle.sin()], 1)
        noise = torch.randn(len(labels), 2, generator=generator)
        clean = torch.where(labels.unsqueeze(1) == 0, arc, flipped)
        return clean + self.noise * noise


@named("circles")
@dataclass(frozen=True, kw_only=True)
class Circles(Generated):
    """Concentric circles with Gaussian noise, one for each class by its radius."""

    radii: tuple[float, ...]
    noise: Annotated[float, AtLeast(0)]

    def __post_init__(self) -> None:
        if len(self.radii) < 2:
            raise ConfigError(
                "data.radii: expected at least 2, one for each class, got "
                f"{len(self.radii)}"
            )

    def names(self) -> tuple[str, ...]:
        return PLANE

    def classes(self) -> int:
        return len(self.radii)

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        angle = 2 * math.pi * torch.rand(len(labels), generator=generator)
        circle = torch.stack([angle.cos(), angle.sin()], 1)
        noise = torch.randn(len(labels), 2, generator=generator)
        radius = torch.tensor(self.radii)[labels].unsqueeze(1)
        return radius * circle + self.noise * noise


@named("blobs")
@dataclass(frozen=True, kw_only=True)
class Blobs(Generated):
    """A Gaussian blob for each class, all with the same diagonal covariance."""

    feature_names: tuple[str, ...]
    centres: tuple[tuple[float, ...], ...]
    deviations: tuple[PositiveFloat, ...]

    def __post_init__(self) -> None:
        features = len(self.feature_names)
        given = {f"centres[{place}]": row for place, row in enumerate(self.centres)}
        mistakes = [
            f"data.{field}: expected {features} numbers, one for each of "
            f"data.feature_names, got {len(numbers)}"
            for field, numbers in {"deviations": self.deviations, **given}.items()
            if len(numbers) != features
        ]
        if len(self.centres) < 2:
            mistakes.append(
                "data.centres: expected at least 2, one for each class, got "
                f"{len(self.centres)}"
            )
        if mistakes:
            raise ConfigError(mistakes)

    def names(self) -> tuple[str, ...]:
        return self.feature_names

    def classes(self) -> int:
        return len(self.centres)

    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(len(labels), len(self.deviations), generator=generator)
        centre = torch.tensor(self.centres)[labels]
        return centre + torch.tensor(self.deviations) * noise
