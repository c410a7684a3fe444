"""The search for counterfactuals: the only loop that moves rows."""

from dataclasses import dataclass

import torch

from cftrain import stacking
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.result import SearchResult, concatenate
from cftrain.counterfactuals.working import WorkingSet
from cftrain.data.constraints import Constraints
from cftrain.energy import target_probability
from cftrain.models.classifier import Classifier
from cftrain.models.members import frozen
from cftrain.ranges import Count, PositiveScalar
from cftrain.tensors import Classes, Logits, Rows, over_features

CHUNK_NUMBERS = 2**19
"""Numbers in one walked chunk of rows: about the second-level cache (2 MiB)."""

COMPACT_SHARE = 0.75
"""Finished rows leave the working set when at most this share of it is still active."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Budget and size of the moves of a search, as configured.

    `step_size` multiplies the gradient; `max_steps` moves are made at most; `epsilon`
    bounds how far any feature of a nascent row is from its factual.
    """

    step_size: PositiveScalar
    max_steps: Count
    epsilon: PositiveScalar


@dataclass(frozen=True, kw_only=True)
class CounterfactualSearch:
    """Gradient descent in input space from factuals to their targets.

    Cells are walked one by one and rows in chunks that fit the cache, each until its
    own rows are finished: in a wide mixed stack some row always needs all steps. So a
    cell's counterfactuals do not depend on its neighbours, not even by rounding.
    """

    generator: Generator
    maturity: Maturity
    steps: Steps

    def __call__(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        *,
        constraints: Constraints,
    ) -> SearchResult:
        rows = max(1, CHUNK_NUMBERS // max(factual.shape[2], 64))
        cells = []
        for cell in range(len(factual)):
            chosen = slice(cell, cell + 1)
            search = stacking.select(self, chosen)
            model = frozen(classifier, chosen)
            chunks = [
                search._walk(model, some_factuals, some_targets, constraints)
                for some_factuals, some_targets in zip(
                    factual[chosen].split(rows, 1),
                    target[chosen].split(rows, 1),
                    strict=True,
                )
            ]
            cells.append(concatenate(chunks, 1))
        return concatenate(cells, 0)

    def _walk(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        constraints: Constraints,
    ) -> SearchResult:
        """Move the rows of one cell until each is mature, broken or out of steps."""
        rows = WorkingSet(factual, target)
        for step in range(self.steps.max_steps + 1):
            progress = Progress(step=step, max_steps=self.steps.max_steps)
            logits, gradient = self._gradient(classifier, rows, progress)
            mature = self.maturity(target_probability(logits, rows.target), gradient)
            active = rows.stop(mature, broken=~torch.isfinite(gradient).all(-1))
            if step == self.steps.max_steps or active == 0:
                break
            if active <= COMPACT_SHARE * len(rows):
                gradient = rows.compact(gradient)
            self._move(rows, gradient, constraints)
        return rows.result()

    def _gradient(
        self, classifier: Classifier, rows: WorkingSet, progress: Progress
    ) -> tuple[Logits, Rows]:
        with torch.enable_grad():
            x = rows.x.detach().requires_grad_()
            logits = classifier(x)
            loss = self.generator.loss(
                logits, rows.target, x, rows.factual, progress=progress
            )
            # Rows are independent: the gradient of the sum is that of each row.
            (gradient,) = torch.autograd.grad(loss.sum(), x)
        return logits.detach(), gradient

    def _move(self, rows: WorkingSet, gradient: Rows, constraints: Constraints) -> None:
        """One step of descent, as far as mutability and domain allow."""
        step = constraints.restrict(over_features(self.steps.step_size) * -gradient)
        x = constraints.clamp(rows.x + step, rows.factual)
        near = (x - rows.factual).abs().amax(-1) <= self.steps.epsilon
        rows.move(x, near)
