"""`cftrain export FOLDER BUNDLE`: a model to take along, as one folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import torch

from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.grouping import grouping
from cftrain.advice.overview.overview import Overview
from cftrain.advice.overview.portions import advise_portions, stored_portion
from cftrain.advice.stored import chosen_cell
from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.writing import Wish, contents, write_bundle
from cftrain.commands.command_line.words import read_words
from cftrain.commands.explain_options import advisor_of, standard_options, target_of
from cftrain.config.ranges import Between, Count
from cftrain.errors import ConfigError, ResultError
from cftrain.grid.worker import THREADS
from cftrain.results.budget.table import given_up, load_budgets
from cftrain.results.store import Store

DEFAULTS = {
    "cell": None,
    "objective": None,
    "reference": True,
    "onnx": True,
    "threshold": None,
    "positive": None,
    "data_licence": None,
    "groups": None,
    "target": None,
    "test_rows": 1000,
}


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Where the folder is made, which model it has, and what else.

    Without the beginning of a cell's id or the name of an objective the model is the
    last one that was trained with counterfactuals. `reference` are the observed rows.
    With a column that makes `groups` the card tells what is asked of each, of so many
    test rows at most, on the way to the class `target` as `cftrain explain` does.
    With a threshold the class `positive` is decided from this probability on.
    """

    bundle: str
    cell: str | None
    """The first characters of the id of a cell; null: the last counterfactual model."""
    objective: str | None
    """The last model with that objective, such as vanilla."""
    reference: bool
    """Whether the observed rows come along, by which answers are judged."""
    onnx: bool
    """Whether an ONNX file is written, if the extra `[export]` is installed."""
    threshold: Annotated[float, Between(0, 1)] | None
    """Of two classes, one is decided if its probability is at least this."""
    positive: str | None
    """The class that the threshold is for, or null: the last one."""
    data_licence: str | None
    """What the model card says of the data."""
    groups: str | None
    """A column by whose values the model card compares what is asked of people."""
    target: str | None
    """The class that is asked for there."""
    test_rows: Count
    """Of so many test rows at most."""

    def __post_init__(self) -> None:
        if self.target is not None and self.groups is None:
            raise ConfigError(
                f"target: expected groups=COLUMN beside it, got {self.target} alone"
            )


def run(arguments: Sequence[str]) -> None:
    """Write a bundle. Raises ResultError, DataError and ConfigError."""
    folder, options = read_words(arguments, ExportOptions, DEFAULTS, then=("bundle",))
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
    lost = given_up(load_budgets(folder))
    cell = str(chosen_cell(cells, options.cell, lost)["cell"])
    wish = Wish(
        reference=options.reference,
        onnx=options.onnx,
        overview=partial(_overview, options=options, folder=folder),
        threshold=options.threshold,
        positive=options.positive,
        data_licence=options.data_licence,
    )
    onnx = write_bundle(contents(store, cell), Path(options.bundle), wish)
    print(f"ONNX: {onnx}")
    print(f"model {cell}: {options.bundle}")


def _overview(
    model: StoredModel, *, options: ExportOptions, folder: Path
) -> Overview | None:
    """What is asked of groups, as `cftrain explain summary=true` gathers it."""
    if options.groups is None:
        return None
    asked = replace(standard_options(folder), target=options.target)
    advisor = advisor_of(model, asked)
    gathering = Gathering(grouping=grouping(advisor, options.groups))
    portion = stored_portion(model, options.test_rows, groups=options.groups)
    advice = advise_portions(
        advisor,
        [portion],
        gathering.grouping,
        target=target_of(advisor, asked),
        count=asked.count,
        domain=model.constraints,
    )
    for each in advice:
        gathering.add(each)
    return gathering.overview()
