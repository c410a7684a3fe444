"""What a counterfactual may not do: leave the domain, move a feature that must stay,
break a relation between features.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cftrain.data.relations.relations import Relations
from cftrain.errors import DataError
from cftrain.tensors import Features, Flags, Mask, Rows, Vector

KINDS = ("free", "immutable", "increase", "decrease")


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """A box for every feature and the directions in which the feature may move.

    Infinite bounds mean no box. The paper's three cases of mutability (section 3.3)
    and the free one are the four combinations of `may_increase` and `may_decrease`.
    Each of the `groups` lists the indices of the one-hot inputs of one category.
    Without `relations`, which are None then, nothing is done for their sake.
    """

    lower: Vector
    upper: Vector
    may_increase: Flags
    may_decrease: Flags
    groups: tuple[tuple[int, ...], ...] = ()
    relations: Relations | None = None

    def __post_init__(self) -> None:
        _check_groups(self)

    @cached_property
    def protected(self) -> Flags:
        """Returns which features may not move both ways."""
        return ~(self.may_increase & self.may_decrease)

    @cached_property
    def all_free(self) -> bool:
        return not self.protected.any()

    @property
    def related_by(self) -> tuple[str, ...]:
        """Returns the relations as they were declared."""
        declared = () if self.relations is None else self.relations.declared
        return tuple(relation.text for relation in declared)

    def to(self, *, dtype: torch.dtype, device: torch.device) -> "Constraints":
        relations = self.relations
        if relations is not None:
            relations = relations.to(dtype=dtype, device=device)
        return Constraints(
            lower=self.lower.to(device, dtype),
            upper=self.upper.to(device, dtype),
            may_increase=self.may_increase.to(device),
            may_decrease=self.may_decrease.to(device),
            groups=self.groups,
            relations=relations,
        )

    def moved(self, x: Rows, step: Rows, factual: Rows) -> Rows:
        """Returns where a move from x ends: as far as mutability, then the box and then
        the relations allow, which is the nearest row that obeys all of them.

        A row that breaks a relation comes to obey it, as far as what may move can.
        """
        lower, upper = self._box(factual)
        end = (x + self.restrict(step)).clamp_(lower, upper)
        if self.relations is None:
            return end
        lower = torch.where(self.may_decrease, lower, x)
        upper = torch.where(self.may_increase, upper, x)
        return self.relations.obeyed(end, lower, upper)

    def restrict(self, step: Rows) -> Rows:
        """Returns the part of a move that mutability allows."""
        if self.all_free:
            return step
        return torch.clamp(step, *self._room)

    def clamp(self, x: Rows, factual: Rows) -> Rows:
        """Returns the nearest point in the box.

        Features that may not move both ways have a box wide enough for their factual:
        else the clamp itself could move what must stay.
        """
        lower, upper = self._box(factual)
        return torch.clamp(x, lower, upper)

    def _box(self, factual: Rows) -> tuple[Tensor, Tensor]:
        """The bounds, wide enough for features that may not move both ways."""
        if self.all_free:
            return self.lower, self.upper
        # A choice by a mask takes several times as long on wide rows.
        lower = torch.minimum(self.lower, factual + self._beyond)
        return lower, torch.maximum(self.upper, factual - self._beyond)

    @cached_property
    def _room(self) -> tuple[Vector, Vector]:
        """How far a feature may move down and up: not at all, or without end."""
        none = torch.zeros_like(self.lower)
        down = none.masked_fill(self.may_decrease, -torch.inf)
        return down, none.masked_fill(self.may_increase, torch.inf)

    @cached_property
    def _beyond(self) -> Vector:
        """Nothing for features that may not move both ways, else without end."""
        none = torch.zeros_like(self.lower)
        return none.masked_fill(~self.protected, torch.inf)

    def protect(self, positive: Rows, counterfactual: Rows) -> Rows:
        """Returns observed rows that reward no forbidden move (paper section 3.3).

        Where closing the gap from the counterfactual to the observed row is forbidden,
        the observed row takes the counterfactual's value.
        """
        if self.all_free:
            return positive
        kept_up = torch.where(self.may_increase, positive, counterfactual)
        kept_down = torch.where(self.may_decrease, positive, counterfactual)
        return torch.where(positive > counterfactual, kept_up, kept_down)

    def stopped(self, x: Rows, factual: Rows, *, tolerance: float) -> Mask:
        """Returns which rows have moved some feature to a bound of its domain, or to
        within the tolerance of one. One-hot inputs do not count.
        """
        near = (x - self.lower < tolerance) | (self.upper - x < tolerance)
        near[..., [place for group in self.groups for place in group]] = False
        return (near & ((x - factual).abs() > tolerance)).any(-1)

    def violations(self, x: Rows, factual: Rows, *, tolerance: float = 1e-6) -> Mask:
        """Returns which rows break box, mutability or a relation by more than the
        tolerance.

        So does a row that started outside the box and never moved, and one that is not
        finite. A feature that may not move both ways may stay where its factual is.
        """
        move = x - factual
        forbidden = ((move > tolerance) & ~self.may_increase) | (
            (move < -tolerance) & ~self.may_decrease
        )
        inside = self.clamp(x, factual)
        outside = ~((x - inside).abs() <= tolerance)  # true of what is no number
        broken = (forbidden | outside).any(-1)
        if self.relations is None:
            return broken
        return broken | self.relations.broken(x, tolerance=tolerance)


def unconstrained(features: int) -> Constraints:
    infinite = torch.full((features,), torch.inf)
    free = torch.ones(features, dtype=torch.bool)
    return Constraints(
        lower=-infinite, upper=infinite, may_increase=free, may_decrease=free
    )


def inferred_domain(features: Features, deviations: float) -> tuple[Vector, Vector]:
    """Returns mean +- `deviations` sample deviations, never tighter than the range.

    The paper's text has 3 deviations, the authors' code 2.
    """
    mean, spread = features.mean(0), features.std(0)
    lower = torch.minimum(mean - deviations * spread, features.amin(0))
    upper = torch.maximum(mean + deviations * spread, features.amax(0))
    return lower, upper


def mutability_flags(kinds: list[str]) -> tuple[Tensor, Tensor]:
    """Returns (may_increase, may_decrease) of features, each of one of the `KINDS`."""
    increase = torch.tensor([kind in ("free", "increase") for kind in kinds])
    decrease = torch.tensor([kind in ("free", "decrease") for kind in kinds])
    return increase, decrease


def _check_groups(constraints: Constraints) -> None:
    """Raises DataError unless the groups are disjoint and move as one."""
    features = len(constraints.may_increase)
    taken: set[int] = set()
    for group in constraints.groups:
        members = set(group)
        if len(members) < 2 or len(members) < len(group) or members & taken:
            raise DataError(
                "groups: expected at least 2 different features in each, none of them "
                f"in two groups, got {constraints.groups}"
            )
        if not members <= set(range(features)):
            raise DataError(
                f"groups: expected features 0 to {features - 1}, got {group}"
            )
        taken |= members
        moves = torch.stack([constraints.may_increase, constraints.may_decrease])
        if moves[:, list(group)].unique().numel() > 1:
            raise DataError(
                f"groups: expected the features {group} to be all free or all "
                "immutable, got a mixture"
            )
