"""Observed rows of a class, prepared once for many comparisons."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.seeding import Stream
from cftrain.tensors import Features, Labels

T = TypeVar("T")

DISTANCES = 2**20
"""Entries of a distance matrix held at a time."""


@dataclass(frozen=True)
class ReferenceClass:
    """The observed rows of one class: (row, feature)."""

    rows: Features
    _prepared: dict[Hashable, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def once(self, prepare: Callable[..., T], *arguments: Hashable) -> T:
        """Returns what `prepare` makes of this class; it is made at the first call."""
        key = (prepare, *arguments)
        if key not in self._prepared:
            self._prepared[key] = prepare(self, *arguments)
        return self._prepared[key]

    def drawn(self, most: int, seed: int) -> "ReferenceClass":
        """Draws as many rows, but at most so many, with replacement."""
        count = min(most, len(self.rows))
        generator = Stream(seed).generator()
        # Without rows there are no draws, and no range to draw from either.
        chosen = torch.randint(max(1, len(self.rows)), (count,), generator=generator)
        return ReferenceClass(self.rows[chosen.to(self.rows.device)])

    def mean_distance(
        self, x: Float[Tensor, "query feature"]
    ) -> Float[Tensor, " query"]:
        """Returns the mean L1 distance from each of x to all rows; NaN without rows.

        Exact and without a distance matrix: the mean is a sum over features, and in a
        sorted column prefix sums give the distances to both sides of a query. So a row
        costs O(features * log(rows)).
        """
        queries = x.T.double().contiguous()
        below = torch.searchsorted(self._sorted, queries, right=True)
        low = self._prefix.gather(1, below)
        total = self._prefix[:, -1:]
        count = len(self.rows)
        distances = queries * below - low + (total - low) - queries * (count - below)
        return distances.sum(0) / count

    def mean_euclidean_distance(
        self, x: Float[Tensor, "query feature"]
    ) -> Float[Tensor, " query"]:
        """Returns the mean Euclidean distance from x to all rows; NaN without rows."""
        size = max(1, DISTANCES // max(1, len(self.rows)))
        rows = self.rows.double()
        portions = x.double().split(size)
        return torch.cat([torch.cdist(part, rows).mean(1) for part in portions])

    @cached_property
    def _sorted(self) -> Tensor:
        return self.rows.T.double().sort(dim=1).values.contiguous()

    @cached_property
    def _prefix(self) -> Tensor:
        zero = self._sorted.new_zeros(self._sorted.shape[0], 1)
        return torch.cat([zero, self._sorted.cumsum(1)], 1)


@dataclass(frozen=True)
class Reference:
    """The observed rows that counterfactuals are held against."""

    features: Features
    labels: Labels
    classes: int

    def of(self, label: int) -> ReferenceClass:
        """Returns the observed rows of a class."""
        return self._by_class[label]

    @cached_property
    def _by_class(self) -> list[ReferenceClass]:
        return [
            ReferenceClass(self.features[self.labels == label])
            for label in range(self.classes)
        ]
