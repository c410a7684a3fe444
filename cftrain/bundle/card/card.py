"""The model card: what a model is, what it was made from, and what its limits are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import pandas as pd

from cftrain.advice.overview.overview import Overview
from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.card.burden import burden
from cftrain.bundle.card.numbers import HEAD, Number, numbers
from cftrain.bundle.layout import REFERENCE
from cftrain.bundle.limits import domain
from cftrain.bundle.measured import Measured
from cftrain.results.checking import of_cell
from cftrain.results.leaves import value_at
from cftrain.summary.measures import measure_told
from cftrain.summary.tables.formats.markdown import grid, plain

WIDTH = 88
WEIGHTS = ("divergence_weight", "adversarial_weight")
"""Of the terms that need counterfactuals."""

OF_PROTECTION = ("ig_bounded", "ig_published")
MOST_LEVELS = 12
MOST_COLUMNS = 200
"""Columns that a card lists: nobody reads a list of pixels."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What a card tells of: a model, its row of the table of cells and those of its
    other seeds, its numbers, what it asks of people, and what is in the bundle.
    """

    model: StoredModel
    cells: pd.DataFrame
    measured: Measured
    overview: Overview | None
    reference: bool
    data_licence: str | None
    onnx: str

    @property
    def cell(self) -> pd.Series:
        """Returns the row of the model that is explained."""
        return self.cells.iloc[0]


def model_card(about: About) -> str:
    """Returns the card in Markdown."""
    title = f"# Model card: {plain(about.model.data)}"
    parts = [_model, _data, _numbers, _protection, _burden, _contents, _limits]
    lines = [title, *(line for part in parts for line in ("", *part(about)))]
    return "\n".join(lines) + "\n"


def _model(about: About) -> Iterator[str]:
    cell, run = about.cell, of_cell(about.cell)
    names = ", ".join(map(plain, about.model.class_names))
    seeds = ", ".join(map(str, about.cells["seed"]))
    trained = (
        "by counterfactual training"
        if any(value_at(run, f"objective.{weight}") for weight in WEIGHTS)
        else "in the usual way, with a head beside it that answers with counterfactuals"
        if value_at(run, "objective.head_weight", 0)
        else "in the usual way, without counterfactuals"
    )
    yield from _text(
        f"A classifier of {plain(about.model.data)} ({cell['model']}, "
        f"{_parameters(about)} parameters), trained {trained}. It decides between: "
        f"{names}."
    )
    yield ""
    weights = value_at(run, "objective.class_weights")
    weighted = "" if weights is None else f", class weights {plain(str(weights))}"
    column = value_at(run, "data.weight")
    weighted += "" if column is None else f", rows weighted by {plain(str(column))}"
    yield f"- objective {cell['objective']}, generator {cell['generator']}{weighted}"
    yield f"- training seeds {seeds}; the first one is the model that is explained"
    yield (
        f"- {value_at(run, 'schedule.epochs')} epochs, with cftrain "
        f"{cell['cftrain_version']} and torch {cell['torch_version']}, "
        f"{cell['created']:%Y-%m-%d}"
    )
    if about.model.cutoff is not None:
        yield f"- decision: {plain(str(about.model.cutoff))}, by its probability"


def _parameters(about: About) -> int:
    model = about.model.model
    return sum(value.numel() for value in model.state_dict().values())


def _data(about: About) -> Iterator[str]:
    cell, run = about.cell, of_cell(about.cell)
    yield "## Data"
    yield ""
    yield f"- {plain(about.model.data)} ({cell['data_identity']})"
    yield (
        f"- {cell['train_rows']} training, {value_at(run, 'data.validation_rows')} "
        f"validation and {cell['test_rows']} test rows; test rows shape nothing"
    )
    yield f"- licence: {plain(about.data_licence or 'not told')}"
    yield ""
    columns = domain(about.model)
    if len(columns) > MOST_COLUMNS:
        yield f"{len(columns)} columns, which domain.json lists."
        return
    lines = [["column", "values", "observed", "may change"]]
    lines += [_column(name, told) for name, told in columns.items()]
    yield from grid(lines, labels=4)


def _column(name: str, told: dict[str, Any]) -> list[str]:
    may = {"free": "yes", "immutable": "no"}.get(told["mutability"], told["mutability"])
    if "levels" in told:
        levels = list(map(str, told["levels"]))
        more = f", ... ({len(levels)})" if len(levels) > MOST_LEVELS else ""
        return [name, ", ".join(levels[:MOST_LEVELS]) + more, "", may]
    return [name, _range(told["domain"]), _range(told["observed"]), may]


def _range(bounds: list[Any]) -> str:
    low, high = (
        f"{bound:g}" if isinstance(bound, float) else bound for bound in bounds
    )
    if low is None and high is None:
        return "any"
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _numbers(about: About) -> Iterator[str]:
    yield "## How good it is"
    yield ""
    found = _shown(about)
    if not found:
        yield "It was not evaluated."
        return
    yield from _text(
        f"Measured by the protocol {about.measured.protocol} (protocol.json; "
        "metrics.json has all numbers). Accuracies are those of test rows, FGSM and "
        "PGD the ones under attack; counterfactuals are those of "
        f"{about.measured.config.get('split')} rows. IP and IP* are distances from "
        "observed rows: the lower, the more plausible. Intervals hold 95 %."
    )
    if about.model.cutoff is not None:
        yield ""
        yield from _text(
            "**These numbers are those of the more probable class, not of the "
            f"threshold** by which the model decides ({plain(str(about.model.cutoff))})"
            ". Probabilities are the model's own."
        )
    yield ""
    lines = [number.line() for number in found if number.metric not in OF_PROTECTION]
    yield from grid([list(HEAD), *lines], labels=4)


def _protection(about: About) -> Iterator[str]:
    names = [
        name
        for name, told in domain(about.model).items()
        if told["mutability"] != "free"
    ]
    yield "## Protected columns"
    yield ""
    yield from _relations(about.model.constraints.related_by)
    if not names:
        yield "None: all columns may change both ways."
        return
    shown = ", ".join(map(plain, names[:MOST_COLUMNS]))
    yield from _text(f"May not change, or one way only: {shown}.")
    found = [number for number in _shown(about) if number.metric in OF_PROTECTION]
    yield ""
    if not found:
        yield "How much the model uses them was not measured."
    for number in found:
        title = measure_told(number.metric)
        spread = f" {number.spread}" if number.spread else ""
        spread += f"; {number.of_seeds}" if number.of_seeds else ""
        share = number.metric == OF_PROTECTION[0]
        told = " (their share of all integrated gradients)" if share else ""
        yield f"- {title}{told}: {number.value:.4g}{spread}"


def _burden(about: About) -> Iterator[str]:
    return burden(about.overview)


def _relations(texts: Sequence[str]) -> Iterator[str]:
    """What holds between columns in every answer, if that is declared."""
    if texts:
        yield "Every answer obeys these relations between columns, in raw units:"
        yield ""
        yield from (f"- {plain(text)}" for text in texts)
        yield ""


def _contents(about: About) -> Iterator[str]:
    yield "## What is in this folder"
    yield ""
    rows = (
        f"**There are {len(about.model.reference.features)} observed rows in here** "
        f"({REFERENCE}: all training and validation rows, encoded, with their labels). "
        "Answers name the nearest one. Pass the folder on only if you may pass on the "
        "data; `reference=false` leaves them out."
        if about.reference and about.model.reference is not None
        else "No observed rows are in this folder, so that nothing is told of how "
        "plausible answers are. The least and the largest value of every column and "
        "all levels of categories are."
    )
    yield from _text(rows)
    yield ""
    yield f"- ONNX: {about.onnx}"
    yield "- to explain decisions: `cftrain explain FOLDER rows=FILE`"
    yield "- manifest.json has the checksum of every file"


def _limits(about: About) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield from _text(
        "The numbers are those of rows like these; they say nothing of other ones. "
        "A counterfactual tells what this model would decide of other values. It does "
        "not tell what happens in the world to somebody who changes them, and it knows "
        "of no relations between columns but those that are declared. Checksums find "
        "damage; they do not prove who wrote the folder."
    )


def _shown(about: About) -> list[Number]:
    return numbers(about.measured.metrics, str(about.cell["cell"]))


def _text(text: str) -> Iterator[str]:
    yield fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
