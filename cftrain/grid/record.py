"""What a trained and evaluated stack leaves on disk."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import safetensors.torch
import torch
from safetensors import SafetensorError

import cftrain
from cftrain.data.dataset import Dataset
from cftrain.errors import ResultError
from cftrain.evaluation.evaluate import Evaluation, Explained
from cftrain.evaluation.gallery import Exhibit
from cftrain.evaluation.metric import Metric
from cftrain.grid.cells import Cell
from cftrain.models.classifier import Classifier
from cftrain.results.store import Store
from cftrain.results.writing import replacing
from cftrain.training.history import COLUMNS, EpochRecord


@dataclass(frozen=True, kw_only=True)
class StackResult:
    """Everything about a finished stack; places in it are those of `cells`."""

    stack: str
    cells: Sequence[Cell]
    dataset: Dataset
    classifier: Classifier
    history: Sequence[EpochRecord]
    metrics: Mapping[str, Metric]
    evaluation: Evaluation
    exhibits: Sequence[Exhibit]
    train_seconds: float
    evaluate_seconds: float

    @property
    def ids(self) -> list[str]:
        return [cell.id for cell in self.cells]


def write(result: StackResult, store: Store, *, name: str) -> None:
    """Write weights and tables, the table of cells last. Raises ResultError."""
    stack, ids = result.stack, result.ids
    _write_weights(result, store)
    if result.exhibits:
        shown = ({**asdict(exhibit), **_shape(result)} for exhibit in result.exhibits)
        store.write("gallery", stack, _keyed(shown, ids, stack))
    if result.evaluation.attributions is not None:
        store.write("attributions", stack, _attribution_rows(result))
    if result.evaluation.explained:
        store.write_columns("individuals", stack, _individual_columns(result))
    store.write("history", stack, _history_rows(result.history, ids, stack))
    store.write("metrics", stack, _metric_rows(result))
    reasons = _failures(result)
    store.write(
        "cells",
        stack,
        [
            {
                **_cell_row(cell, stack, name, reasons[place]),
                "data_source": result.dataset.source,
                "protected": int(result.dataset.constraints.protected.sum()),
                "test_rows": len(result.dataset.test_labels),
                "train_seconds": result.train_seconds,
                "evaluate_seconds": result.evaluate_seconds,
                "stack_cells": len(ids),
            }
            for place, cell in enumerate(result.cells)
        ],
    )


def write_failure(cell: Cell, stack: str, reason: str, store: Store, name: str) -> None:
    """Note that a cell could not be trained or evaluated. Raises ResultError."""
    store.write(
        "cells",
        stack,
        [
            {
                **_cell_row(cell, stack, name, reason),
                "data_source": None,
                "test_rows": None,
                "train_seconds": None,
                "evaluate_seconds": None,
                "stack_cells": 1,
            }
        ],
    )


def _failures(result: StackResult) -> list[str | None]:
    """Why a cell is no result, for each: its weights or its last epoch diverged."""
    reasons: list[str | None] = []
    skipped = result.history[-1].skipped_batches.tolist()
    for place in range(len(result.cells)):
        finite = all(
            bool(torch.isfinite(value[place]).all())
            for value in result.classifier.state_dict().values()
        )
        lost = torch.isnan(result.history[-1].loss[place]) or not finite
        if lost:
            reasons.append("diverged: weights or losses are not finite")
        elif skipped[place] > 0:
            reasons.append(
                f"diverged: {skipped[place]:.0f} updates of the last epoch were "
                "skipped because a loss or a gradient was not finite"
            )
        else:
            reasons.append(None)
    return reasons


def _write_weights(result: StackResult, store: Store) -> None:
    """One file per cell; with it what turns raw rows into the model's inputs."""
    codec = json.dumps(result.dataset.units.to_dict())
    folder = store.folder / "weights"
    for place, cell in enumerate(result.cells):
        tensors = {
            name: value[place].detach().cpu().contiguous()
            for name, value in result.classifier.state_dict().items()
        }
        path = folder / f"{cell.id}.safetensors"
        metadata = {"cell": cell.id, "codec": codec}
        try:
            with replacing(path) as partial:
                safetensors.torch.save_file(tensors, partial, metadata=metadata)
        except (OSError, SafetensorError) as error:
            raise ResultError(f"{path}: could not be written: {error}") from error


def _keyed(
    rows: Iterator[dict[str, Any]], ids: list[str], stack: str
) -> Iterator[dict[str, Any]]:
    """Rows with the id of their cell instead of its place in the stack."""
    for row in rows:
        yield {**row, "cell": ids[row["cell"]], "stack": stack}


def _history_rows(
    history: Sequence[EpochRecord], ids: list[str], stack: str
) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(history, start=1):
        for place, cell in enumerate(ids):
            values = {name: float(getattr(record, name)[place]) for name in COLUMNS}
            yield {"cell": cell, "stack": stack, "epoch": number, **values}


def _metric_rows(result: StackResult) -> Iterator[dict[str, Any]]:
    for measurement in result.evaluation.measurements:
        metric = result.metrics[measurement.metric]
        yield {
            **asdict(measurement),
            "cell": result.ids[measurement.cell],
            "stack": result.stack,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
        }


def _individual_columns(result: StackResult) -> dict[str, Any]:
    """Whole columns: there are too many rows to take one by one."""
    explained = result.evaluation.explained

    def repeated(value: Callable[[Explained], Any]) -> list[Any]:
        return [value(part) for part in explained for _ in range(len(part.factual))]

    def joined(name: str) -> np.ndarray:
        return torch.cat([getattr(part, name) for part in explained]).cpu().numpy()

    value = joined("value").astype(np.float32)
    return {
        "cell": repeated(lambda part: result.ids[part.cell]),
        "stack": [result.stack] * len(value),
        "metric": repeated(lambda part: part.metric),
        "energy_weight": repeated(lambda part: part.energy_weight),
        **{name: joined(name) for name in ("factual", "target", "draws", "valid")},
        "value": pa.array(value, from_pandas=True),
    }


def _attribution_rows(result: StackResult) -> Iterator[dict[str, Any]]:
    assert result.evaluation.attributions is not None
    for cell, of_cell in zip(result.ids, result.evaluation.attributions, strict=True):
        for label, values in enumerate(of_cell.tolist()):
            yield {
                "cell": cell,
                "stack": result.stack,
                "label": label,
                "values": values,
                **_shape(result),
            }


def _shape(result: StackResult) -> dict[str, int]:
    """How a row of features is shown: as an image, or flat."""
    height, width = result.dataset.image_shape or (1, result.dataset.feature_count)
    return {"height": height, "width": width}


def _cell_row(cell: Cell, stack: str, name: str, reason: str | None) -> dict[str, Any]:
    return {
        **cell.columns(),
        "stack": stack,
        "name": name,
        "train_rows": cell.run.data.training_rows,
        "protected": None,
        "status": "done" if reason is None else "failed",
        "reason": reason,
        "cftrain_version": cftrain.__version__,
        "torch_version": torch.__version__,
        "git_revision": git_revision(),
        "created": datetime.now(UTC),
    }


@cache
def git_revision() -> str | None:
    """The commit of the checkout this package runs from, if it does; `+` if changed."""
    folder = Path(cftrain.__file__).parent
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40"]
    try:
        answer = subprocess.run(
            [*command, "--exclude=*", "--dirty=+"], capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() or None
