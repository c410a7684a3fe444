"""`cftrain export FOLDER TARGET`: a model to take along, as one folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from cftrain.advice.stored import chosen_cell
from cftrain.bundle.writing import Wish, contents, write_bundle
from cftrain.commands.command_line.words import read_words
from cftrain.errors import ResultError
from cftrain.grid.worker import THREADS
from cftrain.results.store import Store

DEFAULTS = {
    "cell": None,
    "objective": None,
    "reference": True,
    "onnx": True,
    "data_licence": None,
}


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Where the folder is made, which model it has, and what else.

    Without the beginning of a cell's id or the name of an objective the model is the
    last one that was trained with counterfactuals. `reference` are the observed rows.
    """

    target: str
    cell: str | None
    objective: str | None
    reference: bool
    onnx: bool
    data_licence: str | None


def run(arguments: Sequence[str]) -> None:
    """Write a bundle. Raises ResultError and DataError."""
    folder, options = read_words(arguments, ExportOptions, DEFAULTS, then=("target",))
    torch.set_num_threads(THREADS)
    store = Store(folder)
    cells = store.cells()
    if options.objective is not None:
        known = sorted(set(cells["objective"]))
        cells = cells[cells["objective"] == options.objective]
        if cells.empty:
            raise ResultError(
                f"objective: expected one of {', '.join(known)}, got "
                f"{options.objective}"
            )
    cell = str(chosen_cell(cells, options.cell)["cell"])
    wish = Wish(
        reference=options.reference,
        onnx=options.onnx,
        data_licence=options.data_licence,
    )
    onnx = write_bundle(contents(store, cell), Path(options.target), wish)
    print(f"ONNX: {onnx}")
    print(f"model {cell}: {options.target}")
