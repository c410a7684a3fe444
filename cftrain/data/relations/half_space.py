"""A relation in model inputs: a half-space, and the way into it within a box."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

Terms = Float[Tensor, "row term"]
Numbers = Float[Tensor, " row"]


@dataclass(frozen=True, kw_only=True)
class HalfSpace:
    """Inputs at `places` with a sum of factor * input of at most the bound.

    The factors have unit length, so that an excess is a distance. Nothing is asked of
    rows in which one of the `flags`, the inputs that say that a value is missing, is
    set.
    """

    places: Int[Tensor, " term"]
    factors: Float[Tensor, " term"]
    bound: Float[Tensor, ""]
    flags: Int[Tensor, " flag"]

    def to(self, *, dtype: torch.dtype, device: torch.device) -> "HalfSpace":
        return HalfSpace(
            places=self.places.to(device),
            factors=self.factors.to(device, dtype),
            bound=self.bound.to(device, dtype),
            flags=self.flags.to(device),
        )

    def bounds(self, x: Tensor) -> Tensor:
        """Returns the bound of every row (..., feature): infinite where not asked."""
        bound = self.bound.expand(x.shape[:-1])
        if not len(self.flags):
            return bound
        missing = (x[..., self.flags] >= 0.5).any(-1)
        return bound.masked_fill(missing, torch.inf)

    def excess(self, x: Tensor) -> Tensor:
        """Returns how far rows (..., feature) are outside; below 0 they are inside."""
        return (x[..., self.places] * self.factors).sum(-1) - self.bounds(x)

    def rounding(self, x: Tensor) -> Tensor:
        """Returns the size of the numbers that an excess is the difference of."""
        return 1 + (x[..., self.places] * self.factors).abs().sum(-1)

    def multiplier(
        self, start: Terms, bound: Numbers, lower: Terms, upper: Terms
    ) -> Numbers:
        """Returns the least m >= 0 with clamp(start - m * factors) inside.

        All are given at the places of the half-space. Where no m is large enough it is
        the one from which on nothing moves. The excess falls with m, linearly between
        the points where a term comes to or leaves its box, so that it is solved for
        exactly.
        """
        to_lower, to_upper = (
            (start - lower) / self.factors,
            (start - upper) / self.factors,
        )
        enter, leave = (
            torch.minimum(to_lower, to_upper),
            torch.maximum(to_lower, to_upper),
        )
        bends = torch.cat([torch.zeros_like(bound).unsqueeze(1), enter, leave], 1)
        bends = torch.where(bends.isfinite(), bends, 0).clamp(min=0)
        moved = start.unsqueeze(1) - bends.unsqueeze(2) * self.factors
        inside = torch.clamp(moved, lower.unsqueeze(1), upper.unsqueeze(1))
        over = (inside * self.factors).sum(2) - bound.unsqueeze(1)
        last, place = torch.where(over > 0, bends, 0).max(1)
        rest = over.gather(1, place.unsqueeze(1))[:, 0].clamp(min=0)
        moving = (enter <= last.unsqueeze(1)) & (last.unsqueeze(1) < leave)
        slope = (self.factors.square() * moving).sum(1)
        return last + torch.where(slope > 0, rest / slope, 0)


def nearest(
    spaces: tuple[HalfSpace, ...],
    x: Float[Tensor, "row feature"],
    lower: Float[Tensor, "row feature"],
    upper: Float[Tensor, "row feature"],
    *,
    most_sweeps: int,
    close: float,
) -> Float[Tensor, "row feature"]:
    """Returns the nearest rows in their boxes that are in all half-spaces.

    Hildreth's (1957) coordinate ascent in the multipliers of the half-spaces, the box
    being clamped to: exact after one sweep where no two of them share an input. A row
    is done when a sweep changes its multipliers by no more than `close`, relative to
    the size of its inputs. A row that cannot obey comes as near as it can.
    """
    bounds = [space.bounds(x) for space in spaces]
    size = torch.stack([space.rounding(x) for space in spaces]).amax(0)
    multipliers = [torch.zeros_like(size) for _ in spaces]
    moved, done = x.clone(), torch.zeros_like(size, dtype=torch.bool)
    for _ in range(most_sweeps):
        change = torch.zeros_like(size)
        for number, space in enumerate(spaces):
            places, before = space.places, multipliers[number]
            start = moved[:, places] + before.unsqueeze(1) * space.factors
            found = space.multiplier(
                start, bounds[number], lower[:, places], upper[:, places]
            )
            found = torch.where(done, before, found)
            end = start - found.unsqueeze(1) * space.factors
            moved[:, places] = torch.where(done.unsqueeze(1), moved[:, places], end)
            change = torch.maximum(change, (found - before).abs())
            multipliers[number] = found
        done |= change <= close * size
        if done.all():
            break
    return torch.clamp(moved, lower, upper)
