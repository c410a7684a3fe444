"""The counterfactuals of one epoch and the rows that go with them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain import stacking
from cftrain.counterfactuals.result import SearchResult
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.sampling import TrainingRows
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen, predict
from cftrain.objectives.objective import Objective
from cftrain.seeding import Stream, Streams
from cftrain.tensors import Classes, Mask, PerCell, PerRow, Rows


@dataclass(frozen=True, kw_only=True)
class EpochCounterfactuals:
    """What one epoch's batches learn from besides their observed rows.

    Everything here is constant during the epoch: no gradient flows through the search.
    Cells without counterfactuals carry observed rows in their place, whose weights are
    zero, and NaN as shares.
    """

    nascent: Rows
    positive: Rows
    counterfactual: Rows
    nascent_label: Classes
    target: Classes
    ridge_share: PerRow
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
) -> EpochCounterfactuals:
    """Draw factuals and positives, search counterfactuals, protect what must stay.

    The model is the one at the start of the epoch. A counterfactual that is not mature
    gives way to its positive, so that its divergence is zero (method as coded by the
    authors); its nascent row counts all the same.
    """
    drawn = rows.draw(count, children(streams, "factuals"))
    factual, observed = rows.features(drawn), rows.labels(drawn)
    predicted = predict(classifier, factual)
    target = other_class(predicted, rows.dataset.classes, children(streams, "targets"))
    positive = factual
    if objective.positive == "target":
        positive = _positives(rows, target, streams)
    cells = objective.cells_with_counterfactuals(len(streams))
    found = stacking.select(search, cells)(
        frozen(classifier, cells),
        factual[cells],
        target[cells],
        constraints=rows.dataset.constraints,
        streams=[streams[cell].child("search") for cell in cells],
    )
    nascent = factual.clone()
    nascent[cells] = found.nascent
    counterfactual, mature = _matured(found, cells, positive)
    counted = mature if not objective.immature_ridge else torch.ones_like(mature)
    return EpochCounterfactuals(
        nascent=nascent,
        positive=rows.dataset.constraints.protect(positive, counterfactual),
        counterfactual=counterfactual,
        nascent_label=predicted if objective.nascent_label == "predicted" else observed,
        target=target,
        ridge_share=counted.to(factual.dtype),
        mature_share=_of_cells(found.mature, cells, len(streams)),
        search_steps=_of_cells(found.steps, cells, len(streams)),
        broken_rows=_of_cells(~found.finite, cells, len(streams)) * count,
    )


def _positives(rows: TrainingRows, target: Classes, streams: Streams) -> Rows:
    """For every target an observed training row with that label."""
    return rows.features(rows.draw_labelled(target, children(streams, "positives")))


def _matured(
    found: SearchResult, cells: list[int], positive: Rows
) -> tuple[Rows, Mask]:
    """Mature counterfactuals of all cells, positives in the place of others."""
    counterfactual = positive.clone()
    mature = torch.zeros(positive.shape[:2], dtype=torch.bool, device=positive.device)
    mature[cells] = found.mature
    counterfactual[cells] = found.counterfactual
    return torch.where(mature.unsqueeze(-1), counterfactual, positive), mature


def other_class(predicted: Classes, classes: int, streams: Streams) -> Classes:
    """For every row a class other than the predicted one, all equally likely."""
    offset = torch.stack(
        [
            torch.randint(1, classes, predicted.shape[1:], generator=stream.generator())
            for stream in streams
        ]
    )
    return (predicted + offset.to(predicted.device)) % classes


def children(streams: Streams, *names: str | int) -> Sequence[Stream]:
    return [stream.child(*names) for stream in streams]


def _of_cells(values: Tensor, cells: list[int], stack: int) -> PerCell:
    """Row means of the searched cells, NaN for the others."""
    means = torch.full((stack,), torch.nan, dtype=torch.float64)
    means[cells] = values.double().mean(1).cpu()
    return means
