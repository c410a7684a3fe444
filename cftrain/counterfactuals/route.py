"""A search that goes from observed row to observed row, in place of descending."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from cftrain.tensors import Rows


@dataclass(frozen=True, kw_only=True)
class Route:
    """The observed rows that the rows of one cell visit, one in each step.

    `stops` are their places among the observed rows; where a row's way is shorter than
    others, its last stop is repeated.
    """

    observed: Float[Tensor, "place feature"]
    stops: Int[Tensor, "row stop"]

    def stop(self, step: int, index: Int[Tensor, " moving"]) -> Rows:
        """Returns where the rows at these places are after the step, counted from 0."""
        last = self.stops.shape[1] - 1
        return self.observed[self.stops[index, min(step, last)]].unsqueeze(0)
