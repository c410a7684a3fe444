"""The relations that counterfactuals obey: in raw units, and in model inputs."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cftrain.data.relations.half_space import HalfSpace
from cftrain.data.relations.projection import Projection, nearest
from cftrain.data.relations.relation import Relation
from cftrain.tensors import Mask, Rows

MOST_SWEEPS = 30
"""Enough unless two relations are nearly the same."""


@dataclass(frozen=True, kw_only=True)
class Relations:
    """At least one relation, each with its half-space of model inputs."""

    declared: tuple[Relation, ...]
    spaces: tuple[HalfSpace, ...]

    @property
    def columns(self) -> frozenset[str]:
        """Returns the names of the raw columns that some relation is about."""
        return frozenset(
            name for relation in self.declared for name in relation.columns
        )

    def to(self, *, dtype: torch.dtype, device: torch.device) -> "Relations":
        spaces = tuple(space.to(dtype=dtype, device=device) for space in self.spaces)
        return Relations(declared=self.declared, spaces=spaces)

    def without(self, place: int) -> "Relations | None":
        """Returns all relations but one, None if there is no other."""
        if len(self.spaces) == 1:
            return None
        return Relations(
            declared=self.declared[:place] + self.declared[place + 1 :],
            spaces=self.spaces[:place] + self.spaces[place + 1 :],
        )

    def obeyed(self, x: Rows, lower: Rows, upper: Rows) -> Rows:
        """Returns the nearest rows in their boxes that obey, x where that does."""
        over = torch.stack([space.excess(x) for space in self.spaces]) > 0
        broken = over.any(0)
        if not broken.any():
            return x
        inputs = self._inputs
        start = x[broken]
        projection = Projection(
            factors=self._factors,
            x=start[:, inputs],
            lower=lower.expand_as(x)[broken][:, inputs],
            upper=upper.expand_as(x)[broken][:, inputs],
            bounds=torch.stack([space.bounds(start) for space in self.spaces], 1),
        )
        obeying = x.clone()
        found = nearest(projection, most_sweeps=MOST_SWEEPS)
        obeying[broken] = start.index_copy(1, inputs, found)
        return obeying

    def broken(self, x: Rows, *, tolerance: float = 1e-6) -> Mask:
        """Returns which rows are out of a half-space, up to the rounding of inputs:
        by more than the tolerance, relative to the numbers that the excess comes from.
        """
        over = [space.excess(x) > tolerance * space.size(x) for space in self.spaces]
        return torch.stack(over).any(0)

    @cached_property
    def _inputs(self) -> Tensor:
        """The inputs that some half-space is about."""
        return torch.cat([space.places for space in self.spaces]).unique()

    @cached_property
    def _factors(self) -> Tensor:
        """The factors (relation, input) of just these inputs."""
        factors = self.spaces[0].factors.new_zeros(len(self.spaces), len(self._inputs))
        for row, space in zip(factors, self.spaces, strict=True):
            row[torch.searchsorted(self._inputs, space.places)] = space.factors
        return factors
