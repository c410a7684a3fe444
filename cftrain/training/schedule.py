"""How long, in which portions and with how many counterfactuals training goes."""

from dataclasses import dataclass
from itertools import pairwise

from cftrain.config.names import named
from cftrain.config.ranges import Count, Share
from cftrain.training.optimiser import Adam


@named("schedule")
@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Epochs and batches.

    `counterfactuals` are searched per epoch, not per batch, and spread over its
    batches. During the first `burn_in` share of the epochs there are none.
    """

    epochs: Count
    batch_rows: Count
    counterfactuals: Count
    burn_in: Share
    optimiser: Adam

    @property
    def burn_in_epochs(self) -> int:
        return round(self.burn_in * self.epochs)


def batches(rows: int, batch_rows: int) -> list[slice]:
    """The same rows in the same order every epoch; the last batch may be smaller."""
    return [slice(i, min(i + batch_rows, rows)) for i in range(0, rows, batch_rows)]


def groups(tuples: int, count: int) -> list[slice]:
    """Contiguous groups as equal as possible; the first ones have one more."""
    size, longer = divmod(tuples, count)
    starts = [group * size + min(group, longer) for group in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(starts)]
