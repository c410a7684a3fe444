"""Observed rows of a class, prepared once for many comparisons."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cftrain.tensors import Table, TableClasses


@dataclass(frozen=True)
class ReferenceClass:
    """The observed rows of one class: (row, feature)."""

    rows: Table

    def mean_distance(self, x: Tensor) -> Tensor:
        """Mean L1 distance from each of x, (query, feature), to all rows: (query,).

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

    features: Table
    labels: TableClasses
    classes: int

    def of(self, label: int) -> ReferenceClass:
        return self._by_class[label]

    @cached_property
    def _by_class(self) -> list[ReferenceClass]:
        return [
            ReferenceClass(self.features[self.labels == label])
            for label in range(self.classes)
        ]
