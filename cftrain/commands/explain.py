"""`cftrain explain FOLDER`: what would have to change for another decision."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import torch
from omegaconf import DictConfig
from tqdm import tqdm

import cftrain
from cftrain.advice.advice import Advice, advise
from cftrain.advice.advisor import Advisor
from cftrain.advice.formats.csv_lines import csv_lines
from cftrain.advice.formats.json_lines import json_line
from cftrain.advice.formats.parquet import write_parquet
from cftrain.advice.formats.text import text
from cftrain.advice.formats.warnings import warned
from cftrain.advice.formats.writing import write_lines
from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.grouping import Grouping, grouping
from cftrain.advice.overview.text import overview_text
from cftrain.advice.pages.page import page
from cftrain.advice.raw_rows import PORTION, Portion, raw_rows
from cftrain.advice.stored import chosen_cell, stored_model
from cftrain.advice.stored_model import StoredModel
from cftrain.bundle.layout import is_bundle
from cftrain.bundle.reading import read_bundle
from cftrain.commands.explain_options import ExplainOptions, check, options_of
from cftrain.config.tree import plain
from cftrain.counterfactuals.search import CounterfactualSearch
from cftrain.data.columns import level_text
from cftrain.data.tables.figures import Notation
from cftrain.data.tables.files import TextFormat
from cftrain.data.told import as_given
from cftrain.errors import ConfigError
from cftrain.grid.worker import THREADS
from cftrain.results.store import Store


def run(config: DictConfig) -> None:
    """Print the advice, or write it. Raises DataError, ResultError and ConfigError."""
    options = options_of(plain(config))
    check(options)
    torch.set_num_threads(THREADS)
    model = _model(Path(options.folder), options.cell)
    advisor = model.advisor(
        search_of(model, options),
        immutable=options.immutable,
        relations=options.relations,
        observed_range=options.observed_range,
        sparse=options.sparse,
    )
    groups = None if options.groups is None else grouping(advisor, options.groups)
    target = None
    if options.target is not None:
        target = advisor.class_of(level_text(options.target))
    with _rows(model, options) as (portions, size), _bar(size, options) as bar:
        of_portion = partial(
            advise,
            advisor,
            target=target,
            count=options.count,
            domain=model.constraints,
        )
        advice = _advice(of_portion, portions, groups, bar)
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


def _advice(
    of_portion: Callable[..., Iterable[Advice]],
    portions: Iterable[Portion],
    groups: Grouping | None,
    bar: "tqdm[None]",
) -> Iterator[Advice]:
    """The advice for all rows, one after the other."""
    for portion in portions:
        labels = None
        if groups is not None and portion.groups is not None:
            labels = groups.labels(portion.groups)
        yield from of_portion(portion.rows, first_row=portion.first_row, groups=labels)
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
    gathering = Gathering(grouping=groups)
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
        if options.format == "json":
            yield json.dumps(overview, default=vars, ensure_ascii=False) + "\n"
        else:
            yield overview_text(overview) + "\n"
    elif options.format == "csv":
        yield from csv_lines(advice)
    else:
        told = text if options.format == "text" else json_line
        for each in advice:
            yield told(each) + "\n"


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
    store = Store(folder)
    return stored_model(store, str(chosen_cell(store.cells(), cell)["cell"]))


def search_of(model: StoredModel, options: ExplainOptions) -> CounterfactualSearch:
    """Returns the search for answers, not yet fitted to the data of the model."""
    return CounterfactualSearch(
        generator=options.generator or model.run.generator,
        maturity=options.maturity,
        descent=options.search,
        categories=options.categories,
    )


def _notation(model: StoredModel) -> Notation | None:
    """How the text file of the training writes numbers, if it was one."""
    form = getattr(getattr(model.run.data, "raw", None), "text", None)
    return form.notation if isinstance(form, TextFormat) else None


@contextmanager
def _rows(
    model: StoredModel, options: ExplainOptions
) -> Iterator[tuple[Iterable[Portion], int]]:
    """What to explain, and how many rows that are."""
    codec = model.codec
    if options.rows is None:
        if model.test_rows is None:
            raise ConfigError(
                "rows: expected a file with rows to explain, or - for standard input, "
                "got null: no test rows are stored here"
            )
        raw = codec.decode(model.test_rows[: options.test_rows])
        rows = as_given(raw, codec)
        if options.groups not in (None, *codec.inputs):
            raise ConfigError(
                f"groups: expected a column of {model.data} "
                f"({', '.join(codec.inputs)}), got {options.groups}"
            )
        groups = None if options.groups is None else rows.raw[options.groups]
        yield [Portion(first_row=0, rows=rows, groups=groups)], len(rows)
        return
    with raw_rows(
        options.rows, codec, groups=options.groups, notation=_notation(model)
    ) as found:
        yield found, found.count
