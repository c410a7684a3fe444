"""A dataset in memory, and the frozen specification that loads it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain.data.columns import listed
from cftrain.data.constraints import Constraints
from cftrain.data.encoding import Codec, identity_codec
from cftrain.errors import DataError
from cftrain.tensors import Features, Labels


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Model inputs and labels; the pool holds training and validation rows.

    Which rows of the pool validate is drawn per cell (`cftrain.data.sampling`), the
    constraints come from the pool alone: test rows shape nothing. Without a codec the
    features are in raw units. There may be no test rows. `identity` is the source with
    a hash of what was read; `labelled` has the names of the classes if they have any.
    `weights` say how much rows of the pool count in cross-entropies, None: all alike.
    """

    name: str
    source: str
    identity: str
    features: Features
    labels: Labels
    test_features: Float[Tensor, "test_row feature"]
    test_labels: Int[Tensor, " test_row"]
    validation_rows: int
    classes: int
    feature_names: tuple[str, ...]
    constraints: Constraints
    image_shape: tuple[int, int] | None
    codec: Codec | None = None
    labelled: tuple[str, ...] | None = None
    weights: Float[Tensor, " row"] | None = None

    def __post_init__(self) -> None:
        _check_part(self, "pool", self.features, self.labels)
        _check_part(self, "test", self.test_features, self.test_labels)
        if self.weights is not None and self.weights.shape != self.labels.shape:
            raise DataError(
                f"{self.name}: expected a weight for each of {len(self.labels)} rows, "
                f"got {tuple(self.weights.shape)}"
            )
        if self.units.feature_names != self.feature_names:
            raise DataError(
                f"{self.name}: expected a codec of the features "
                f"{listed(self.feature_names)}, got {listed(self.units.feature_names)}"
            )

    @property
    def feature_count(self) -> int:
        return len(self.feature_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Returns the names of the classes, or else their numbers."""
        return self.labelled or tuple(map(str, range(self.classes)))

    @property
    def units(self) -> Codec:
        """Returns the codec that turns raw rows into features and back."""
        return self.codec or identity_codec(self.feature_names)

    def to(self, device: torch.device) -> "Dataset":
        moved = {
            name: getattr(self, name).to(device)
            for name in ("features", "labels", "test_features", "test_labels")
        }
        if self.weights is not None:
            moved["weights"] = self.weights.to(device)
        constraints = self.constraints.to(dtype=self.features.dtype, device=device)
        return Dataset(**{**self.__dict__, **moved, "constraints": constraints})


class DatasetSpec(ABC):
    """Where a dataset comes from and how it is prepared; concrete ones are frozen."""

    name: str
    training_rows: int
    validation_rows: int

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Returns those of the dataset, None if they are not known before it is read.

        What a configuration says of classes is checked by them before any training.
        """
        return None

    @property
    def has_test_rows(self) -> bool:
        """Whether models that are trained on it can be evaluated too."""
        return True

    @abstractmethod
    def source(self) -> str:
        """Returns the source that `load` will use, found without loading.

        May fetch and cache a table. Raises DataError if there is no source.
        """

    @abstractmethod
    def identity(self) -> str:
        """Returns the source and a hash of what is in it: part of a cell's id.

        Like `source` it may fetch. What `load` reads from the same files has the same
        identity. Raises DataError.
        """

    @abstractmethod
    def located(self) -> str | None:
        """Returns the source if it is here already; no network, no warning."""

    @abstractmethod
    def load(self) -> Dataset:
        """Reads what is here, prepares and checks it.

        Never fetches: `source` or `identity` come first. Raises DataError.
        """


def check_identity(dataset: Dataset, expected: str) -> None:
    """Raises DataError if what was loaded is not what a run was planned with."""
    if dataset.identity != expected:
        raise DataError(
            f"{dataset.name}: expected the data {expected}, got {dataset.identity}: "
            "its files have changed or are not to be seen from here; give every "
            "process the same files (data.root or $CFTRAIN_DATA), or start the command "
            "again to train on what is there now"
        )


def _check_part(
    dataset: Dataset, part: str, features: Features, labels: Labels
) -> None:
    """Raises DataError unless the features are finite and the labels in range."""
    where = f"{dataset.name}, {part} rows"
    if features.ndim != 2 or features.shape[1] != dataset.feature_count:
        raise DataError(
            f"{where}: expected {dataset.feature_count} features, got "
            f"{tuple(features.shape)}"
        )
    if len(features) != len(labels):
        raise DataError(
            f"{where}: expected a label per row, got {len(features)} rows and "
            f"{len(labels)} labels"
        )
    if not len(features) and part == "pool":
        raise DataError(f"{where}: expected some, got none")
    broken = int((~torch.isfinite(features)).any(1).sum())
    if broken:
        raise DataError(f"{where}: expected finite features, got {broken} rows without")
    _check_groups(dataset, where, features)
    outside = (labels < 0) | (labels >= dataset.classes)
    if outside.any():
        raise DataError(
            f"{where}: expected labels 0 to {dataset.classes - 1}, got "
            f"{sorted(set(labels[outside].tolist()))[:5]}"
        )


def _check_groups(dataset: Dataset, where: str, features: Features) -> None:
    """Raises DataError unless every row has a single 1 in every group of inputs."""
    for group in dataset.constraints.groups:
        inputs = features[:, list(group)]
        one_hot = ((inputs == 0) | (inputs == 1)).all(1) & (inputs.sum(1) == 1)
        if not one_hot.all():
            names = listed([dataset.feature_names[index] for index in group])
            raise DataError(
                f"{where}: expected one 1 and else 0 in the one-hot group {names}, got "
                f"{int((~one_hot).sum())} rows without, the first "
                f"{inputs[~one_hot][0].tolist()}"
            )
