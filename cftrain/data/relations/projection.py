"""The nearest rows in boxes and half-spaces at once."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Inputs = Float[Tensor, "row input"]
PerRelation = Float[Tensor, "row relation"]
Chosen = Bool[Tensor, " row"]

CLOSE = 1e-6
"""Relative to the numbers that an excess is the difference of: float32's rounding."""

RIDGE = 1e-6
"""Keeps the equations of half-spaces that nothing may move towards from failing."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Rows x, each with a box and bounds on its sums of factor * input.

    The nearest row is clamp(x - multipliers @ factors) for some multipliers >= 0, one
    for each half-space, that are 0 where the row is inside of it.
    """

    factors: Float[Tensor, "relation input"]
    x: Inputs
    lower: Inputs
    upper: Inputs
    bounds: PerRelation

    def at(self, rows: Chosen) -> "Projection":
        """Returns the projection of the chosen rows."""
        names = ("x", "lower", "upper", "bounds")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def pulled(self, multipliers: PerRelation) -> Inputs:
        """Returns the rows before they are clamped."""
        return self.x - (multipliers.unsqueeze(2) * self.factors).sum(1)

    def point(self, multipliers: PerRelation) -> Inputs:
        return torch.clamp(self.pulled(multipliers), self.lower, self.upper)

    def excess(self, multipliers: PerRelation) -> PerRelation:
        terms = self.point(multipliers).unsqueeze(1) * self.factors
        return terms.sum(2) - self.bounds

    def settled(self, multipliers: PerRelation) -> Chosen:
        """Returns which rows are inside, and pulled by nothing that they are within."""
        size = 1 + (self.x.unsqueeze(1) * self.factors).abs().sum(2)
        over = self.excess(multipliers) / size
        return ((over <= CLOSE) & ((multipliers == 0) | (over >= -CLOSE))).all(1)


def nearest(projection: Projection, *, most_sweeps: int) -> Inputs:
    """Returns the nearest rows in their boxes that are in all half-spaces.

    Hildreth's (1957) ascent in one multiplier after the other, which is exact at once
    where no two half-spaces share an input; else a step of Newton's follows, which is
    exact once it is known what is active. Rows leave when they are settled, so that no
    row depends on the others. One that cannot obey comes as near as it can.
    """
    found = projection.x.clone()
    left = torch.arange(len(found), device=found.device)
    multipliers = torch.zeros_like(projection.bounds)
    for _ in range(most_sweeps):
        swept = _swept(projection, multipliers)
        if len(projection.factors) > 1:
            swept = _polished(projection, swept)
        found[left] = projection.point(swept)
        stuck = (swept == multipliers).all(1)
        moving = ~(projection.settled(swept) | stuck)
        if not moving.any():
            break
        left, multipliers = left[moving], swept[moving]
        projection = projection.at(moving)
    return found


def _swept(projection: Projection, multipliers: PerRelation) -> PerRelation:
    """Multipliers of which each was made the best one beside the others."""
    swept = multipliers.clone()
    for place in range(len(projection.factors)):
        swept[:, place] = 0
        swept[:, place] = _multiplier(projection, projection.pulled(swept), place)
    return swept


def _multiplier(projection: Projection, start: Inputs, place: int) -> Tensor:
    """The least m >= 0 with clamp(start - m * factors) inside of a half-space.

    Where no m is large enough it is the one from which on nothing moves. The excess
    falls with m, linearly between the bends where an input comes to or leaves its box.
    """
    factors, lower, upper = (
        projection.factors[place],
        projection.lower,
        projection.upper,
    )
    divisors = torch.where(factors == 0, 1, factors)
    ends = torch.stack([(start - lower) / divisors, (start - upper) / divisors])
    enter, leave = ends.amin(0), ends.amax(0)
    bends = torch.cat([torch.zeros_like(start[:, :1]), enter, leave], 1)
    bends = torch.where(bends.isfinite(), bends, 0).clamp(min=0)
    moved = start.unsqueeze(1) - bends.unsqueeze(2) * factors
    inside = torch.clamp(moved, lower.unsqueeze(1), upper.unsqueeze(1))
    over = (inside * factors).sum(2) - projection.bounds[:, place : place + 1]
    last, at = torch.where(over > 0, bends, 0).max(1, keepdim=True)
    rest = over.gather(1, at).clamp(min=0)
    slope = (factors.square() * ((enter <= last) & (last < leave))).sum(1, keepdim=True)
    return (last + torch.where(slope > 0, rest / slope, 0))[:, 0]


def _polished(projection: Projection, multipliers: PerRelation) -> PerRelation:
    """The multipliers with which all half-spaces that pull are touched, if the row is
    settled with these; else the given ones.
    """
    factors, active = projection.factors, multipliers > 0
    pulled = projection.pulled(multipliers)
    free = (pulled > projection.lower) & (pulled < projection.upper)
    felt = factors * free.unsqueeze(1) * active.unsqueeze(2)
    products = felt @ felt.transpose(1, 2)
    ridge = torch.where(active, RIDGE, 1).to(products)
    over = torch.where(active, projection.excess(multipliers), 0)
    step = torch.linalg.solve_ex(products + torch.diag_embed(ridge), over)[0]
    polished = (multipliers + step).clamp(min=0)
    return torch.where(projection.settled(polished).unsqueeze(1), polished, multipliers)
