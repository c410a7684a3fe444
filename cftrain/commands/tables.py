"""`cftrain tables`: every table and figure of the results below a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Literal

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cftrain.config.build import build_object
from cftrain.config.tree import folder, plain
from cftrain.errors import ConfigError, ResultError
from cftrain.illustrations.stored_boundaries import draw_boundaries
from cftrain.results.writing import replacing
from cftrain.summary.figures.all_figures import draw_all
from cftrain.summary.reading.collection import Collection, collect
from cftrain.summary.reading.reader import Evidence
from cftrain.summary.tables.formats.csv import comma_separated
from cftrain.summary.tables.formats.html import html, report_page
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
class TablesSettings:
    """What is summarised, and what of it is printed; `table` None: everything.

    Tables that `order` does not name come after those that it does.
    """

    folder: str
    order: tuple[str, ...]
    format: Literal["markdown", "latex", "csv", "html"]
    interval: Literal["t", "bootstrap"]
    explain: tuple[str, ...] | None
    table: Layout | None


def run(config: DictConfig) -> None:
    """Print one table, explain one number of it, or write everything there is."""
    # Hydra leaves out the key of a group of which nothing is chosen.
    values = {"table": None, **plain(config)}
    settings = build_object(values, TablesSettings, "tables")
    if settings.explain is not None and settings.table is None:
        raise ConfigError("explain: expected a table as well, table=main, got none")
    collection = collect(Path(settings.folder))
    evidence = Evidence(collection, folder() / "table" / "published")
    if settings.table is None:
        layouts = configured_tables(settings.order)
        _everything(layouts, collection, evidence, Path(settings.folder))
        return
    table = settings.table.table(evidence)
    if settings.explain is not None:
        print(_explanation(table, settings.explain))
        return
    if not table.has_values:
        raise ResultError(f"{settings.folder}: {_nothing(table)}")
    _, written = FORMATS[settings.format]
    print(written(table), end="")


def configured_tables(order: tuple[str, ...]) -> list[Layout]:
    """Every table of the configuration. Raises ConfigError."""
    given = list(HydraConfig.get().overrides.task)
    others = sorted(path.stem for path in (folder() / "table").glob("*.yaml"))
    names = dict.fromkeys([*order, *others])
    layouts = []
    for name in names:
        values = plain(compose("tables", overrides=[*given, f"table={name}"]))
        layout = build_object(values, TablesSettings, "tables").table
        assert layout is not None
        layouts.append(layout)
    return layouts


def _everything(
    layouts: list[Layout], collection: Collection, evidence: Evidence, target: Path
) -> None:
    """Raises ResultError at the end if some table's results cannot be compared."""
    tables, mistakes = [], []
    for layout in layouts:
        try:
            table = layout.table(evidence)
        except ResultError as error:
            mistakes.append(f"table {layout.name}: {error}")
            continue
        if table.has_values:
            tables.append(table)
            print(markdown(table))
    for table in tables:
        for ending, written in FORMATS.values():
            _write(target / "tables" / f"{table.name}.{ending}", written(table))
    figures = target / "figures"
    pictures = [*draw_all(collection, figures), *draw_boundaries(collection, figures)]
    report = target / "report.html"
    _write(report, report_page(tables, pictures))
    print(f"tables: {len(tables)} in {target / 'tables'}")
    print(f"figures: {len(pictures)} in {figures}")
    print(f"report: {report}")
    if mistakes:
        raise ResultError("\n".join(mistakes))


def _explanation(table: Table, words: tuple[str, ...]) -> str:
    """How an entry came about, ending with what the table shows."""
    row, head, entry = table.find(words)
    title = f"{' '.join(row.labels)}, {head.group} {head.title}".rstrip()
    note = () if entry.note is None else (f"note: {entry.note}",)
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


def _nothing(table: Table) -> str:
    """Why a table has no number to show."""
    entries = [entry for row in table.rows for entry in row.entries]
    marks = {entry.note or entry.text for entry in entries if entry.text != "–"}
    reasons = "; ".join(sorted(mark for mark in marks if mark)) or "no such results"
    return f"expected results for table {table.name}, got none: {reasons}"


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultError(f"{path}: could not be written: {error}") from error
