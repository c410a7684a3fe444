"""`cftrain best FOLDER metric=ip`: which setting is best, on validation rows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from cftrain.budget.choosing import check_names, on_validation_rows
from cftrain.commands.command_line.words import read_words
from cftrain.config.ranges import Count
from cftrain.errors import ResultError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.stored import stored_protocol
from cftrain.results.leaves import hyperparameters
from cftrain.results.store import Store
from cftrain.summary.naming import axis_name
from cftrain.summary.reading.collection import Collection, collect
from cftrain.summary.reading.protocols import choose
from cftrain.summary.reading.seeds import Seeds, by_seed
from cftrain.summary.statistics.best import Ranked, ranked
from cftrain.summary.statistics.intervals import Interval

VALIDITY = "validity"
INDIVIDUALS, MOST = 500, 10
DEFAULTS = {"metric": "ip", "individuals": INDIVIDUALS, "most": MOST}


@dataclass(frozen=True, kw_only=True)
class BestOptions:
    """What decides, and how much of it is shown."""

    metric: str
    """A metric of the evaluation, by its name there."""

    individuals: Count
    """For how many validation rows counterfactuals are searched."""

    most: Count
    """How many settings are shown."""


def run(arguments: Sequence[str]) -> None:
    """Print the settings of each dataset, the best first. Raises ResultError."""
    folder, options = read_words(arguments, BestOptions, DEFAULTS)
    print(
        answer(
            folder,
            metric=options.metric,
            individuals=options.individuals,
            most=options.most,
        )
    )


def answer(
    folder: Path, *, metric: str, individuals: int = INDIVIDUALS, most: int = MOST
) -> str:
    """Returns a table for each dataset. Raises ConfigError and ResultError."""
    options = BestOptions(metric=metric, individuals=individuals, most=most)
    collection = collect(folder)
    done = set(collection.done.index)
    models = set(collection.pairs["model"])
    settings: dict[str, list[Seeds]] = {}
    for each in by_seed(collection):
        first = each.cells[0][0]
        if first in models and any(cells[0] in done for cells in each.cells):
            data = str(collection.cells.loc[first, "data"])
            settings.setdefault(data, []).append(each)
    if not settings:
        raise ResultError(f"{folder}: expected trained models, got none that is done")
    return "\n\n".join(
        _of_dataset(data, found, collection, options)
        for data, found in settings.items()
    )


def _of_dataset(
    data: str, settings: Sequence[Seeds], collection: Collection, options: BestOptions
) -> str:
    cells = _cells(settings, collection)
    protocol = _protocol(cells, collection)
    names = dict.fromkeys([options.metric])
    check_names(list(names), protocol, "metric")
    if VALIDITY in protocol.metrics:
        names[VALIDITY] = None
    with tqdm(total=len(cells), unit="cell", file=sys.stderr, disable=None) as bar:
        values = on_validation_rows(
            cells,
            protocol,
            list(names),
            individuals=options.individuals,
            on_cells=bar.update,
        )
    by_seeds = [
        {
            int(cells.loc[own[0], "seed"]): values[own[0]][options.metric]
            for own in each.cells
            if own[0] in cells.index
        }
        for each in settings
    ]
    metric = protocol.metrics[options.metric]
    order = ranked(by_seeds, higher_is_better=metric.higher_is_better)
    labels = _labels(settings, collection)
    valid = [
        [values[own[0]].get(VALIDITY) for own in each.cells if own[0] in cells.index]
        for each in settings
    ]
    better = "higher" if metric.higher_is_better else "lower"
    lines = [
        f"{data}: {len(settings)} settings by {options.metric} ({metric.unit}, "
        f"{better} is better) on validation rows",
        "",
        _table(order[: options.most], labels, valid, options.metric),
        "",
        *_notes(order, options),
    ]
    return "\n".join(lines)


def _cells(settings: Sequence[Seeds], collection: Collection) -> pd.DataFrame:
    """The models of all settings that are done, as rows of the table of cells."""
    wanted = [own[0] for each in settings for own in each.cells]
    done = collection.done
    return done.loc[[cell for cell in dict.fromkeys(wanted) if cell in done.index]]


def _protocol(cells: pd.DataFrame, collection: Collection) -> Protocol:
    """How models are measured: as most of them were, by the newest such protocol."""
    chosen = choose(collection.measured, [list(cells.index)], 0)
    if chosen.protocol is None:
        raise ResultError(
            "expected models that are evaluated, which says how to measure them, got "
            "none; cftrain evaluate FOLDER does it"
        )
    measured = collection.measured.reset_index("protocol")
    found = measured[measured["protocol"] == chosen.protocol]["folder"].iloc[0]
    return stored_protocol(Store(Path(found)), chosen.protocol)


def _labels(settings: Sequence[Seeds], collection: Collection) -> pd.DataFrame:
    """What settings differ in, a row for each."""
    first = collection.cells.loc[[each.cells[0][0] for each in settings]]
    values = hyperparameters(first).drop(columns="seed", errors="ignore")
    varied = [key for key in values if values[key].astype(str).nunique() > 1]
    return values[varied]


def _table(
    order: Sequence[Ranked],
    labels: pd.DataFrame,
    valid: Sequence[Sequence[float | None]],
    metric: str,
) -> str:
    several = any(each.interval is not None for each in order)
    rows = []
    for each in order:
        row = [*map(str, labels.iloc[each.place]), f"{each.mean:.4g}"]
        if several:
            row += [_shown(each.interval), str(each.seeds), _worse(each)]
        shares = [share for share in valid[each.place] if share is not None]
        if shares and metric != VALIDITY:
            row.append(f"{sum(shares) / len(shares):.3f}")
        rows.append(row)
    head = [*(axis_name(key) for key in labels), metric]
    head += ["95 % interval", "seeds", "worse than the best by"] if several else []
    head += [VALIDITY] if len(rows[0]) > len(head) else []
    return tabulate(rows, head, tablefmt="simple", disable_numparse=True)


def _worse(each: Ranked) -> str:
    if each.behind is None:
        return ""
    return f"{each.behind.centre:.3g} {_shown(each.behind)}{' tie' * bool(each.tied)}"


def _shown(interval: Interval | None) -> str:
    return "" if interval is None else f"[{interval.low:.4g}, {interval.high:.4g}]"


def _notes(order: Sequence[Ranked], options: BestOptions) -> list[str]:
    """What the numbers do and do not say."""
    left = len(order) - options.most
    notes = [f"and {left} more: most={len(order)} shows them"] if left > 0 else []
    if order[0].interval is None:
        return [
            *notes,
            "One seed: how sure this is cannot be said; '+grid.axes.seed=[1,2,3]' "
            "trains more.",
        ]
    ties = sum(bool(each.tied) for each in order)
    alone = "no other setting is as good"
    return [
        *notes,
        "Intervals: Student's t over training seeds. Differences: paired over the "
        "seeds in common, 95 % for all comparisons together (Bonferroni).",
        f"Tied with the best: {ties} of {len(order) - 1} others, whose interval has "
        "zero in it."
        if ties
        else f"Best: the first; {alone} within its interval.",
    ]
