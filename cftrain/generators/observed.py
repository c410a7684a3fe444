"""Generators that answer with rows that somebody has seen: nothing is descended."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, final

import torch
from jaxtyping import Bool
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import AtLeast, Count
from cftrain.counterfactuals.energy import probabilities
from cftrain.counterfactuals.generator import Generator
from cftrain.counterfactuals.route import Observed, Places, Route, nearest, spread
from cftrain.counterfactuals.visiting import Visiting
from cftrain.data.constraints import Constraints
from cftrain.errors import StackError
from cftrain.models.classifier import Classifier
from cftrain.seeding import Stream
from cftrain.tensors import Classes, Features, Mask, PerRow, Rows, Scalar


@dataclass(frozen=True, kw_only=True)
class ObservedRows(Visiting):
    """Goes to observed rows that the model puts into the target class.

    At most `rows` of the pool take part, drawn once. A row is a goal where the model is
    as sure of the target as a mature counterfactual has to be; if it is sure of none,
    the most probable one is.
    """

    rows: Count
    observed: Observed | None = None

    @property
    def learns(self) -> bool:
        return True

    @property
    def neighbourhood(self) -> int:
        """Returns how many neighbours of an observed row are of interest."""
        return 0

    def fitted(self, rows: Features, cache: Path) -> Generator:
        order = torch.randperm(
            len(rows), generator=Stream(0).child("observed rows").generator()
        )
        drawn = rows[order[: self.rows].to(rows.device)]
        return replace(self, observed=Observed(drawn, neighbours=self.neighbourhood))

    def sharing(self, fitted: Generator) -> Generator:
        if not isinstance(fitted, type(self)) or fitted.rows != self.rows:
            raise StackError(
                "generator: expected equal observed rows in all cells of a stack"
            )
        return replace(self, observed=fitted.observed)

    def route(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        *,
        accepts: Callable[[PerRow], Mask],
        max_steps: int,
        constraints: Constraints,
    ) -> Route:
        if self.observed is None:
            raise StackError(
                "generator: expected observed rows, got none; call fitted()"
            )
        observed = self.observed
        probability = probabilities(classifier(observed.rows.unsqueeze(0)))
        stops = target.new_zeros(factual.shape[1], max_steps)
        for wanted in target.unique():
            of_wanted = probability[..., wanted]
            goals = accepts(of_wanted)[0].clone()
            if not goals.any():
                # Of a model that has diverged any row will do: it moves none.
                goals[of_wanted[0].nan_to_num(-1).argmax()] = True
            here = (target[0] == wanted).nonzero().squeeze(1)
            stops[here] = self.stops(observed, factual[0, here], goals, max_steps)
        return Route(observed=observed.rows, stops=stops)

    @abstractmethod
    def stops(
        self,
        observed: Observed,
        factual: Features,
        goals: Bool[Tensor, " observed"],
        count: int,
    ) -> Places:
        """Returns which observed rows each factual visits on the way to a goal."""


@named("nearest")
@final
@dataclass(frozen=True, kw_only=True)
class Nearest(ObservedRows):
    """The nearest observed row, in L1, that the model puts into the target class.

    The nearest unlike neighbour of case-based explanation (Keane and Smyth, 2020).
    Where constraints make another row of it that the model no longer accepts, the next
    nearest follows, as many as a search has steps.
    """

    def stops(
        self,
        observed: Observed,
        factual: Features,
        goals: Bool[Tensor, " observed"],
        count: int,
    ) -> Places:
        places = goals.nonzero().squeeze(1)
        most = min(count, len(places))
        _, order = nearest(factual, observed.rows[places], most)
        # Where there are fewer than steps, the last one is visited again.
        return places[order][:, torch.arange(count).clamp(max=len(places) - 1)]


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
        lengths, places = nearest(factual, observed.rows, near)
        best = (lengths**self.power + left[places]).argmin(1, keepdim=True)
        way = [places.gather(1, best).squeeze(1)]
        while not goals[way[-1]].all():
            way.append(after[way[-1]])
        return spread(torch.stack(way, 1), goals, count)

    def _ways(
        self, observed: Observed, goals: Bool[Tensor, " observed"]
    ) -> tuple[Tensor, Tensor]:
        """Returns what it costs to get to a goal from every observed row, and the row
        that follows on the way: at goals the row itself.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import dijkstra

        places = goals.nonzero().squeeze(1)
        leap, goal = nearest(observed.rows, observed.rows[places], 1)
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
