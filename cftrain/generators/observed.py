"""Generators that answer with rows that somebody has seen: nothing is descended."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import final

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count
from cftrain.counterfactuals.energy import (
    cross_entropy,
    cross_entropy_slope,
    target_probability,
)
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.penalties import distance, distance_slope
from cftrain.counterfactuals.route import Route
from cftrain.errors import ConfigError, StackError
from cftrain.models.classifier import Classifier
from cftrain.seeding import Stream
from cftrain.tensors import Classes, Features, Logits, Mask, PerRow, Rows

Places = Int[Tensor, "row stop"]

CHUNK_ROWS = 256
"""Rows whose distances to all observed ones are held at a time."""


class Observed:
    """Rows that searches may visit, and which of them are neighbours."""

    def __init__(self, rows: Features, *, neighbours: int) -> None:
        self.rows, self.neighbours = rows, min(neighbours, len(rows) - 1)

    def nearest(self, x: Features, count: int) -> tuple[Tensor, Places]:
        """Returns L1 distances and places of the rows nearest to each x, in order."""
        found = [
            torch.cdist(part, self.rows, p=1).topk(count, largest=False)
            for part in x.split(CHUNK_ROWS)
        ]
        lengths, places = zip(*found, strict=True)
        return torch.cat(lengths), torch.cat(places)

    @cached_property
    def edges(self) -> tuple[Tensor, Places]:
        """Returns L1 lengths and ends of the edges from each row to its neighbours."""
        lengths, places = self.nearest(self.rows, self.neighbours + 1)
        # The first is the row itself, or its twin, an edge of no length.
        return lengths[:, 1:], places[:, 1:]


@dataclass(frozen=True, kw_only=True)
class ObservedRows(Generator):
    """Goes to observed rows that the model puts into the target class.

    At most `rows` of the pool take part, drawn once. A row is a goal where the model is
    as sure of the target as a mature counterfactual has to be; if it is sure of none,
    the most probable one is. What a search would descend is the generic loss, which
    says how good a row is, but has no say in where to go.
    """

    rows: Count
    observed: Observed | None = None

    def __post_init__(self) -> None:
        if not self.space.shows_states:
            raise ConfigError(
                "generator.space: expected features, since observed rows are visited "
                "as they are, got a space of other states"
            )

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

    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        return cross_entropy(logits, target) + distance(counterfactual, factual)

    def slopes(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> tuple[Logits, Rows]:
        pull = distance_slope(counterfactual, factual)
        return cross_entropy_slope(logits, target), pull

    def ineffective(self, max_steps: int) -> frozenset[str]:
        return frozenset()

    def route(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        *,
        accepts: Callable[[PerRow], Mask],
        max_steps: int,
    ) -> Route:
        if self.observed is None:
            raise StackError(
                "generator: expected observed rows, got none; call fitted()"
            )
        observed = self.observed
        logits = classifier(observed.rows.unsqueeze(0))
        stops = torch.zeros(factual.shape[1], max_steps, dtype=torch.long)
        stops = stops.to(factual.device)
        for wanted in target.unique():
            probability = target_probability(
                logits, wanted.expand(1, len(observed.rows))
            )
            goals = accepts(probability)[0]
            if not goals.any():
                goals = probability[0] == probability[0].amax()
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
        among = Observed(observed.rows[places], neighbours=0)
        _, order = among.nearest(factual, min(count, len(places)))
        # Where there are fewer than steps, the last one is visited again.
        return places[order][:, torch.arange(count).clamp(max=len(places) - 1)]
