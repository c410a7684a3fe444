"""A relation in model inputs: a half-space."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


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

    def size(self, x: Tensor) -> Tensor:
        """Returns how large the numbers are that an excess is the difference of."""
        return 1 + (x[..., self.places] * self.factors).abs().sum(-1)
