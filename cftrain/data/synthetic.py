"""Two-dimensional benchmark sets, generated and not read."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from cftrain.data.constraints import Constraints, inferred_domain, mutability_flags
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.errors import DataError
from cftrain.ranges import AtLeast, Count, PositiveFloat

FEATURES = ("x1", "x2")


@dataclass(frozen=True, kw_only=True)
class Moons(DatasetSpec):
    """Two interleaving half circles with Gaussian noise, not standardised.

    `generated_rows` points are drawn with `draw_seed` and permuted with `order_seed`;
    the first rows are the pool, the last `test_rows` the test set.
    """

    name: str
    training_rows: Count
    validation_rows: Count
    test_rows: Count
    generated_rows: Count
    draw_seed: int
    order_seed: int
    shift: tuple[float, float]
    noise: Annotated[float, AtLeast(0)]
    domain_deviations: PositiveFloat

    def source(self) -> str:
        return "generated"

    def load(self) -> Dataset:
        generator = torch.Generator().manual_seed(self.draw_seed)
        features, labels = self._points(generator)
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
        pool, test = order[:pool_rows], order[-self.test_rows :]
        lower, upper = inferred_domain(features[pool], self.domain_deviations)
        increase, decrease = mutability_flags(["free"] * len(FEATURES))
        return Dataset(
            name=self.name,
            source=self.source(),
            features=features[pool],
            labels=labels[pool],
            test_features=features[test],
            test_labels=labels[test],
            validation_rows=self.validation_rows,
            classes=2,
            feature_names=FEATURES,
            constraints=Constraints(
                lower=lower, upper=upper, may_increase=increase, may_decrease=decrease
            ),
            image_shape=None,
        )

    def _points(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        labels = torch.randint(2, (self.generated_rows,), generator=generator)
        angle = math.pi * torch.rand(self.generated_rows, generator=generator)
        arc = torch.stack([angle.cos(), angle.sin()], 1)
        flipped = torch.tensor(self.shift) + torch.stack([angle.cos(), -angle.sin()], 1)
        noise = torch.randn(self.generated_rows, 2, generator=generator)
        clean = torch.where(labels.unsqueeze(1) == 0, arc, flipped)
        return clean + self.noise * noise, labels
