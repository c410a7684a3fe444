"""Trained weights on disk: a safetensors file for each cell."""

import json
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from cftrain.errors import WeightsError
from cftrain.results.folders import regular_bytes
from cftrain.results.weights_file import (
    FOLDER,
    MOST_BYTES,
    stored_metadata,
    weights_path,
)
from cftrain.results.writing import written_whole

__all__ = ["FOLDER", "read_weights", "weights_path", "write_weights"]


def write_weights(
    folder: Path, cell: str, weights: Mapping[str, Tensor], codec: str
) -> str:
    """Write one cell's weights into the results folder, with what turns raw rows into
    the model's inputs (JSON). Returns the SHA-256 of the file. Raises ResultError.
    """
    path = weights_path(folder, cell)
    tensors = {name: value.cpu().contiguous() for name, value in weights.items()}
    with written_whole(path, SafetensorError) as partial:
        content = _ordered(
            safetensors.torch.save(tensors, metadata={"cell": cell, "codec": codec})
        )
        partial.write_bytes(content)
    return sha256(content).hexdigest()


def read_weights(
    folder: Path, cell: str, expected: str | None = None
) -> tuple[dict[str, Tensor], str]:
    """The weights of a cell, and the codec that is stored with them.

    `expected` is the SHA-256 of the file, as far as it is known. Raises WeightsError if
    they are missing, damaged, not finite or those of another cell.
    """
    path = weights_path(folder, cell)
    try:
        content = regular_bytes(path, MOST_BYTES)
        weights, metadata = loaded(content)
    except FileNotFoundError as error:
        raise WeightsError(
            f"{path}: expected the weights of a cell, got none; the next cftrain train "
            "or grid that wants the cell trains it again"
        ) from error
    except Exception as error:
        raise WeightsError(
            f"{path}: expected the weights of a cell, got {error}"
        ) from error
    if metadata.get("cell") != cell:
        raise WeightsError(
            f"{path}: expected the weights of cell {cell}, got those of "
            f"{metadata.get('cell')}"
        )
    if expected is not None and sha256(content).hexdigest() != expected:
        raise WeightsError(
            f"{path}: expected the file that was written when the cell was trained, "
            "got another one (its checksum differs)"
        )
    if broken := not_finite(weights):
        raise WeightsError(
            f"{path}: expected finite weights, got others in {', '.join(broken)}"
        )
    return weights, metadata.get("codec", "{}")


def loaded(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors of a file of safetensors by their names, and what stands in
    its header beside them. A damaged one raises whatever it is tripped over by.
    """
    metadata = stored_metadata(BytesIO(content))
    return safetensors.torch.load(content), metadata


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Returns the names of tensors with values that are no finite numbers."""
    return [name for name, value in tensors.items() if not is_finite(value)]


def is_finite(value: Tensor) -> bool:
    """Whether all of a tensor's values are finite numbers, of whatever type."""
    numbers = value if value.is_complex() else value.double()  # float8 is not asked
    return bool(torch.isfinite(numbers).all())


def content_digest(tensors: Mapping[str, Tensor]) -> str:
    """Returns a hash of names, types, shapes and values, in whatever order they are."""
    found = sha256()
    for name, value in sorted(tensors.items()):
        held = value.detach().cpu().contiguous()
        found.update(f"{name} {held.dtype} {tuple(held.shape)} ".encode())
        found.update(held.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _ordered(content: bytes) -> bytes:
    """The same file with sorted metadata: safetensors writes them in random order, but
    equal weights should have equal digests.
    """
    end = _header_end(content)
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + content[end:]


def _header_end(content: bytes) -> int:
    return 8 + int.from_bytes(content[:8], "little")
