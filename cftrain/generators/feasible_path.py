"""A path over observed rows: how to get to another decision through people who are."""

from dataclasses import dataclass
from typing import Annotated, final

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, Count
from cftrain.generators.observed import Observed, ObservedRows, Places
from cftrain.tensors import Features, Scalar


@named("path")
@final
@dataclass(frozen=True, kw_only=True)
class FeasiblePath(ObservedRows):
    """The cheapest way over observed rows, from one to a neighbour of it.

    After FACE (Poyiadzi et al., 2020), which asks that a counterfactual can be reached
    through regions where people are. Here too rows are connected to their nearest
    `neighbours`. A step costs its L1 length to a `power` above one, so that many short
    ones are cheaper than a jump over an empty region; FACE multiplies lengths by a
    function of an estimated density (both are distances weighted by density: Hwang,
    Damelin and Hero, 2016). Each row is also connected to the goal nearest to it, so
    that there is a way, where FACE may find none. A factual enters by whichever of its
    own nearest rows is best. Of a way with more stops than a search has steps, stops
    evenly spread over it are visited, the goal among them.
    """

    neighbours: Count
    power: Annotated[Scalar, AtLeast(1)]

    @property
    def neighbourhood(self) -> int:
        return self.neighbours

    def stops(
        self,
        observed: Observed,
        factual: Features,
        goals: Bool[Tensor, " observed"],
        count: int,
    ) -> Places:
        left, after = self._ways(observed, goals)
        near = min(self.neighbours, len(observed.rows))
        lengths, places = observed.nearest(factual, near)
        best = (lengths**self.power + left[places]).argmin(1, keepdim=True)
        way = [places.gather(1, best).squeeze(1)]
        while not goals[way[-1]].all():
            way.append(after[way[-1]])
        return _spread(torch.stack(way, 1), goals, count)

    def _ways(
        self, observed: Observed, goals: Bool[Tensor, " observed"]
    ) -> tuple[Tensor, Tensor]:
        """Returns what it costs to get to a goal from every observed row, and the row
        that follows on the way: at goals the row itself.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import dijkstra

        places = goals.nonzero().squeeze(1)
        leap, goal = Observed(observed.rows[places], neighbours=0).nearest(
            observed.rows, 1
        )
        lengths, ends = observed.edges
        # A goal among the neighbours is connected already.
        new = (ends != places[goal]).all(1, keepdim=True)
        kept = torch.cat([torch.ones_like(ends, dtype=torch.bool), new], 1)
        starts, _ = kept.nonzero(as_tuple=True)
        ends = torch.cat([ends, places[goal]], 1)[kept]
        power = torch.as_tensor(self.power).reshape(())  # of the one cell that walks
        costs = torch.cat([lengths, leap], 1)[kept].double() ** power
        numbers = [each.cpu().numpy() for each in (costs, starts, ends)]
        count = len(observed.rows)
        graph = coo_array((numbers[0], (numbers[1], numbers[2])), (count, count))
        left, before, _ = dijkstra(
            graph.tocsr(),
            directed=False,
            indices=places.cpu().numpy(),
            min_only=True,
            return_predecessors=True,
        )
        after = torch.from_numpy(before).long()
        after = torch.where(after < 0, torch.arange(count), after)  # as at goals
        return torch.from_numpy(left).to(observed.rows), after.to(places)


def _spread(
    way: Int[Tensor, "row visited"], goals: Bool[Tensor, " observed"], count: int
) -> Places:
    """Returns so many stops of each way, whose end is the first goal on it: all of
    them, the last one repeated, or as many as there may be, evenly spread.
    """
    lengths = (~goals[way]).sum(1, keepdim=True) + 1
    numbers = torch.arange(1, count + 1, device=way.device)
    spread = (numbers * lengths + count - 1) // count  # rounded up
    chosen = torch.where(lengths > count, spread, numbers.minimum(lengths))
    return way.gather(1, chosen - 1)
