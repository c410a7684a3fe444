"""Where a search has been: it reports the end of every row only."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.counterfactuals.space import Noise, Space
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Features, Rows


@final
@dataclass(frozen=True, kw_only=True)
class Recorder(Space):
    """Does what another space does, and keeps the rows that it is shown: those that are
    left in each step of a search, and their places.
    """

    space: Space
    shown: list[tuple[Tensor, Rows]]

    @property
    def draws(self) -> bool:
        return self.space.draws

    @property
    def shows_states(self) -> bool:
        return self.space.shows_states

    @property
    def has_closed_form(self) -> bool:
        return self.space.has_closed_form

    def pull_back(self, state: Tensor, by_rows: Rows) -> Tensor:
        return self.space.pull_back(state, by_rows)

    @property
    def learns(self) -> bool:
        return self.space.learns

    def fitted(self, rows: Features, cache: Path) -> "Recorder":
        return replace(self, space=self.space.fitted(rows, cache))

    def sharing(self, fitted: Space) -> "Recorder":
        return replace(self, space=self.space.sharing(fitted))

    def encode(self, x: Rows, noise: Noise) -> Tensor:
        self.shown.append((noise.index, x))
        return self.space.encode(x, noise)

    def view(self, state: Tensor, x: Rows) -> Rows:
        return self.space.view(state, x)

    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        return self.space.move(state, step, x)


def record(
    search: CounterfactualSearch,
    classifier: Classifier,
    factual: Rows,
    target: Classes,
    *,
    constraints: Constraints,
) -> tuple[SearchResult, list[Tensor]]:
    """Returns what a search by a stack of one model finds, and the path (step, feature)
    of each row from its factual to its counterfactual, both included.

    For a handful of rows, that a search walks in one chunk.
    """
    recorder = Recorder(space=search.generator.space, shown=[])
    recorded = replace(search, generator=replace(search.generator, space=recorder))
    found = recorded(classifier, factual, target, constraints=constraints)
    seen: list[list[Tensor]] = [[] for _ in range(factual.shape[1])]
    for index, rows in recorder.shown:
        for place, row in zip(index.tolist(), rows[0], strict=True):
            seen[place].append(row)
    # Rows that have stopped may be shown again while others still move.
    moves = found.steps[0].tolist()
    return found, [
        torch.stack(path[: count + 1]) for path, count in zip(seen, moves, strict=True)
    ]
