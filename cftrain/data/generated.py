"""Sets that are drawn and not read: what all recipes share."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain.config.ranges import Count, PositiveFloat, Seed
from cftrain.data.dataset import Dataset, DatasetSpec
from cftrain.data.declarations import Bounds, Kind, declared_constraints
from cftrain.data.encoding import identity_codec
from cftrain.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Generated(DatasetSpec):
    """Rows of a random recipe, not standardised.

    `generated_rows` rows are drawn with `draw_seed` and permuted with `order_seed`;
    the first of them are the pool, the last `test_rows` the test set.
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
        """Returns the names of the features."""

    @abstractmethod
    def classes(self) -> int:
        """Returns how many classes there are."""

    @abstractmethod
    def draw(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Returns features (row, feature) of rows with these labels."""

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.classes())))

    def source(self) -> str:
        return "generated"

    def identity(self) -> str:
        return self.source()  # the run's own values say all about these rows

    def located(self) -> str:
        return self.source()

    def load(self) -> Dataset:
        pool, test = self._rows()
        generator = torch.Generator().manual_seed(self.draw_seed)
        labels = torch.randint(
            self.classes(), (self.generated_rows,), generator=generator
        )
        features = self.draw(labels, generator)
        codec = identity_codec(self.names())
        return Dataset(
            name=self.name,
            source=self.source(),
            identity=self.identity(),
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
        """Returns the indices of pool and test rows, which do not overlap."""
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
