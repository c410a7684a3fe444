"""Train and evaluate one stack, and write its results."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cftrain import stacking
from cftrain.data.dataset import Dataset
from cftrain.data.sampling import training_rows
from cftrain.data.sources import cache
from cftrain.evaluation.evaluate import evaluate
from cftrain.evaluation.gallery import exhibits
from cftrain.grid.cells import Cell
from cftrain.grid.record import StackResult, write
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.checkpoint import Checkpoint
from cftrain.training.history import EpochRecord
from cftrain.training.run import Run
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
    checkpoint = checkpoint_of(stack, store)
    start = time.perf_counter()
    trained = train(
        runs, dataset, device=device, checkpoint=checkpoint, on_epoch=on_epoch
    )
    middle = time.perf_counter()
    protocol = runs[0].evaluation.fitted(dataset.features, cache())
    classifier = frozen(trained.classifier, slice(None))
    streams = [Stream(run.seed) for run in runs]
    evaluation = evaluate(classifier, dataset, protocol, streams=streams)
    gallery = protocol.gallery
    result = StackResult(
        stack=stack,
        cells=cells,
        dataset=dataset,
        classifier=trained.classifier,
        history=trained.history,
        metrics=protocol.metrics,
        evaluation=evaluation,
        exhibits=[] if gallery is None else exhibits(classifier, dataset, gallery),
        train_seconds=middle - start,
        evaluate_seconds=time.perf_counter() - middle,
    )
    write(result, store, name=name)
    checkpoint.remove()


def checkpoint_of(stack: str, store: Store) -> Checkpoint:
    """Where a stack keeps what an interrupted training has done."""
    path = store.folder / "checkpoints" / f"{stack}.safetensors"
    return Checkpoint(path=path, owner=stack)


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
            features=dataset.feature_count,
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
