"""The rows of consecutive steps of training, laid out at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain import stacking
from cftrain.data.sampling import TrainingRows
from cftrain.training.epoch import EpochCounterfactuals

MOST_NUMBERS = 2**22
"""Of the rows of one portion, unless a single step has more."""


@dataclass(frozen=True, kw_only=True)
class StepRows:
    """What a step learns from, and the labels and weights that go with it.

    `seen` are observed rows, then nascent, positive and counterfactual ones, of which
    there are none in an epoch without counterfactuals. A nascent row counts as much as
    the observed one that it was found from.
    """

    seen: Float[Tensor, "stack seen feature"]
    observed_label: Int[Tensor, "stack observed"]
    nascent_label: Int[Tensor, "stack tuple"]
    observed_weight: Float[Tensor, "stack observed"] | None
    nascent_weight: Float[Tensor, "stack tuple"] | None
    target: Int[Tensor, "stack tuple"]
    ridge_share: Float[Tensor, "stack tuple"]
    margin: Float[Tensor, "stack tuple"]
    visited: Float[Tensor, "stack tuple feature"] | None
    wanted: Float[Tensor, "stack tuple feature"] | None


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Steps that have equally many rows of each kind: `rows` of a stack with a cell for
    each step and cell, step by step.

    `starts` are the places of the steps' first observed rows in the epoch.
    """

    starts: list[int]
    rows: StepRows

    def by_step(self) -> list[StepRows]:
        return stacking.divided(self.rows, len(self.starts))


def portions(
    rows: TrainingRows,
    order: Tensor,
    drawn: EpochCounterfactuals | None,
    bounds: list[slice],
    shares: list[slice],
) -> Iterator[Portion]:
    """Yields the steps of an epoch: each has observed rows at a bound of the `order`
    (stack, row), and the counterfactuals of a share of what was drawn.
    """
    numbers = order.shape[0] * rows.dataset.features.shape[1]
    for sizes, alike in groupby(
        zip(bounds, shares, strict=True), lambda pair: tuple(map(_size, pair))
    ):
        steps = list(alike)
        most = max(1, MOST_NUMBERS // (numbers * (sizes[0] + 3 * sizes[1])))
        for first in range(0, len(steps), most):
            members = steps[first : first + most]
            yield Portion(
                starts=[bound.start for bound, _ in members],
                rows=_laid_out_rows(rows, order, drawn, members),
            )


def _laid_out_rows(
    rows: TrainingRows,
    order: Tensor,
    drawn: EpochCounterfactuals | None,
    steps: list[tuple[slice, slice]],
) -> StepRows:
    bounds, shares = zip(*steps, strict=True)
    index = _laid_out(order, bounds)
    observed, label = rows.features(index), rows.labels(index)
    by_row, weight = rows.weights(index), drawn.weight if drawn else None
    if drawn is None:
        none = observed[:, :0, 0]
        return StepRows(
            seen=observed,
            observed_label=label,
            nascent_label=label[:, :0],
            observed_weight=by_row,
            nascent_weight=None,
            target=label[:, :0],
            ridge_share=none,
            margin=none,
            visited=None,
            wanted=None,
        )
    of_epoch = (drawn.nascent, drawn.positive, drawn.counterfactual)
    path = drawn.path
    return StepRows(
        seen=torch.cat([observed, *(_laid_out(x, shares) for x in of_epoch)], 1),
        observed_label=label,
        nascent_label=_laid_out(drawn.nascent_label, shares),
        observed_weight=by_row,
        nascent_weight=weight if weight is None else _laid_out(weight, shares),
        target=_laid_out(drawn.target, shares),
        ridge_share=_laid_out(drawn.ridge_share, shares),
        margin=_laid_out(drawn.margin, shares),
        visited=None if path is None else _laid_out(path.visited, shares),
        wanted=None if path is None else _laid_out(path.wanted, shares),
    )


def _laid_out(values: Tensor, places: tuple[slice, ...]) -> Tensor:
    """Returns (step * stack, row, ...) from (stack, row, ...), whose places follow each
    other and are of one size.
    """
    chosen = values[:, places[0].start : places[-1].stop]
    return chosen.unflatten(1, (len(places), -1)).transpose(0, 1).flatten(0, 1)


def _size(places: slice) -> int:
    return int(places.stop - places.start)
