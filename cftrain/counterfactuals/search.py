"""The search for counterfactuals: the only loop that moves rows."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from cftrain import stacking
from cftrain.counterfactuals.categories import Categories, Free
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.energy import target_probability
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.result import SearchResult, concatenate
from cftrain.counterfactuals.space import Noise
from cftrain.counterfactuals.working_set import WorkingSet
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.models.pullback import (
    Differentiated,
    differentiated,
    has_closed_form,
    owed,
)
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream, Streams
from cftrain.tensors import Classes, Logits, Mask, Rows, over_features

CHUNK_NUMBERS = 2**19
"""Numbers in one walked chunk of rows: about the second-level cache (2 MiB)."""

MOST_ROWS = 2**13
"""Rows in one walked chunk: hidden layers are wider than narrow inputs."""

MOST_IN_COLUMNS = 32
"""Features of rows that lie in memory feature by feature while they are searched."""

COMPACT_SHARE = 0.75
"""Finished rows leave the working set when at most this share of it is still active."""


@dataclass(frozen=True, kw_only=True)
class CounterfactualSearch:
    """Gradient descent from factuals to their targets.

    Cells are walked one by one and rows in chunks that fit the cache, each until its
    own rows are finished: in a wide mixed stack some row always needs all steps. So a
    cell's counterfactuals do not depend on its neighbours, not even by rounding.
    """

    generator: Generator
    maturity: Maturity
    descent: GradientDescent
    categories: Categories = field(default_factory=Free)

    def __call__(
        self,
        classifier: Classifier,
        factual: Rows,
        target: Classes,
        *,
        constraints: Constraints,
        streams: Streams | None = None,
        visits: bool = False,
    ) -> SearchResult:
        """Searches from every factual; `visits` keeps a visited state of each row.

        What is drawn comes from the streams, one for each cell. Without streams it is
        the same in every cell.
        """
        size = min(MOST_ROWS, max(1, CHUNK_NUMBERS // factual.shape[2]))
        cells = []
        for cell in range(len(factual)):
            chosen = slice(cell, cell + 1)
            search = stacking.select(self, chosen)
            surroundings = search._surroundings(
                frozen(classifier, chosen), factual[chosen], constraints
            )
            stream = streams[cell] if streams else Stream(0)
            portions = zip(
                factual[chosen].split(size, 1),
                target[chosen].split(size, 1),
                strict=True,
            )
            chunks = [
                search._walk(
                    surroundings,
                    WorkingSet(x, y, visits=visits, columns=surroundings.columns),
                    stream.child("chunk", number),
                )
                for number, (x, y) in enumerate(portions)
            ]
            cells.append(concatenate(chunks, 1))
        return concatenate(cells, 0)

    def _surroundings(
        self, classifier: Classifier, factual: Rows, constraints: Constraints
    ) -> "_Surroundings":
        shown = self.generator.space.shows_states
        plain = shown and self.categories.view(factual, constraints) is factual
        closed = plain and has_closed_form(classifier)
        return _Surroundings(
            classifier=classifier,
            model=differentiated(classifier),
            constraints=constraints,
            plain=plain,
            closed=closed,
            columns=closed and factual.shape[2] <= MOST_IN_COLUMNS,
        )

    def _walk(
        self, surroundings: "_Surroundings", rows: WorkingSet, stream: Stream
    ) -> SearchResult:
        """Moves the rows of one cell until each is mature, broken or out of steps."""
        # Where nothing is part of a graph, every operation has less to keep track of.
        with torch.no_grad(), torch.inference_mode(surroundings.closed):
            self._move_all(surroundings, rows, stream)
        return self._hardened(rows.result(), surroundings)

    def _move_all(
        self, surroundings: "_Surroundings", rows: WorkingSet, stream: Stream
    ) -> None:
        count = len(rows)
        route = self.generator.route(
            surroundings.classifier,
            rows.factual,
            rows.target,
            accepts=self.maturity,
            max_steps=self.descent.max_steps,
            constraints=surroundings.constraints,
        )
        most = self.descent.max_steps
        most = most if route is None else min(most, route.most)
        for step in range(most + 1):
            progress = Progress(step=step, max_steps=self.descent.max_steps)
            noise = Noise(stream=stream.child(step), rows=count, index=rows.index[0])
            state = self.generator.space.encode(rows.x, noise)
            logits, gradient = self._gradient(surroundings, rows, state, progress)
            mature = self.maturity(target_probability(logits, rows.target))
            last = step == most
            if last and self.maturity.accepts_exhausted:
                mature = torch.ones_like(mature)
            active = rows.stop(mature, broken=_is_broken(gradient))
            if last or active == 0:
                break
            if active <= COMPACT_SHARE * len(rows):
                state, gradient = rows.compact(state, gradient)
            if rows.visits:
                rows.visit(replace(noise, index=rows.index[0]).uniform())
            if route is None:
                move = self._descent(rows, state, gradient)
            else:
                # From the factual: what one stop forbids is open to the next again.
                move = rows.factual, route.stop(step, rows.index[0]) - rows.factual
            self._move(rows, *move, surroundings.constraints)

    def _gradient(
        self,
        surroundings: "_Surroundings",
        rows: WorkingSet,
        state: Tensor,
        progress: Progress,
    ) -> tuple[Logits, Tensor]:
        """Returns the rows' logits, and the gradient of the loss by their states.

        It comes from the loss by the logits, then by the rows that the model sees, then
        by the states that these stand for.
        """
        seen = state
        if not surroundings.plain:
            with torch.enable_grad():
                state = state.detach().requires_grad_()
                x = self.generator.space.view(state, rows.x)
                seen = self.categories.view(x, surroundings.constraints)
        shown = seen.detach()
        logits, pull_back = surroundings.model(shown)
        by_logits, by_shown = self.generator.slopes(
            logits, rows.target, shown, rows.factual, progress=progress
        )
        gradient = pull_back(by_logits)
        if by_shown is not None:
            gradient = gradient + by_shown
        if not surroundings.plain:
            gradient = owed(state, seen, gradient)
        return logits, gradient

    def _descent(
        self, rows: WorkingSet, state: Tensor, gradient: Tensor
    ) -> tuple[Rows, Rows]:
        """Returns where a step of descent begins, and the move that it makes."""
        step = gradient * -over_features(self.descent.step_size)
        return rows.x, self.generator.space.move(state.detach(), step, rows.x)

    def _move(
        self, rows: WorkingSet, start: Rows, move: Rows, constraints: Constraints
    ) -> None:
        """Makes a move as far as the constraints allow."""
        x = constraints.moved(start, move, rows.factual)
        x = self.categories.settled(x, constraints)
        near = (x - rows.factual).abs_().amax(-1) <= self.descent.epsilon
        rows.move(x, near)

    @torch.no_grad()
    def _hardened(
        self, result: SearchResult, surroundings: "_Surroundings"
    ) -> SearchResult:
        """Returns rows with valid categories, judged as they are reported."""
        constraints, classifier = surroundings.constraints, surroundings.classifier
        counterfactual = self.categories.hard(result.counterfactual, constraints)
        if counterfactual is result.counterfactual:
            return result
        mature = result.mature
        if not self.maturity.accepts_exhausted:
            probability = target_probability(classifier(counterfactual), result.target)
            mature = mature & self.maturity(probability)
        nascent = self.categories.hard(result.nascent, constraints)
        # Another category is a move by 1: a ball that is smaller keeps the factual's.
        inside = (nascent - result.factual).abs() <= over_features(self.descent.epsilon)
        nascent = torch.where(inside, nascent, result.factual)
        return replace(
            result, counterfactual=counterfactual, nascent=nascent, mature=mature
        )


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """What all rows of a cell are searched in.

    `plain` says that the model sees the states themselves, and `closed` that it is
    differentiated in closed form as well; then narrow rows lie in `columns`.
    """

    classifier: Classifier
    model: Differentiated
    constraints: Constraints
    plain: bool
    closed: bool
    columns: bool


def _is_broken(gradient: Tensor) -> Mask:
    """Returns which rows have a gradient that is not finite."""
    # A maximum of numbers some of which are NaN is NaN, which is less than nothing.
    return ~(gradient.abs().amax(-1) < torch.inf)
