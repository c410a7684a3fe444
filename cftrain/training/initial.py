"""Weights that a training starts from, in the place of random ones: fine-tuning."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import Tensor

from cftrain.config.identity import describe
from cftrain.config.names import named
from cftrain.config.ranges import Incidental
from cftrain.data.encoding import Codec
from cftrain.errors import ConfigError, ResultError, warn
from cftrain.models.classifier import Classifier
from cftrain.results.described import described
from cftrain.results.folders import regular_bytes
from cftrain.results.store import Store
from cftrain.results.weights import (
    content_digest,
    is_finite,
    loaded,
    not_finite,
    weights_path,
)
from cftrain.results.weights_file import MOST_BYTES

EXPECTED = "init_from: expected a safetensors file with the weights of a classifier"

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""What weights that are floats may be stored as; others are of the model's own type."""

SAME = ("seed", "data", "model")
"""What a model in a folder of results has to share with one that starts from it."""


@named("initial_weights")
@dataclass(frozen=True, kw_only=True)
class InitialWeights:
    """A file of weights and a checksum of what is in it, which is what it is: tensors
    by their names, whatever else the file says.
    """

    path: Annotated[str | None, Incidental(today=lambda: None, remembered=True)]
    digest: str

    def read(self) -> tuple[dict[str, Tensor], str | None]:
        """Returns the tensors by their names, and the codec that is stored with them.

        Raises ConfigError for a file that is gone, damaged or another one.
        """
        if self.path is None:
            raise ConfigError(
                f"{EXPECTED}, got a run that started from others (checksum "
                f"{self.digest[:16]}), and nobody knows where they are"
            )
        weights, codec = read_initial(Path(self.path))
        if content_digest(weights) != self.digest:
            raise ConfigError(
                f"init_from: expected the weights in {self.path} to be those that the "
                f"run was described with (checksum {self.digest[:16]}), got others"
            )
        return weights, codec


def initial_weights(place: str, run: Any) -> InitialWeights:
    """Returns the weights in a file, or those of a run in a folder of results: of the
    vanilla model with the same data, model and seed. Raises ConfigError.
    """
    path = Path(place)
    if path.is_dir():
        path = _of_results(path, run)
    digest = content_digest(read_initial(path)[0])
    return InitialWeights(path=str(path.resolve()), digest=digest)


def read_initial(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """Returns the tensors of a file by their names, and the codec beside them if there
    is one. Raises ConfigError.
    """
    try:
        weights, metadata = loaded(regular_bytes(path, MOST_BYTES))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{EXPECTED}, or a folder with results, got {str(path)!r}, which is not "
            "there"
        ) from error
    except Exception as error:
        raise ConfigError(f"{EXPECTED}, got {str(path)!r}: {error}") from error
    broken = not_finite(weights)
    if broken or not weights:
        raise ConfigError(
            f"{EXPECTED} that are finite, got "
            f"{f'others in {broken[0]!r}' if broken else 'none'} in {path}"
        )
    return weights, metadata.get("codec")


@torch.no_grad()
def start_from(
    classifier: Classifier, starts: Sequence[InitialWeights | None], codec: Codec
) -> None:
    """Give cells of a stack the weights that they start from. Raises ConfigError for
    tensors of other names, shapes or types than those of the model.
    """
    wanted = classifier.state_dict()
    for cell, start in enumerate(starts):
        if start is None:
            continue
        weights, encoded = start.read()
        _check(weights, {name: value[cell] for name, value in wanted.items()})
        for name, value in weights.items():
            wanted[name][cell].copy_(value)
        if encoded is not None and _differs(encoded, codec):
            warn(
                f"init_from: the model in {start.path} was trained on inputs that are "
                "encoded in another way (other columns, units or levels)"
            )


def _check(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Raises ConfigError."""
    if found.keys() != wanted.keys():
        raise ConfigError(
            f"init_from: expected weights of the model, {', '.join(wanted)}, got "
            f"{', '.join(found)}"
        )
    for name, like in wanted.items():
        value = found[name]
        expected = f"init_from: expected weights of the model, {name}"
        if value.shape != like.shape:
            raise ConfigError(
                f"{expected} of shape {tuple(like.shape)}, got {tuple(value.shape)}"
            )
        types = FLOATS if like.is_floating_point() else (like.dtype,)
        if value.dtype not in types:
            listed = " or ".join(map(str, types))
            raise ConfigError(
                f"{expected} of type {listed}, got {value.dtype}; convert them first"
            )
        if not is_finite(value.to(like.dtype)):
            raise ConfigError(
                f"{expected} of numbers that {like.dtype} can hold, got larger ones of "
                f"{value.dtype}"
            )


def _differs(encoded: str, codec: Codec) -> bool:
    """Whether a stored codec is another one than that of the data."""
    try:
        return bool(json.loads(encoded) != json.loads(json.dumps(codec.to_dict())))
    except (ValueError, RecursionError):
        return True


def _of_results(folder: Path, run: Any) -> Path:
    """The weights of the one vanilla model like a run. Raises ConfigError."""
    wanted = {key: value for key, value in describe(run).items() if key in SAME}
    try:
        cells = Store(folder).cells(["cell", "status", "objective", "config"])
        trained = cells[(cells["status"] == "done") & (cells["objective"] == "vanilla")]
        known = {
            str(row.cell): described(row.config, f"cell {row.cell}")
            for row in trained.itertuples()
        }
    except ResultError as error:
        raise ConfigError(f"init_from: {error}") from error
    found = [
        name
        for name, config in known.items()
        if all(_is_same(config.get(key), wanted[key]) for key in SAME)
        and config.get("init_from") is None
    ]
    if len(found) != 1:
        raise ConfigError(
            f"init_from: expected one vanilla model with the data, the model and the "
            f"seed ({run.seed}) of the run in {folder}, got {len(found)}; "
            "a file in its folder weights names any other one"
        )
    return weights_path(folder, found[0])


def _is_same(stored: Any, wanted: Any) -> bool:
    """Whether a stored part of a run is that of another one, wherever files lie."""
    if isinstance(stored, dict) and isinstance(wanted, dict):
        return all(_is_same(stored.get(key), value) for key, value in wanted.items())
    if isinstance(stored, list) and isinstance(wanted, list | tuple):
        return json.loads(json.dumps(stored)) == json.loads(json.dumps(wanted))
    return bool(stored == wanted)
