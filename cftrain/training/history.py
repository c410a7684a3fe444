"""What training reports after each epoch."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from cftrain.tensors import PerCell


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """One number per cell; NaN where a cell has no such thing.

    Losses are means over the epoch's batches; `mature_share` and `search_steps` are
    means over its searches, `skipped_batches` counts updates left out because a loss or
    a gradient was not finite, `broken_rows` searches that met a non-finite gradient.
    """

    loss: PerCell
    class_loss: PerCell
    divergence: PerCell
    adversarial_loss: PerCell
    ridge: PerCell
    misalignment: PerCell
    attack_loss: PerCell
    squared_slope: PerCell
    recourse_loss: PerCell
    energy_gap: PerCell
    head_loss: PerCell
    head_distance: PerCell
    mature_share: PerCell
    search_steps: PerCell
    broken_rows: PerCell
    skipped_batches: PerCell
    train_accuracy: PerCell
    validation_accuracy: PerCell
    seconds: PerCell


COLUMNS = tuple(field.name for field in fields(EpochRecord))


def as_tensor(records: list[EpochRecord], stack: int) -> Tensor:
    """(epoch, stack, column), in float64 on the CPU."""
    if not records:
        return torch.empty(0, stack, len(COLUMNS), dtype=torch.float64)
    return torch.stack(
        [
            torch.stack([getattr(r, name).cpu().double() for name in COLUMNS], 1)
            for r in records
        ]
    )


def as_records(history: Tensor) -> list[EpochRecord]:
    return [
        EpochRecord(**dict(zip(COLUMNS, epoch.unbind(1), strict=True)))
        for epoch in history
    ]


def means(records: list[EpochRecord], cells: int) -> list[EpochRecord]:
    """Returns the history of so many cells, each of which has several models, those of
    the first cell first: their means.
    """
    if not records:
        return []
    history = as_tensor(records, len(records[0].loss))
    return as_records(history.unflatten(1, (cells, -1)).nanmean(2))
