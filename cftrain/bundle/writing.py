"""A stored model, its data and its numbers, written as a bundle."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cftrain.advice.cutoff import chosen_cutoff
from cftrain.advice.overview.overview import Overview
from cftrain.advice.stored import replicates, stored_model
from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.card.card import About, model_card
from cftrain.bundle.layout import CARD, MOST_BYTES, weights_name
from cftrain.bundle.limits import write_limits
from cftrain.bundle.manifest import write_manifest
from cftrain.bundle.measured import measured, write_measured
from cftrain.bundle.models import Models, write_cutoff, write_models
from cftrain.bundle.observed import write_reference
from cftrain.bundle.onnx_file import write_onnx
from cftrain.bundle.preprocessing import write_codec
from cftrain.results.folders import regular_bytes
from cftrain.results.replicates import elsewhere
from cftrain.results.store import Store
from cftrain.results.weights import weights_path
from cftrain.results.writing import folder_whole


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a bundle is to have: observed rows, an ONNX file, another threshold of the
    decision than one half, and for which class; what its card tells of the licence of
    the data, and of what the model asks of people, None if nothing.
    """

    reference: bool
    onnx: bool
    overview: Callable[[StoredModel], Overview | None]
    threshold: float | None
    positive: str | None
    data_licence: str | None


def write_bundle(store: Store, cell: str, bundle: Path, wish: Wish) -> str:
    """Write a stored model with those of its other seeds, and what it takes to explain
    what they decide, into a new folder.

    Returns what is to be said of the ONNX file. Raises ResultError, and DataError if
    the data are no longer those of the training, and ConfigError for a threshold that
    the model cannot have.
    """
    cells = store.cells().set_index("cell", drop=False)
    names = [cell, *replicates(store.cells(), cell)]
    with folder_whole(bundle) as partial:
        model = stored_model(store, cell)
        cutoff = chosen_cutoff(wish.threshold, wish.positive, model.class_names)
        model = replace(model, cutoff=cutoff)
        found = measured(store, names)
        _write_model(partial, model, store, cells.loc[names], wish)
        write_measured(partial, found)
        onnx = write_onnx(partial, model) if wish.onnx else "none, as was wished"
        about = About(
            model=model,
            cells=cells.loc[names],
            measured=found,
            overview=wish.overview(model),
            reference=wish.reference,
            data_licence=wish.data_licence,
            onnx=onnx,
        )
        (partial / CARD).write_text(model_card(about), encoding="utf-8")
        write_manifest(partial, onnx)
    return onnx


def _write_model(
    folder: Path, model: StoredModel, store: Store, cells: pd.DataFrame, wish: Wish
) -> None:
    """Write the weights and what rows, limits and models are."""
    write_codec(folder, model.codec)
    write_limits(folder, model)
    if wish.reference and model.reference is not None:
        write_reference(folder, model.reference)
    write_models(
        folder,
        Models(
            data=model.data,
            data_identity=str(cells["data_identity"].iloc[0]),
            class_names=model.class_names,
            image_shape=model.image_shape,
            runs={name: elsewhere(row) for name, row in cells.iterrows()},
        ),
    )
    if model.cutoff is not None:
        write_cutoff(folder, model.cutoff)
    for name in cells.index:
        copy = folder / weights_name(name)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(regular_bytes(weights_path(store.folder, name), MOST_BYTES))
