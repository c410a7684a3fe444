"""The models in a bundle: their names, how they were trained, their weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cftrain.advice.cutoff import Cutoff
from cftrain.bundle.layout import DECISION, MODEL, weights_name
from cftrain.bundle.manifest import json_text
from cftrain.bundle.sealed import Sealed
from cftrain.errors import ConfigError, ResultError
from cftrain.models.classifier import Classifier
from cftrain.results.identifiers import is_id, is_name
from cftrain.seeding import Stream
from cftrain.training.restore import with_weights
from cftrain.training.run import Run, rebuild


@dataclass(frozen=True, kw_only=True)
class Models:
    """The run of each model by its id, the explained one first; the others differ from
    it in their seeds. All were trained on the data set of that name and identity.
    """

    data: str
    data_identity: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int] | None
    runs: dict[str, dict[str, Any]]


def write_models(folder: Path, models: Models) -> None:
    """Write all but the weights."""
    (folder / MODEL).write_text(json_text(models.__dict__), encoding="utf-8")


def read_models(files: Sealed) -> Models:
    """Raises ResultError."""
    models = files.build(MODEL, Models)
    where = files.folder / MODEL
    names = models.class_names
    if len(names) < 2 or len(set(names)) < len(names):
        raise ResultError(f"{where}: expected different names of at least two classes")
    if not is_name(models.data) or not models.runs:
        raise ResultError(f"{where}: expected models of a data set that has a name")
    for cell in models.runs:
        if not is_id(cell) or weights_name(cell) not in files.digests:
            raise ResultError(f"{where}: expected weights of {cell[:120]!r}, got none")
    return models


def write_cutoff(folder: Path, cutoff: Cutoff) -> None:
    (folder / DECISION).write_text(json_text(cutoff.__dict__))


def read_cutoff(files: Sealed, models: Models) -> Cutoff | None:
    """What the models decide by, None if that is the larger probability. Raises
    ResultError.
    """
    if DECISION not in files.digests:
        return None
    cutoff = files.build(DECISION, Cutoff)
    if len(models.class_names) != 2 or cutoff.positive not in models.class_names:
        raise ResultError(
            f"{files.folder / DECISION}: expected a threshold of one of two classes, "
            f"got one of {cutoff.positive[:120]!r} of {len(models.class_names)}"
        )
    return cutoff


def explained(models: Models, wanted: str | None) -> list[str]:
    """The ids of all models, that one first whose id begins as wanted. Raises
    ResultError.
    """
    cells = list(models.runs)
    chosen = [cell for cell in cells if cell.startswith(wanted or "")]
    if not chosen:
        raise ResultError(f"expected a trained model called {wanted}, got none")
    return [chosen[0], *(cell for cell in cells if cell != chosen[0])]


def rebuilt(files: Sealed, models: Models, cell: str) -> Run:
    """The run of a model. Raises ResultError if this version does not know it."""
    try:
        return rebuild(models.runs[cell])
    except ConfigError as error:
        raise ResultError(
            f"{files.folder / MODEL}: expected a run of this version of cftrain, got "
            f"{error}"
        ) from error


def read_classifier(
    files: Sealed, run: Run, cells: list[str], *, features: int, classes: int
) -> Classifier:
    """The models of these ids as one stack. Raises WeightsError."""
    streams = [Stream(0) for _ in cells]  # for shapes: the weights are replaced
    digests = {cell: files.digests[weights_name(cell)] for cell in cells}
    return with_weights(
        lambda: run.model.build(features=features, classes=classes, streams=streams),
        files.folder,
        cells,
        digests=digests,
    )
