"""Which rows train and which validate, and the draws of one epoch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain.data.dataset import Dataset
from cftrain.errors import DataError
from cftrain.seeding import Stream, Streams
from cftrain.tensors import Classes, Labels, PerRow


def stratified_split(
    labels: Labels, validation_rows: int, stream: Stream
) -> tuple[Tensor, Tensor]:
    """Returns indices of training and validation rows, each in their original order.

    Of every class, the same share (rounded down) validates; see the note on sizes in
    the authors' splitter: the total may fall short by less than the number of classes.
    """
    generator = stream.generator()
    validates = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        rows = (labels == label).nonzero().squeeze(1)
        count = validation_rows * len(rows) // len(labels)
        chosen = torch.randperm(len(rows), generator=generator)[:count]
        validates[rows[chosen]] = True
    return (~validates).nonzero().squeeze(1), validates.nonzero().squeeze(1)


def balanced_draw(labels: Labels, rows: int, seed: int) -> Tensor:
    """Returns sorted indices of a class-balanced draw with replacement.

    Raises DataError if the classes cannot share the rows evenly.
    """
    classes = labels.unique()
    if not len(classes):
        raise DataError("balanced draw: expected some rows to draw from, got none")
    if rows % len(classes):
        raise DataError(
            f"balanced draw: expected rows divisible by {len(classes)} classes, "
            f"got {rows}"
        )
    generator = torch.Generator().manual_seed(seed)
    drawn = []
    for label in classes:
        members = (labels == label).nonzero().squeeze(1)
        chosen = torch.randint(
            len(members), (rows // len(classes),), generator=generator
        )
        drawn.append(members[chosen])
    return torch.cat(drawn).sort().values


@dataclass(frozen=True, kw_only=True)
class ClassIndex:
    """Rows of every cell sorted by class, to draw rows of wanted classes at once.

    Class k of cell s holds `counts[s, k]` places of `order[s]` from `starts[s, k]` on.
    """

    order: Tensor
    starts: Tensor
    counts: Tensor

    def draw(self, wanted: Classes, streams: Streams) -> Tensor:
        """Returns, for every wanted class, one place, uniform among its rows.

        A class without rows gives some place of another class: look at `counts`.
        """
        uniform = torch.stack(
            [
                torch.rand(
                    wanted.shape[1], dtype=torch.float64, generator=stream.generator()
                )
                for stream in streams
            ]
        ).to(wanted.device)
        counts = self.counts.gather(1, wanted)
        # The product may round up to the count itself; an empty class stays at 0.
        offset = torch.minimum((uniform * counts).long(), (counts - 1).clamp(min=0))
        place = (self.starts.gather(1, wanted) + offset).clamp(
            max=self.order.shape[1] - 1
        )
        return self.order.gather(1, place)


def class_index(labels: Classes, classes: int) -> ClassIndex:
    """Sorts the rows of every cell by label; `order` has places along the row axis."""
    every = torch.arange(classes, device=labels.device)
    counts = torch.stack([(labels == label).sum(1) for label in every], 1)
    return ClassIndex(
        order=labels.sort(dim=1, stable=True).indices,
        starts=counts.cumsum(1) - counts,
        counts=counts,
    )


@dataclass(frozen=True, kw_only=True)
class TrainingRows:
    """Training and validation rows of every cell: indices into one shared pool."""

    dataset: Dataset
    training: Tensor
    validation: Tensor
    by_class: ClassIndex

    def __len__(self) -> int:
        return int(self.training.shape[1])

    def features(self, rows: Tensor) -> Tensor:
        """Returns features (stack, row, feature) of pool indices (stack, row)."""
        return self.dataset.features[rows]

    def labels(self, rows: Tensor) -> Tensor:
        return self.dataset.labels[rows]

    def weights(self, rows: Tensor) -> PerRow | None:
        """Returns the weights of pool indices (stack, row), where rows have any."""
        weights = self.dataset.weights
        return None if weights is None else weights[rows]

    def draw(self, count: int, streams: Streams) -> Tensor:
        """Returns pool indices (stack, count) of training rows, all different."""
        device = self.training.device
        order = [
            torch.randperm(len(self), generator=stream.generator())[:count]
            for stream in streams
        ]
        return self.training.gather(1, torch.stack(order).to(device))

    def draw_labelled(self, label: Classes, streams: Streams) -> Tensor:
        """Returns, for every wanted label, one pool index, uniform among its rows."""
        return self.training.gather(1, self.by_class.draw(label, streams))


def training_rows(dataset: Dataset, streams: Streams) -> TrainingRows:
    """Splits the pool for every cell by its own stream."""
    labels = dataset.labels.cpu()
    device = dataset.labels.device
    splits = [
        stratified_split(labels, dataset.validation_rows, stream) for stream in streams
    ]
    training = torch.stack([train for train, _ in splits]).to(device)
    return TrainingRows(
        dataset=dataset,
        training=training,
        validation=torch.stack([held for _, held in splits]).to(device),
        by_class=class_index(dataset.labels[training], dataset.classes),
    )
