"""The search for counterfactuals: the only loop that moves rows."""

from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from cftrain import stacking
from cftrain.config.outside import all_own
from cftrain.cores import side_by_side
from cftrain.counterfactuals.categories import Categories, Free
from cftrain.counterfactuals.descent import GradientDescent
from cftrain.counterfactuals.energy import target_probability
from cftrain.counterfactuals.generator import Generator, Progress
from cftrain.counterfactuals.gradients import broken_rows, downhill
from cftrain.counterfactuals.maturity import Maturity
from cftrain.counterfactuals.result import SearchResult, concatenate
from cftrain.counterfactuals.space import FeatureSpace, Noise
from cftrain.counterfactuals.working_set import WorkingSet
from cftrain.data.constraints import Constraints
from cftrain.models.classifier import Classifier
from cftrain.models.module import is_shareable
from cftrain.models.pullback import (
    Differentiated,
    differentiated,
    has_closed_form,
    owed,
)
from cftrain.models.stack_slicing import frozen
from cftrain.seeding import Stream, Streams
from cftrain.tensors import Classes, Logits, Rows, over_features

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
            rows = factual[chosen].split(size, 1), target[chosen].split(size, 1)
            chunks = [*enumerate(zip(*rows, strict=True))]
            walk = partial(search._walk, surroundings, stream, visits)
            found = side_by_side(walk, chunks, shared=surroundings.shared)
            cells.append(concatenate(found, 1))
        return concatenate(cells, 0)

    def _surroundings(
        self, classifier: Classifier, factual: Rows, constraints: Constraints
    ) -> "_Surroundings":
        space = self.generator.space
        seen = self.categories.view(factual, constraints)
        plain = seen is factual and space.has_closed_form
        closed = plain and has_closed_form(classifier)
        narrow = factual.shape[2] <= MOST_IN_COLUMNS
        parts = (self.generator, space, self.maturity, self.categories)
        return _Surroundings(
            classifier=classifier,
            model=differentiated(classifier),
            constraints=constraints,
            plain=plain,
            closed=closed,
            ours=closed and isinstance(space, FeatureSpace),
            columns=closed and space.shows_states and narrow,
            shared=all_own(*parts) and is_shareable(classifier),
        )

    def _walk(
        self,
        surroundings: "_Surroundings",
        stream: Stream,
        visits: bool,
        chunk: tuple[int, tuple[Rows, Classes]],
    ) -> SearchResult:
        """Moves rows of one cell until each is mature, broken or out of steps."""
        number, (x, y) = chunk
        rows = WorkingSet(x, y, visits=visits, columns=surroundings.columns)
        # Where nothing is part of a graph, every operation has less to keep track of.
        with torch.no_grad(), torch.inference_mode(surroundings.closed):
            self._move_all(surroundings, rows, stream.child("chunk", number))
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
            active = rows.stop(mature, broken_rows(gradient))
            if last or active == 0:
                break
            if active <= COMPACT_SHARE * len(rows):
                state, gradient = rows.compact(state, gradient)
            if rows.visits:
                rows.visit(replace(noise, index=rows.index[0]).uniform())
            if route is None:
                size = self.descent.step_size
                down = downhill(gradient, size, ours=surroundings.ours)
                move = rows.x, self.generator.space.move(state.detach(), down, rows.x)
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
        seen = rows.x
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
            # In closed form it was made for us; another road may still hold it.
            add = gradient.add_ if surroundings.closed else gradient.add
            gradient = add(by_shown)
        if surroundings.plain:
            return logits, self.generator.space.pull_back(state, gradient)
        return logits, owed(state, seen, gradient)

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

    `plain` says that the model sees the rows themselves, from which states go back in
    closed form, and `closed` that it is differentiated in closed form as well; then
    narrow rows that are their own states lie in `columns`, and gradients by rows that
    no other space has passed on are `ours`. Threads may use what is `shared` at once.
    """

    classifier: Classifier
    model: Differentiated
    constraints: Constraints
    plain: bool
    closed: bool
    ours: bool
    columns: bool
    shared: bool
