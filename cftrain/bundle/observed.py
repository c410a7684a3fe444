"""The observed rows in a bundle, which plausibility is judged by."""

from pathlib import Path

import safetensors.torch
import torch

from cftrain.bundle.layout import REFERENCE
from cftrain.bundle.sealed import Sealed
from cftrain.errors import DataError, ResultError
from cftrain.evaluation.reference import Reference

NAMES = {"features", "labels"}


def write_reference(folder: Path, reference: Reference) -> None:
    tensors = {
        "features": reference.features.cpu().contiguous(),
        "labels": reference.labels.cpu().contiguous(),
    }
    (folder / REFERENCE).write_bytes(safetensors.torch.save(tensors))


def read_reference(files: Sealed, features: int, classes: int) -> Reference | None:
    """The observed rows of a bundle, if there are any. Raises ResultError."""
    if REFERENCE not in files.digests:
        return None
    try:
        tensors = safetensors.torch.load(files.read(REFERENCE))
        return _checked(tensors, features, classes)
    except ResultError:
        raise
    except Exception as error:  # whatever safetensors trips over in a damaged file
        raise ResultError(
            f"{files.folder / REFERENCE}: expected observed rows, got others: {error}"
        ) from error


def _checked(
    tensors: dict[str, torch.Tensor], features: int, classes: int
) -> Reference:
    """Raises DataError."""
    if set(tensors) != NAMES:
        raise DataError(f"expected {sorted(NAMES)}, got {sorted(tensors)}")
    rows, labels = tensors["features"], tensors["labels"]
    if rows.dtype != torch.float32 or rows.ndim != 2 or rows.shape[1] != features:
        raise DataError(
            f"expected rows of {features} features, got {tuple(rows.shape)} of "
            f"{rows.dtype}"
        )
    if labels.dtype != torch.int64 or labels.shape != (len(rows),):
        raise DataError("expected a label for each row")
    if not torch.isfinite(rows).all():
        raise DataError("expected finite features")
    if set(labels.unique().tolist()) != set(range(classes)):
        raise DataError(f"expected rows of each of {classes} classes and of no other")
    return Reference(rows, labels, classes)
