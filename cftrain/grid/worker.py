"""Train and evaluate one stack, and write its results."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

import cftrain
from cftrain import stacking
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import training_rows
from cftrain.data.sources import cache
from cftrain.evaluation.evaluate import Measurement, evaluate
from cftrain.evaluation.gallery import exhibits
from cftrain.evaluation.metric import Metric
from cftrain.grid.cells import Cell
from cftrain.models.classifier import Classifier
from cftrain.models.members import frozen
from cftrain.results.store import Store
from cftrain.run import Run
from cftrain.seeding import Stream
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.history import COLUMNS, EpochRecord
from cftrain.training.trainer import OnEpoch, Trainer


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A stack after training."""

    classifier: Classifier
    history: list[EpochRecord]


def run_stack(
    cells: Sequence[Cell],
    stack: str,
    store: Store,
    *,
    name: str,
    device: torch.device,
    on_epoch: OnEpoch,
) -> None:
    """Everything from data to Parquet for cells that train together.

    Raises DataError, StackError or ResultError; results on disk stay as they were.
    """
    runs = [cell.run for cell in cells]
    dataset = runs[0].data.load().to(device)
    checkpoint = Checkpoint(
        path=store.folder / "checkpoints" / f"{stack}.safetensors", owner=stack
    )
    start = time.perf_counter()
    trained = train(
        runs, dataset, device=device, checkpoint=checkpoint, on_epoch=on_epoch
    )
    middle = time.perf_counter()
    protocol = runs[0].evaluation.fitted(dataset.features, cache())
    streams = [Stream(run.seed) for run in runs]
    classifier = frozen(trained.classifier, slice(None))
    measurements = list(evaluate(classifier, dataset, protocol, streams=streams))
    end = time.perf_counter()

    _write_weights(trained.classifier, dataset, cells, store)
    ids = [cell.id for cell in cells]
    if protocol.gallery is not None:
        height, width = dataset.image_shape or (1, dataset.width)
        shown = exhibits(classifier, dataset, protocol.gallery)
        rows = (
            {**asdict(exhibit), "height": height, "width": width} for exhibit in shown
        )
        store.write("gallery", stack, _keyed(rows, ids, stack))
    store.write("history", stack, _history_rows(trained.history, ids, stack))
    metrics = {metric.name: metric for metric in protocol.metrics.values()}
    store.write("metrics", stack, _metric_rows(measurements, metrics, ids, stack))
    facts = {
        "stack": stack,
        "name": name,
        "train_seconds": middle - start,
        "evaluate_seconds": end - middle,
        "stack_cells": len(cells),
    }
    store.write("cells", stack, [_cell_row(cell, dataset, facts) for cell in cells])
    checkpoint.remove()


def train(
    runs: Sequence[Run],
    dataset: Dataset,
    *,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch = lambda epoch, record: None,
) -> Trained:
    """Train runs that differ in seeds and floats only. Raises StackError."""
    dtype = dataset.features.dtype
    streams = [Stream(run.seed) for run in runs]
    runs = _fitted(runs, dataset)
    classifier = (
        runs[0]
        .model.build(
            features=dataset.width,
            classes=dataset.classes,
            streams=[stream.child("weights") for stream in streams],
        )
        .to(device=device, dtype=dtype)
    )
    trainer = Trainer(
        rows=training_rows(dataset, [stream.child("split") for stream in streams]),
        search=stacking.stack(
            [run.counterfactual_search() for run in runs], dtype=dtype, device=device
        ),
        objective=stacking.stack(
            [run.objective for run in runs], dtype=dtype, device=device
        ),
        schedule=runs[0].schedule,
        streams=[stream.child("training") for stream in streams],
    )
    history = trainer.train(classifier, checkpoint=checkpoint, on_epoch=on_epoch)
    return Trained(classifier=classifier, history=history)


def _fitted(runs: Sequence[Run], dataset: Dataset) -> list[Run]:
    """Runs whose generators know the data, all of them by the same fit."""
    first = runs[0].generator.fitted(dataset.features, cache())
    return [replace(run, generator=run.generator.sharing(first)) for run in runs]


def _write_weights(
    classifier: Classifier, dataset: Dataset, cells: Sequence[Cell], store: Store
) -> None:
    """One file per cell; with it what turns raw rows into the model's inputs."""
    codec = json.dumps(dataset.units.to_dict())
    folder = store.folder / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    for place, cell in enumerate(cells):
        tensors = {
            name: value[place].detach().cpu().contiguous()
            for name, value in classifier.state_dict().items()
        }
        partial = folder / f".{cell.id}.safetensors"
        safetensors.torch.save_file(
            tensors, partial, metadata={"cell": cell.id, "codec": codec}
        )
        partial.replace(folder / f"{cell.id}.safetensors")


def _keyed(
    rows: Iterator[dict[str, Any]], ids: list[str], stack: str
) -> Iterator[dict[str, Any]]:
    """Rows with the id of their cell instead of its place in the stack."""
    for row in rows:
        yield {**row, "cell": ids[row["cell"]], "stack": stack}


def _history_rows(
    history: list[EpochRecord], ids: list[str], stack: str
) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(history, start=1):
        for place, cell in enumerate(ids):
            values = {name: float(getattr(record, name)[place]) for name in COLUMNS}
            yield {"cell": cell, "stack": stack, "epoch": number, **values}


def _metric_rows(
    measurements: list[Measurement],
    metrics: dict[str, Metric],
    ids: list[str],
    stack: str,
) -> Iterator[dict[str, Any]]:
    for measurement in measurements:
        metric = metrics[measurement.metric]
        yield {
            **asdict(measurement),
            "cell": ids[measurement.cell],
            "stack": stack,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
        }


def _cell_row(cell: Cell, dataset: Dataset, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        **cell.columns(),
        "data_source": dataset.source,
        "train_rows": cell.run.data.training_rows,
        "test_rows": len(dataset.test_labels),
        "status": "done",
        "reason": None,
        "cftrain_version": cftrain.__version__,
        "torch_version": torch.__version__,
        "git_revision": git_revision(),
        "created": datetime.now(UTC),
        **facts,
    }


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
