"""Where a search has been: it reports the end of every row only."""

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from cftrain.counterfactuals.generator import Generator, Noise, Progress
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.tensors import Classes, Logits, PerRow, Rows


@final
@dataclass(frozen=True, kw_only=True)
class Recorder(Generator):
    """Does what another generator does, and keeps the rows that it is shown: those that
    are left in each step of a search, and their places.
    """

    name: str
    generator: Generator
    shown: list[tuple[Tensor, Rows]]

    @property
    def draws(self) -> bool:
        return self.generator.draws

    def encode(self, x: Rows, noise: Noise) -> Tensor:
        self.shown.append((noise.index, x))
        return self.generator.encode(x, noise)

    def view(self, state: Tensor, x: Rows) -> Rows:
        return self.generator.view(state, x)

    def move(self, state: Tensor, step: Tensor, x: Rows) -> Rows:
        return self.generator.move(state, step, x)

    def loss(
        self,
        logits: Logits,
        target: Classes,
        counterfactual: Rows,
        factual: Rows,
        *,
        progress: Progress,
    ) -> PerRow:
        return self.generator.loss(
            logits, target, counterfactual, factual, progress=progress
        )


def record(
    search: CounterfactualSearch,
    classifier: Classifier,
    factual: Rows,
    target: Classes,
    *,
    constraints: Constraints,
) -> tuple[SearchResult, list[Tensor]]:
    """What a search by a stack of one model finds, and the path (step, feature) of each
    row from its factual to its counterfactual, both included.

    For a handful of rows, that a search walks in one chunk.
    """
    recorder = Recorder(
        name=search.generator.name, generator=search.generator, shown=[]
    )
    found = replace(search, generator=recorder)(
        classifier, factual, target, constraints=constraints
    )
    seen: list[list[Tensor]] = [[] for _ in range(factual.shape[1])]
    for index, rows in recorder.shown:
        for place, row in zip(index.tolist(), rows[0], strict=True):
            seen[place].append(row)
    # Rows that have stopped may be shown again while others still move.
    moves = found.steps[0].tolist()
    return found, [
        torch.stack(path[: count + 1]) for path, count in zip(seen, moves, strict=True)
    ]
