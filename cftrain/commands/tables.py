"""`cftrain tables`: every table and figure of the results below a folder.

What draws is imported where something is drawn: a table alone needs neither matplotlib
nor torch.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Literal

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.config.build import build_object
from cftrain.config.tree import folder, options, plain
from cftrain.errors import ConfigError, ResultError
from cftrain.illustrations.drawable import drawable
from cftrain.results.folders import refuse_links
from cftrain.results.identifiers import is_name
from cftrain.results.writing import written_whole
from cftrain.summary.figures.picture import Picture
from cftrain.summary.origin import origin
from cftrain.summary.reading.collection import Collection, collect
from cftrain.summary.reading.protocols import SHOWN
from cftrain.summary.reading.reader import Reader
from cftrain.summary.report_page import Example, report_page
from cftrain.summary.tables.formats.csv import comma_separated
from cftrain.summary.tables.formats.html import html
from cftrain.summary.tables.formats.latex import latex
from cftrain.summary.tables.formats.markdown import WIDTH, markdown
from cftrain.summary.tables.layout import Layout
from cftrain.summary.tables.table import Table

FORMATS: dict[str, tuple[str, Callable[[Table], str]]] = {
    "markdown": ("md", markdown),
    "latex": ("tex", latex),
    "csv": ("csv", comma_separated),
    "html": ("html", html),
}
"""Each format's file ending and what writes it."""


@dataclass(frozen=True, kw_only=True)
class TablesOptions:
    """What is summarised, and what of it is printed; `table` None: everything.

    Tables that `order` does not name come after those that it does.
    """

    folder: str
    order: tuple[str, ...]
    format: Literal["markdown", "latex", "csv", "html"]
    interval: Literal["t", "bootstrap"]
    protocol: str | None
    explain: tuple[str, ...] | None
    table: Layout | None


def run(config: DictConfig) -> None:
    """Print one table, explain one number of it, or write everything there is."""
    # Hydra leaves out the key of a group of which nothing is chosen.
    values = {"table": None, **plain(config)}
    if values["protocol"] is not None:
        values["protocol"] = _typed("protocol") or str(values["protocol"])
    chosen = build_object(values, TablesOptions, "tables")
    if chosen.explain is not None and chosen.table is None:
        raise ConfigError("explain: expected a table as well, table=main, got none")
    collection = collect(Path(chosen.folder), chosen.protocol)
    reader = Reader(collection, folder() / "table" / "published")
    if chosen.table is None:
        _everything(configured_tables(chosen.order), reader, chosen.folder)
    else:
        _print_one(chosen.table.table(reader), chosen, collection)
    if reader.left_out:
        ids = ", ".join(sorted(name[:SHOWN] for name in reader.left_out))
        print(
            "models were evaluated by several protocols: shown is the newest that the "
            f"compared models share; protocol=ID shows another one ({ids})",
            file=sys.stderr,
        )


def configured_tables(order: Sequence[str]) -> list[Layout]:
    """Returns every table of the configuration. Raises ConfigError.

    All are composed at once, side by side: one after the other takes three times as
    long.
    """
    names = list(dict.fromkeys([*order, *options("table")]))
    given = list(HydraConfig.get().overrides.task)
    places = [f"+table@all.t{place}={name}" for place, name in enumerate(names)]
    values = plain(compose("tables", overrides=[*given, *places]))
    tables = values.pop("all").values()
    layouts = []
    for table in tables:
        made = build_object({**values, "table": table}, TablesOptions, "tables")
        assert made.table is not None
        if not is_name(made.table.name):  # of its files
            raise ConfigError(
                f"table.name: expected a name of letters, digits and plain signs, got "
                f"{made.table.name!r}"
            )
        layouts.append(made.table)
    return layouts


def _typed(key: str) -> str | None:
    """What was typed for a key: Hydra takes some ids, such as 12e45, for numbers."""
    words = [word.partition("=") for word in HydraConfig.get().overrides.task]
    found = [value.strip("'\"") for name, _, value in words if name == key]
    return found[-1] if found else None


def _print_one(table: Table, chosen: TablesOptions, collection: Collection) -> None:
    """Raises ResultError if there is no number to show."""
    if chosen.explain is not None:
        print(_explanation(table, chosen.explain))
        return
    if not table.has_values:
        raise ResultError(f"{chosen.folder}: {_nothing(table, collection)}")
    _, written = FORMATS[chosen.format]
    print(written(table), end="")


def _everything(layouts: list[Layout], reader: Reader, named: str) -> None:
    """Raises ResultError if results cannot be read or files not be written."""
    target = Path(named)
    refuse_links(target)
    tables = [layout.table(reader) for layout in layouts]
    tables = [table for table in tables if table.has_values]
    for table in tables:
        print(markdown(table))
        for ending, written in FORMATS.values():
            _write(target / "tables" / f"{table.name}.{ending}", written(table))
    figures = target / "figures"
    pictures = _draw(reader.collection, figures)
    report = target / "report.html"
    given = HydraConfig.get().overrides.task
    words = [named, *(word for word in given if not word.startswith("folder="))]
    command = shlex.join(["cftrain", "tables", *words])
    page = report_page(
        tables,
        pictures,
        examples=_examples(reader.collection),
        origin=origin(reader.collection, named, command),
    )
    _write(report, page)
    if not tables:
        print(f"no table has numbers: {_of_grids(reader.collection)}")
    print(f"tables: {len(tables)} in {target / 'tables'}")
    print(f"figures: {len(pictures)} in {figures}")
    print(f"report: {report}")


def _draw(collection: Collection, figures: Path) -> list[Picture]:
    from cftrain.summary.figures.all_figures import draw_all

    pictures = draw_all(collection, figures)
    found = list(drawable(collection))
    if found:
        from cftrain.illustrations.stored_boundaries import draw_boundaries

        pictures += draw_boundaries(found, figures)
    return pictures


def _examples(collection: Collection) -> list[Example]:
    from cftrain.commands.examples import examples

    return list(examples(collection))


def _explanation(table: Table, words: tuple[str, ...]) -> str:
    """How an entry came about, ending with what the table shows."""
    row, head, entry = table.find(words)
    title = f"{' '.join(row.labels)}, {head.group} {head.title}".rstrip()
    note = tuple(
        f"note: {text}" for text in (entry.note, entry.remark) if text is not None
    )
    lines = [
        fill(
            line,
            WIDTH,
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in (*entry.lineage(), *entry.trace, *note)
    ]
    return "\n".join([f"{table.title}: {title}", *lines, entry.shown()])


def _nothing(table: Table, collection: Collection) -> str:
    """Why a table has no number to show."""
    entries = [entry for row in table.rows for entry in row.entries]
    marks = {entry.note or entry.text for entry in entries if entry.text != "–"}
    reasons = "; ".join(sorted(mark for mark in marks if mark))
    reasons = reasons or f"no such results; {_of_grids(collection)}"
    return f"expected results for table {table.name}, got none: {reasons}"


def _of_grids(collection: Collection) -> str:
    """Which grids there are: a table shows those that its configuration names."""
    names = ", ".join(sorted(set(collection.pairs["grid"]))) or "none"
    return (
        f"the models here are of grid {names}, and a table shows the grids that its "
        "`grids` name, once the models that it compares are done (cftrain status): "
        "give yours one of these names (grid.name), or have a table of your own in a "
        "folder that --config-dir names"
    )


def _write(path: Path, text: str) -> None:
    """Raises ResultError."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
