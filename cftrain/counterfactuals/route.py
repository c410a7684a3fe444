"""A search that goes from observed row to observed row, in place of descending."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cftrain.tensors import Features, Rows

Places = Int[Tensor, "row stop"]

CHUNK_ROWS = 256
"""Rows whose distances to all observed ones are held at a time."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """The rows that those of one cell visit, one in each step of a search.

    `stops` are their places among the `observed` rows, which may be others that there
    are; where a row's way is shorter than that of others, its last stop is repeated.
    """

    observed: Float[Tensor, "place feature"]
    stops: Places

    @property
    def most(self) -> int:
        """Returns how many steps the longest way has."""
        return self.stops.shape[1]

    def stop(self, step: int, index: Int[Tensor, " moving"]) -> Rows:
        """Returns where the rows at these places are after the step, counted from 0."""
        return self.observed[self.stops[index, step]].unsqueeze(0)


class Observed:
    """Rows that searches may visit, and which of them are neighbours."""

    def __init__(self, rows: Features, *, neighbours: int) -> None:
        self.rows, self.neighbours = rows, min(neighbours, len(rows) - 1)

    @cached_property
    def edges(self) -> tuple[Tensor, Places]:
        """Returns L1 lengths and ends of the edges from each row to its neighbours."""
        lengths, places = nearest(self.rows, self.rows, self.neighbours + 1)
        # The first is the row itself, or its twin, an edge of no length.
        return lengths[:, 1:], places[:, 1:]


def nearest(
    x: Features, among: Float[Tensor, "place feature"], count: int
) -> tuple[Tensor, Places]:
    """Returns L1 distances and places of the rows nearest to each x, in order."""
    found = [
        torch.cdist(part, among, p=1).topk(count, largest=False)
        for part in x.split(CHUNK_ROWS)
    ]
    lengths, places = zip(*found, strict=True)
    return torch.cat(lengths), torch.cat(places)


def spread(
    way: Int[Tensor, "row visited"], goals: Bool[Tensor, " observed"], count: int
) -> Places:
    """Returns so many stops of each way, whose end is the first goal on it: all of
    them, the last one repeated, or as many as there may be, evenly spread.
    """
    lengths = (~goals[way]).sum(1, keepdim=True) + 1
    numbers = torch.arange(1, count + 1, device=way.device)
    thinned = (numbers * lengths + count - 1) // count  # rounded up
    chosen = torch.where(lengths > count, thinned, numbers.minimum(lengths))
    return way.gather(1, chosen - 1)
