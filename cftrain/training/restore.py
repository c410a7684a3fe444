"""Finished cells back in memory: their runs, their data and their models."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cftrain.data.dataset import Dataset, check_identity
from cftrain.data.encoding import Codec
from cftrain.errors import ResultError, WeightsError
from cftrain.models.classifier import Classifier
from cftrain.models.stack_slicing import frozen
from cftrain.results.store import Store
from cftrain.results.weights import read_weights, weights_path
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
    runs = [rebuild(json.loads(finished.loc[cell, "config"])) for cell in cells]
    dataset = runs[0].data.load()
    check_identity(dataset, str(finished.loc[cells[0], "data_identity"]))
    return restored(store, cells, runs, dataset)


def restored(
    store: Store, cells: Sequence[str], runs: Sequence[Run], dataset: Dataset
) -> Restored:
    """The same where runs and data are at hand; on the device of the data. Raises
    ResultError.
    """
    classifier = initial(runs, dataset).to(dataset.features.device)
    held = [_checked(store, cell, classifier.state_dict()) for cell in cells]
    classifier.load_state_dict(
        {name: torch.stack([weights[name] for weights in held]) for name in held[0]}
    )
    return Restored(
        runs=tuple(runs), dataset=dataset, classifier=frozen(classifier, slice(None))
    )


def feature_names(store: Store, cell: str) -> list[str]:
    """The inputs of a stored model. Raises ResultError."""
    _, codec = read_weights(store.folder, cell)
    return list(Codec.from_dict(json.loads(codec)).feature_names)


def _checked(store: Store, cell: str, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights that fit the model. Raises WeightsError for others."""
    weights, _ = read_weights(store.folder, cell)
    path = weights_path(store.folder, cell)
    found = {name: (value.shape, value.dtype) for name, value in weights.items()}
    wanted = {name: (value.shape[1:], value.dtype) for name, value in expected.items()}
    if found != wanted:
        raise WeightsError(
            f"{path}: expected weights with the tensors {_listed(wanted)}, got "
            f"{_listed(found)}"
        )
    broken = [n for n, value in weights.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsError(
            f"{path}: expected finite weights, got others in {', '.join(broken)}"
        )
    return weights


def _listed(tensors: dict[str, tuple[torch.Size, torch.dtype]]) -> str:
    return ", ".join(
        f"{name} {tuple(shape)} {dtype}" for name, (shape, dtype) in tensors.items()
    )
