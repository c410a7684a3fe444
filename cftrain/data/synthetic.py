"""Benchmark sets of low dimension, generated and not read."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.declarations import Bounds, Kind, declared_constraints
from cftrain.data.encoding import identity_codec
from cftrain.errors import ConfigError, DataError
from cftrain.ranges import AtLeast, Count, PositiveFloat, Seed

PLANE = ("x1", "x2")


@dataclass(frozen=True, kw_only=True)
class Generated(DatasetSpec):
    """Points of a random recipe, not standardised.

    `generated_rows` points are drawn with `draw_seed` and permuted with `order_seed`;
    the first rows are the pool, the last `test_rows` the test set.
    """

    name: str
    training_rows: Count
    validation_rows: Count
    test_rows: Count
    generated_rows: Count
    draw_seed: Seed
    order_seed: Seed
    domain_deviations: PositiveFloat | None
    domain: dict[str, Bounds]
    mutability: dict[str, Kind]

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the features."""

    @abstractmethod
    def classes(self) -> int:
        """How many classes there are."""

    @abstractmethod
    def points(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Features (row, feature) of rows with these labels."""

    def source(self) -> str:
        return "generated"

    def located(self) -> str:
        return self.source()

    def load(self) -> Dataset:
        pool, test = self._rows()
        generator = torch.Generator().manual_seed(self.draw_seed)
        labels = torch.randint(
            self.classes(), (self.generated_rows,), generator=generator
        )
        features = self.points(labels, generator)
        codec = identity_codec(self.names())
        return Dataset(
            name=self.name,
            source=self.source(),
            features=features[pool],
            labels=labels[pool],
            test_features=features[test],
            test_labels=labels[test],
            validation_rows=self.validation_rows,
            classes=self.classes(),
            feature_names=codec.feature_names,
            constraints=declared_constraints(
                features[pool],
                codec,
                deviations=self.domain_deviations,
                domain=self.domain,
                mutability=self.mutability,
            ),
            image_shape=None,
            codec=codec,
        )

    def _rows(self) -> tuple[Tensor, Tensor]:
        """Indices of the pool and of the test rows, which do not overlap."""
        pool_rows = self.training_rows + self.validation_rows
        if pool_rows + self.test_rows > self.generated_rows:
            raise DataError(
                f"{self.name}: expected at most {self.generated_rows} training, "
                f"validation and test rows together (data.generated_rows), got "
                f"{pool_rows + self.test_rows}"
            )
        order = torch.randperm(
            self.generated_rows,
            generator=torch.Generator().manual_seed(self.order_seed),
        )
        return order[:pool_rows], order[-self.test_rows :]


@dataclass(frozen=True, kw_only=True)
class Moons(Generated):
    """Two interleaving half circles with Gaussian noise."""

    shift: tuple[float, float]
    noise: Annotated[float, AtLeast(0)]

    def names(self) -> tuple[str, ...]:
        return PLANE

    def classes(self) -> int:
        return 2

    def points(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        angle = math.pi * torch.rand(len(labels), generator=generator)
        arc = torch.stack([angle.cos(), angle.sin()], 1)
        flipped = torch.tensor(self.shift) + torch.stack([angle.cos(), -angle.sin()], 1)
        noise = torch.randn(len(labels), 2, generator=generator)
        clean = torch.where(labels.unsqueeze(1) == 0, arc, flipped)
        return clean + self.noise * noise


@dataclass(frozen=True, kw_only=True)
class Circles(Generated):
    """Concentric circles with Gaussian noise, one for each class by its radius."""

    radii: tuple[float, ...]
    noise: Annotated[float, AtLeast(0)]

    def names(self) -> tuple[str, ...]:
        return PLANE

    def classes(self) -> int:
        return len(self.radii)

    def points(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        angle = 2 * math.pi * torch.rand(len(labels), generator=generator)
        circle = torch.stack([angle.cos(), angle.sin()], 1)
        noise = torch.randn(len(labels), 2, generator=generator)
        radius = torch.tensor(self.radii)[labels].unsqueeze(1)
        return radius * circle + self.noise * noise


@dataclass(frozen=True, kw_only=True)
class Blobs(Generated):
    """A Gaussian blob for each class, all with the same diagonal covariance."""

    feature_names: tuple[str, ...]
    centres: tuple[tuple[float, ...], ...]
    deviations: tuple[PositiveFloat, ...]

    def __post_init__(self) -> None:
        width = len(self.feature_names)
        given = {f"centres[{place}]": row for place, row in enumerate(self.centres)}
        mistakes = [
            f"data.{field}: expected {width} numbers, one for each of "
            f"data.feature_names, got {len(numbers)}"
            for field, numbers in {"deviations": self.deviations, **given}.items()
            if len(numbers) != width
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

    def points(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(len(labels), len(self.deviations), generator=generator)
        centre = torch.tensor(self.centres)[labels]
        return centre + torch.tensor(self.deviations) * noise
