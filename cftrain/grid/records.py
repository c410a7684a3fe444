"""What a trained stack leaves on disk."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cftrain.config.identity import describe
from cftrain.data.dataset import Dataset
from cftrain.grid.cells import Cell
from cftrain.results.provenance import provenance
from cftrain.results.store import Store
from cftrain.results.weights import write_weights
from cftrain.training.history import COLUMNS
from cftrain.training.keeping import epochs_trained
from cftrain.training.stack import Trained


@dataclass(frozen=True, kw_only=True)
class TrainedStack:
    """Everything about it; places in the classifier are those of `cells`."""

    stack: str
    cells: Sequence[Cell]
    dataset: Dataset
    trained: Trained
    seconds: float


def write_training(result: TrainedStack, store: Store, *, name: str) -> dict[str, str]:
    """Write weights and tables, the table of cells last; the cells that diverged, and
    how. Raises ResultError.
    """
    codec = json.dumps(result.dataset.units.to_dict())
    weights = result.trained.classifier.state_dict()
    written = {}
    for place, cell in enumerate(result.cells):
        own = {key: value[place].detach() for key, value in weights.items()}
        written[cell.id] = write_weights(store.folder, cell.id, own, codec)
    store.write("history", result.stack, _history(result))
    reasons = {
        cell.id: reason
        for cell, reason in zip(result.cells, _divergence(result), strict=True)
    }
    read = {
        "data_source": result.dataset.source,
        "data_identity": result.dataset.identity,
        "protected": int(result.dataset.constraints.protected.sum()),
        "test_rows": len(result.dataset.test_labels),
        "seconds": result.seconds,
        "stack_cells": len(result.cells),
    }
    rows = (
        {
            **_row(cell, result.stack, name, reasons[cell.id]),
            **read,
            "weights_sha256": written[cell.id],
        }
        for cell in result.cells
    )
    store.write("cells", result.stack, rows)
    return {cell: why for cell, why in reasons.items() if why is not None}


def write_failure(cell: Cell, stack: str, reason: str, store: Store, name: str) -> None:
    """Note that a cell could not be trained. Raises ResultError."""
    unread = dict.fromkeys(("data_source", "protected", "test_rows", "seconds"))
    row = {
        **_row(cell, stack, name, reason),
        **unread,
        "data_identity": cell.data,
        "weights_sha256": None,
        "stack_cells": 1,
    }
    store.write("cells", stack, [row])


def _row(cell: Cell, stack: str, name: str, reason: str | None) -> dict[str, Any]:
    run = cell.run
    return {
        "cell": cell.id,
        "stack": stack,
        "pair": cell.pair,
        "name": name,
        "data": run.data.name,
        "train_rows": run.data.training_rows,
        "model": run.model.name,
        "generator": run.generator.name,
        "objective": run.objective.name,
        "seed": run.seed,
        "config": json.dumps(describe(run, remembered=True)),
        "status": "done" if reason is None else "failed",
        "reason": reason,
        **provenance(),
    }


def _history(result: TrainedStack) -> Iterator[dict[str, Any]]:
    lasted = _epochs(result)
    for number, record in enumerate(result.trained.history, start=1):
        for place, cell in enumerate(result.cells):
            if number > lasted[place]:
                continue
            values = {name: float(getattr(record, name)[place]) for name in COLUMNS}
            yield {"cell": cell.id, "stack": result.stack, "epoch": number, **values}


def _epochs(result: TrainedStack) -> list[int]:
    """After how many epochs each cell has stopped: its neighbours may have gone on."""
    return epochs_trained(result.cells[0].run.schedule, result.trained.history)


def _divergence(result: TrainedStack) -> list[str | None]:
    """Why a cell is no result, for each: its weights or its last epoch diverged."""
    weights = result.trained.classifier.state_dict().values()
    reasons: list[str | None] = []
    for place, epochs in enumerate(_epochs(result)):
        last = result.trained.history[epochs - 1]
        finite = all(bool(torch.isfinite(value[place]).all()) for value in weights)
        skipped = float(last.skipped_batches[place])
        if torch.isnan(last.loss[place]) or not finite:
            reasons.append("diverged: weights or losses are not finite")
        elif skipped > 0:
            reasons.append(
                f"diverged: {skipped:.0f} updates of the last epoch were skipped "
                "because a loss or a gradient was not finite"
            )
        else:
            reasons.append(None)
    return reasons
