"""The counterfactuals of one epoch and the rows that go with them."""

from dataclasses import dataclass
from typing import overload

import torch
from torch import Tensor

from cftrain import stacking
from cftrain.counterfactuals.hyperparameters import counts
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.sampling import TrainingRows
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen, predict
from cftrain.objectives.objective import Objective
from cftrain.seeding import Streams, children
from cftrain.tensors import Classes, Mask, PerCell, PerClass, PerRow, Rows
from cftrain.training.positives import (
    aligned_positives,
    matched_positives,
    random_positives,
)


@dataclass(frozen=True, kw_only=True)
class Path:
    """A state of each search, and the direction in which it should go on from there."""

    visited: Rows
    wanted: Rows


@dataclass(frozen=True, kw_only=True)
class EpochCounterfactuals:
    """What one epoch's batches learn from besides their observed rows.

    Everything here is constant during the epoch: no gradient flows through the search.
    Cells without counterfactuals carry observed rows in their place, whose weights are
    zero, and NaN as shares. There is no `path` where no cell is aligned. `weight` is
    that of the row where a search started, where rows have weights.
    """

    nascent: Rows
    positive: Rows
    counterfactual: Rows
    nascent_label: Classes
    weight: PerRow | None
    target: Classes
    ridge_share: PerRow
    margin: PerRow
    path: Path | None
    mature_share: PerCell
    search_steps: PerCell
    broken_rows: PerCell


def draw_counterfactuals(
    classifier: Classifier,
    rows: TrainingRows,
    search: CounterfactualSearch,
    objective: Objective,
    *,
    count: int,
    streams: Streams,
    spread: PerClass | None = None,
) -> EpochCounterfactuals:
    """Draw factuals and positives, search counterfactuals, protect what must stay.

    Immature ones give way to positives (as coded by the authors), or not, as is wanted.
    """
    drawn = rows.draw(count, children(streams, "factuals"))
    factual, label = rows.features(drawn), rows.labels(drawn)
    predicted = predict(classifier, factual)
    target = other_class(predicted, rows.dataset.classes, children(streams, "targets"))
    cells = objective.cells_with_counterfactuals(len(streams))
    found = stacking.select(search, cells)(
        frozen(classifier, cells),
        factual[cells],
        target[cells],
        constraints=rows.dataset.constraints,
        streams=children([streams[cell] for cell in cells], "search"),
        visits=counts(objective.alignment_weight),
    )
    reached = _in_stack(found.counterfactual, cells, factual)
    visited = _in_stack(found.visited, cells, factual)
    mature = _in_stack(found.mature, cells, torch.zeros_like(target, dtype=torch.bool))
    positive = _positives(objective, rows, factual, target, reached, streams)
    counterfactual = _taking_part(objective, mature, reached, positive)
    positive = rows.dataset.constraints.protect(positive, counterfactual)
    return EpochCounterfactuals(
        nascent=_in_stack(found.nascent, cells, factual),
        positive=positive,
        counterfactual=counterfactual,
        nascent_label=predicted if objective.nascent_label == "predicted" else label,
        weight=rows.weights(drawn),
        target=target,
        ridge_share=(mature | objective.immature_ridge).to(factual.dtype),
        margin=_margin(objective, positive, counterfactual, target, spread),
        path=_path(objective, rows, visited, reached, positive, target, streams),
        **_shares(found, cells, len(streams)),
    )


def _positives(
    objective: Objective,
    rows: TrainingRows,
    factual: Rows,
    target: Classes,
    reached: Rows,
    streams: Streams,
) -> Rows:
    """The rows that counterfactuals are held against, as the objective wants them."""
    streams = children(streams, "positives")
    if objective.positive == "factual":
        return factual
    if objective.positive == "matched":
        return matched_positives(rows, target, reached, streams)
    return random_positives(rows, target, streams)


def _taking_part(
    objective: Objective, mature: Mask, reached: Rows, positive: Rows
) -> Rows:
    """Counterfactuals, or their positives for those that take no part themselves."""
    themselves = mature | (objective.immature == "as_found")
    return torch.where(themselves.unsqueeze(-1), reached, positive)


def _path(
    objective: Objective,
    rows: TrainingRows,
    visited: Rows | None,
    reached: Rows,
    positive: Rows,
    target: Classes,
    streams: Streams,
) -> Path | None:
    """A state of each search, and the way from there to an observed row nearby.

    Where positives are matched in protected features they show the way themselves.
    """
    if visited is None:
        return None
    constraints, nearby = rows.dataset.constraints, positive
    if objective.positive != "matched" or constraints.all_free:
        nearby = aligned_positives(rows, target, reached, children(streams, "aligned"))
        nearby = constraints.protect(nearby, reached)
    return Path(visited=visited, wanted=nearby - visited)


def _margin(
    objective: Objective,
    positive: Rows,
    counterfactual: Rows,
    target: Classes,
    spread: PerClass | None,
) -> PerRow:
    """By how much a counterfactual's energy should exceed that of its positive."""
    margin = torch.zeros_like(positive[..., 0]) + objective.margin
    if spread is None:
        return margin
    distance = (positive - counterfactual).norm(dim=-1) / spread.gather(1, target)
    return margin + objective.relative_margin * distance


@overload
def _in_stack(values: None, cells: list[int], others: Tensor) -> None: ...
@overload
def _in_stack(values: Tensor, cells: list[int], others: Tensor) -> Tensor: ...
def _in_stack(values: Tensor | None, cells: list[int], others: Tensor) -> Tensor | None:
    """What was found for some cells, among the values of the others."""
    if values is None or len(cells) == len(others):
        return values
    whole = others.clone()
    whole[cells] = values
    return whole


def other_class(predicted: Classes, classes: int, streams: Streams) -> Classes:
    """For every row a class other than the predicted one, all equally likely."""
    offset = torch.stack(
        [
            torch.randint(1, classes, predicted.shape[1:], generator=stream.generator())
            for stream in streams
        ]
    )
    return (predicted + offset.to(predicted.device)) % classes


def _shares(found: SearchResult, cells: list[int], stack: int) -> dict[str, PerCell]:
    """What became of the searches; NaN for cells without any."""
    count = found.mature.shape[1]
    return {
        "mature_share": _of_cells(found.mature, cells, stack),
        "search_steps": _of_cells(found.steps, cells, stack),
        "broken_rows": _of_cells(~found.finite, cells, stack) * count,
    }


def _of_cells(values: Tensor, cells: list[int], stack: int) -> PerCell:
    """Row means of the searched cells, NaN for the others."""
    means = torch.full((stack,), torch.nan, dtype=torch.float64)
    means[cells] = values.double().mean(1).cpu()
    return means
