"""Trained weights on disk: a safetensors file for each cell."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cftrain.errors import WeightsError
from cftrain.results.writing import written_whole

FOLDER = "weights"


def write_weights(
    folder: Path, cell: str, weights: Mapping[str, Tensor], codec: str
) -> None:
    """Write one cell's weights into the results folder, with what turns raw rows into
    the model's inputs (JSON). Raises ResultError.
    """
    path = weights_path(folder, cell)
    tensors = {name: value.cpu().contiguous() for name, value in weights.items()}
    with written_whole(path, SafetensorError) as partial:
        safetensors.torch.save_file(
            tensors, partial, metadata={"cell": cell, "codec": codec}
        )


def read_weights(folder: Path, cell: str) -> tuple[dict[str, Tensor], str]:
    """The weights of a cell, and the codec that is stored with them. Raises
    WeightsError if they are missing, damaged or those of another cell.
    """
    path = weights_path(folder, cell)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            weights = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: expected the weights of a cell, got {error}"
        ) from error
    if metadata.get("cell") != cell:
        raise WeightsError(
            f"{path}: expected the weights of cell {cell}, got those of "
            f"{metadata.get('cell')}"
        )
    return weights, metadata.get("codec", "{}")


def weights_path(folder: Path, cell: str) -> Path:
    """Returns the file with a cell's weights."""
    return folder / FOLDER / f"{cell}.safetensors"
