"""`cftrain explain FOLDER`: what would have to change for another decision."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import torch
from omegaconf import DictConfig
from tqdm import tqdm

import cftrain
from cftrain.advice.advice import Advice
from cftrain.advice.advisor import Advisor
from cftrain.advice.formats.csv_lines import csv_lines
from cftrain.advice.formats.json_lines import json_line
from cftrain.advice.formats.parquet import write_parquet
from cftrain.advice.formats.text import text
from cftrain.advice.formats.warnings import warned
from cftrain.advice.formats.writing import write_lines
from cftrain.advice.images.rows import image_rows, of_images
from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.grouping import Grouping, grouping
from cftrain.advice.overview.portions import advise_portions, stored_portion
from cftrain.advice.overview.text import overview_text
from cftrain.advice.pages.page import page
from cftrain.advice.raw_rows import PORTION, Portion, raw_rows
from cftrain.advice.stored import chosen_cell, stored_model
from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.layout import is_bundle
from cftrain.bundle.reading import read_bundle
from cftrain.commands.explain_options import (
    ExplainOptions,
    advisor_of,
    check,
    options_of,
    target_of,
)
from cftrain.config.tree import plain
from cftrain.data.tables.figures import Notation
from cftrain.data.tables.files import TextFormat
from cftrain.errors import ConfigError, ResultError
from cftrain.grid.worker import THREADS
from cftrain.results.budget.table import given_up, load_budgets
from cftrain.results.store import Store


def run(config: DictConfig) -> None:
    """Print the advice, or write it. Raises DataError, ResultError and ConfigError."""
    options = options_of(plain(config))
    check(options)
    torch.set_num_threads(THREADS)
    model = _model(Path(options.folder), options.cell)
    advisor = advisor_of(model, options)
    groups = None if options.groups is None else grouping(advisor, options.groups)
    target = target_of(advisor, options)
    with _rows(model, options) as (portions, size), _bar(size, options) as bar:
        advice = advise_portions(
            advisor,
            _counted(portions, bar),
            groups,
            target=target,
            count=options.count,
            domain=model.constraints,
        )
        if options.format == "parquet":
            write_parquet(advice, Path(str(options.output)))
        else:
            told = _lines(advisor, model.data, advice, groups, options)
            write_lines(told, options.output)


def _bar(rows: int, options: ExplainOptions) -> "tqdm[None]":
    """A bar on a terminal, if the rows are many and are not told on it themselves."""
    told = options.output is None and not options.summary and sys.stdout.isatty()
    hidden = True if told or rows <= PORTION else None
    return tqdm(total=rows, unit="row", file=sys.stderr, disable=hidden)


def _counted(portions: Iterable[Portion], bar: "tqdm[None]") -> Iterator[Portion]:
    """The portions; the bar goes on when one is done."""
    for portion in portions:
        yield portion
        bar.update(len(portion.rows))


def _lines(
    advisor: Advisor,
    data: str,
    advice: Iterator[Advice],
    groups: Grouping | None,
    options: ExplainOptions,
) -> Iterator[str]:
    """What is told, in pieces: unusual rows of a file beside it, if not in it."""
    if options.format != "text" and options.rows is not None:
        advice = warned(advice)
    gathering = Gathering(grouping=groups, cutoff=advisor.cutoff)
    if options.format == "html":
        yield page(
            advisor,
            advice,
            gathering,
            data=data,
            about=_about(options),
            with_cards=not options.summary,
        )
    elif options.summary:
        for each in advice:
            gathering.add(each)
        overview = gathering.overview()
        yield (
            json_line(overview)
            if options.format == "json"
            else overview_text(overview, advisor.image)
        ) + "\n"
    elif options.format == "csv":
        yield from csv_lines(advice)
    else:
        for each in advice:
            told = (
                text(each, advisor.image)
                if options.format == "text"
                else json_line(each)
            )
            yield told + "\n"


def _about(options: ExplainOptions) -> list[str]:
    """Where a page comes from."""
    rows = "test rows" if options.rows is None else options.rows
    return [
        f"model: {options.folder}",
        f"rows: {rows}",
        f"cftrain {cftrain.__version__}",
        f"{date.today():%d %B %Y}",
    ]


def _model(folder: Path, cell: str | None) -> StoredModel:
    if is_bundle(folder):
        return read_bundle(folder, cell)
    if not folder.is_dir():
        raise ResultError(f"{folder}: expected a folder with results, got none")
    store, lost = Store(folder), given_up(load_budgets(folder))
    return stored_model(store, str(chosen_cell(store.cells(), cell, lost)["cell"]))


def _notation(model: StoredModel) -> Notation | None:
    """How the text file of the training writes numbers, if it was one."""
    form = getattr(getattr(model.run.data, "raw", None), "text", None)
    return form.notation if isinstance(form, TextFormat) else None


@contextmanager
def _rows(
    model: StoredModel, options: ExplainOptions
) -> Iterator[tuple[Iterable[Portion], int]]:
    """What to explain, and how many rows that are."""
    if options.rows is None:
        portion = stored_portion(model, options.test_rows, groups=options.groups)
        yield [portion], len(portion.rows)
        return
    if model.image_shape is not None and of_images(options.rows):
        if options.groups is not None:
            raise ConfigError(
                "groups: expected null for images, which have no other columns, got "
                f"{options.groups}"
            )
        images = image_rows(options.rows, model)
        yield images, images.count
        return
    with raw_rows(
        options.rows,
        model.codec,
        groups=options.groups,
        notation=_notation(model),
    ) as found:
        yield found, found.count
