"""Finished cells back in memory: their runs, their data and their models."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import torch
from torch import Tensor

from cftrain.data.dataset import Dataset, check_identity
from cftrain.data.encoding import Codec
from cftrain.errors import ConfigError, DataError, ResultError, WeightsError
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen
from cftrain.results.described import described
from cftrain.results.store import Store
from cftrain.results.weights import read_weights, weights_path
from cftrain.training.allowance import Allowance
from cftrain.training.run import Run, rebuild
from cftrain.training.stack import initial


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Models of several cells as one stack; `runs` has the run of each of them."""

    runs: tuple[Run, ...]
    dataset: Dataset
    classifier: Classifier


def restore(store: Store, cells: Sequence[str]) -> Restored:
    """The models of cells with the same data and model, in their order.

    Where the data lie is a matter of today's environment, what they are is not. Raises
    ResultError if a cell is not finished or its weights cannot be read, DataError if
    its data are no longer what they were.
    """
    finished = store.cells().set_index("cell")
    absent = [cell for cell in cells if cell not in finished.index]
    if absent:
        raise ResultError(
            f"{store.folder}: expected finished cells, got none called {absent}"
        )
    runs = [_run(cell, finished.loc[cell, "config"]) for cell in cells]
    dataset = runs[0].data.load()
    check_identity(dataset, str(finished.loc[cells[0], "data_identity"]))
    return restored(store, cells, runs, dataset, digests=finished["weights_sha256"])


def restored(
    store: Store,
    cells: Sequence[str],
    runs: Sequence[Run],
    dataset: Dataset,
    *,
    digests: Mapping[str, str] | pd.Series = MappingProxyType({}),
) -> Restored:
    """The same where runs and data are at hand; on the device of the data.

    `digests` are those of the files that were written in training, as far as they are
    known. Raises WeightsError.
    """
    return Restored(
        runs=tuple(runs),
        dataset=dataset,
        classifier=with_weights(
            lambda: initial(runs, dataset).to(dataset.features.device),
            store.folder,
            cells,
            digests=digests,
        ),
    )


def with_weights(
    build: Callable[[], Classifier],
    folder: Path,
    cells: Sequence[str],
    *,
    digests: Mapping[str, str] | pd.Series,
) -> Classifier:
    """The classifier that is built, with the stored weights of some cells. Raises
    WeightsError, before it is built if it would be far larger than its weights are.
    """
    held = [read_weights(folder, cell, digests.get(cell))[0] for cell in cells]
    tensors = [tensor for weights in held for tensor in weights.values()]
    where, numbers = str(weights_path(folder, cells[0])), sum(map(torch.numel, tensors))
    with Allowance(where, cells=len(cells), tensors=len(tensors), numbers=numbers):
        classifier = build()
    like = classifier.state_dict()
    for cell, weights in zip(cells, held, strict=True):
        _check(weights_path(folder, cell), weights, like)
    classifier.load_state_dict(
        {name: torch.stack([weights[name] for weights in held]) for name in held[0]}
    )
    return frozen(classifier, slice(None))


def feature_names(store: Store, cell: str) -> list[str]:
    """The inputs of a stored model. Raises WeightsError."""
    _, codec = read_weights(store.folder, cell)
    try:
        return list(Codec.from_dict(json.loads(codec)).feature_names)
    except (DataError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"{weights_path(store.folder, cell)}: expected a codec, got {error}"
        ) from error


def _run(cell: str, config: str) -> Run:
    """Raises ResultError if this version does not know the run."""
    try:
        return rebuild(described(config, f"cell {cell}"))
    except ConfigError as error:
        raise ResultError(
            f"cell {cell}: expected a run of this version of cftrain, got {error}"
        ) from error


def _check(
    path: Path, weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    """Raises WeightsError for weights that do not fit the model."""
    found = {name: (value.shape, value.dtype) for name, value in weights.items()}
    wanted = {name: (value.shape[1:], value.dtype) for name, value in expected.items()}
    if found != wanted:
        raise WeightsError(
            f"{path}: expected weights with the tensors {_listed(wanted)}, got "
            f"{_listed(found)}"
        )


def _listed(tensors: dict[str, tuple[torch.Size, torch.dtype]]) -> str:
    return ", ".join(
        f"{name} {tuple(shape)} {dtype}" for name, (shape, dtype) in tensors.items()
    )
