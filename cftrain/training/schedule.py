"""Epochs, batches, the order of rows in them, and the number of counterfactuals."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import torch
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count, Later, Share
from cftrain.seeding import Streams
from cftrain.training.optimiser import Adam

Keep = Literal["last", "best", "one_standard_error"]


@named("schedule")
@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How many epochs there are and what each of them consists of.

    An epoch walks through all training rows, `batch_rows` at a time: in the order of
    the data (`shuffle` none), in a random order that stays (once) or in a new one every
    epoch. `counterfactuals` are searched at the start of the epoch and spread over its
    batches. During the first `burn_in` share of the epochs there are none.

    A model is kept (`keep`) as it is after its last epoch, after the one with the best
    validation accuracy, or after the last one within one standard error of that. With
    `patience` it ends that many epochs after the best one.
    """

    epochs: Count
    batch_rows: Count
    shuffle: Literal["none", "once", "epoch"]
    counterfactuals: Count
    burn_in: Share
    optimiser: Adam
    keep: Annotated[Keep, Later("last")]
    patience: Annotated[Count | None, Later(None)]

    @property
    def burn_in_epochs(self) -> int:
        return round(self.burn_in * self.epochs)

    @property
    def ignored_epochs(self) -> int:
        """Returns how many epochs, from the first on, are not to be kept: those of the
        burn-in, unless there are no others.
        """
        return self.burn_in_epochs if self.burn_in_epochs < self.epochs else 0

    @property
    def judges_epochs(self) -> bool:
        """Returns whether validation accuracy decides on what a model ends with."""
        return self.keep != "last" or self.patience is not None

    def ordered(self, rows: Tensor, streams: Streams, epoch: int) -> Tensor:
        """Returns the rows (stack, row) of an epoch in its order.

        Each cell is shuffled by its own stream, and an epoch's order does not depend on
        the epochs before it, so a resumed run goes on with the same orders.
        """
        if self.shuffle == "none":
            return rows
        purpose = ("order",) if self.shuffle == "once" else ("order", epoch)
        places = [
            torch.randperm(rows.shape[1], generator=stream.child(*purpose).generator())
            for stream in streams
        ]
        return rows.gather(1, torch.stack(places).to(rows.device))


def batches(rows: int, batch_rows: int) -> list[slice]:
    """Returns the places of each batch's rows; the last one may have fewer."""
    return [slice(i, min(i + batch_rows, rows)) for i in range(0, rows, batch_rows)]


def groups(tuples: int, count: int) -> list[slice]:
    """Returns contiguous groups of equal size, or with one more in the first ones."""
    size, longer = divmod(tuples, count)
    starts = [group * size + min(group, longer) for group in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(starts)]
