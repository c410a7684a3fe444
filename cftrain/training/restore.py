"""Finished cells back in memory: their run, their data and their models."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from cftrain.data.dataset import Dataset
from cftrain.data.encoding import Codec
from cftrain.data.sources import cache
from cftrain.errors import ResultError
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen
from cftrain.results.store import Store
from cftrain.seeding import Stream
from cftrain.training.run import Run, rebuild


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Models of several cells as one stack; `runs` has the run of each of them.

    Generators and protocol of the runs are fitted to the data.
    """

    runs: tuple[Run, ...]
    dataset: Dataset
    classifier: Classifier


def restore(store: Store, cells: Sequence[str]) -> Restored:
    """The models of cells that differ in seed and objective only, in their order.

    Raises ResultError if a cell is not finished, its weights cannot be read or its
    data are no longer what they were.
    """
    finished = store.read("cells", cells).set_index("cell")
    absent = [cell for cell in cells if cell not in finished.index]
    if absent:
        raise ResultError(
            f"{store.folder}: expected finished cells, got none called {absent}"
        )
    runs = [rebuild(json.loads(finished.loc[cell, "config"])) for cell in cells]
    source, dataset = runs[0].data.source(), runs[0].data.load()
    if source != finished.loc[cells[0], "data_source"]:
        raise ResultError(
            f"{store.folder}: expected {dataset.name} from "
            f"{finished.loc[cells[0], 'data_source']}, got {source}"
        )
    classifier = (
        runs[0]
        .model.build(
            features=dataset.feature_count,
            classes=dataset.classes,
            streams=[Stream(run.seed) for run in runs],
        )
        .to(dtype=dataset.features.dtype)
    )
    parts = [_weights(store, cell) for cell in cells]
    classifier.load_state_dict(
        {name: torch.stack([part[name] for part in parts]) for name in parts[0]}
    )
    return Restored(
        runs=tuple(_fitted(run, dataset) for run in runs),
        dataset=dataset,
        classifier=frozen(classifier, slice(None)),
    )


def feature_names(store: Store, cell: str) -> list[str]:
    """The inputs of a stored model. Raises ResultError."""
    with _opened(store, cell) as file:
        return list(Codec.from_dict(json.loads(file.metadata()["codec"])).feature_names)


def _weights(store: Store, cell: str) -> dict[str, torch.Tensor]:
    with _opened(store, cell) as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}


@contextmanager
def _opened(store: Store, cell: str) -> Iterator[Any]:
    path = store.folder / "weights" / f"{cell}.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise ResultError(
            f"{path}: expected the weights of a cell, got {error}"
        ) from error


def _fitted(run: Run, dataset: Dataset) -> Run:
    generator = run.generator.fitted(dataset.features, cache())
    evaluation = run.evaluation.fitted(dataset.features, cache())
    return replace(run, generator=generator, evaluation=evaluation)
