"""The table of methods: how good each is, and which are the best."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

import numpy as np
import pandas as pd

from cftrain.summary.methods.measured import (
    against_baseline,
    chosen,
    measured,
    methods_of,
)
from cftrain.summary.naming import (
    OBJECTIVES,
    dataset_name,
    objective_name,
    ordered_datasets,
)
from cftrain.summary.reading.method import BASELINE
from cftrain.summary.reading.reader import Reader
from cftrain.summary.statistics.intervals import t_interval
from cftrain.summary.tables.layout import Layout
from cftrain.summary.tables.table import EMPTY, Entry, Head, Row, Table, decimals_for

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A column of the table of methods: the difference to the baseline of a measure, or
    its level, times a factor; `better` +1 or -1 says which way is better, 0 neither.
    """

    key: str
    group: str
    title: str
    better: int
    factor: float
    against: bool

    def values(self, lines: pd.DataFrame) -> pd.Series:
        """Returns the value of each line, indexed by its seed."""
        if self.key not in lines:
            return pd.Series(dtype=float)
        of_seed = lines.set_index("seed")
        found = of_seed[self.key]
        if self.against:
            found = found - of_seed[f"{self.key}_baseline"]
        return (self.factor * found.astype(float)).dropna()


@final
@dataclass(frozen=True, kw_only=True)
class Methods(Layout):
    """A line for each method on each dataset, at the strongest setting that loses at
    most `budget` of validation accuracy, chosen seed by seed.

    Bold is the best mean, and whatever does not differ from it: the interval of the
    difference over the same seeds holds zero.
    """

    name: str
    title: str
    caption: str
    grids: tuple[str, ...]
    protected: bool
    budget: float
    columns: tuple[Shown, ...]

    def table(self, reader: Reader) -> Table:
        lines = lines_of(reader, self.grids)
        own = lines[lines["protected"] == self.protected] if len(lines) else lines
        return Table(
            name=self.name,
            title=self.title,
            caption=self.caption,
            labels=("data", "method"),
            heads=(
                Head(key="setting", group="", title="strength"),
                *(Head(key=c.key, group=c.group, title=c.title) for c in self.columns),
            ),
            rows=by_dataset(own, self._rows),
        )

    def _rows(self, lines: pd.DataFrame) -> list[Row]:
        data = lines["data"].iloc[0]
        picked = chosen(lines, self.budget)
        base = lines[lines["method"] == BASELINE]
        of_method = {BASELINE: base}
        for method in methods_of(picked, list(OBJECTIVES)) if len(picked) else []:
            of_method[method] = picked[picked["method"] == method]
        columns = [
            column_entries(
                {name: c.values(found) for name, found in of_method.items()}, c
            )
            for c in self.columns
        ]
        return [
            Row(
                labels=(dataset_name(data), objective_name(method)),
                names=(str(data), method),
                entries=(_settings(found), *(column[method] for column in columns)),
            )
            for method, found in of_method.items()
        ]


def column_entries(values: dict[Key, pd.Series], shown: Shown) -> dict[Key, Entry]:
    """Returns the entries of a column, the best of them and its equals in bold."""
    means = {name: found.mean() for name, found in values.items() if len(found)}
    best = set()
    if shown.better and means:
        first = max(means, key=lambda name: shown.better * means[name])
        best = {
            name
            for name in means
            if name == first or _equal(values[name], values[first])
        }
    return {
        name: _entry(found, best=name in best and len(best) < len(means))
        for name, found in values.items()
    }


def _equal(one: pd.Series, other: pd.Series) -> bool:
    """Whether the seeds that both have do not tell two methods apart."""
    differences = (one - other).dropna()
    if len(differences) < 2:
        return bool(np.isclose(one.mean(), other.mean()))
    return not t_interval(differences.tolist()).excludes_zero


def _entry(values: pd.Series, *, best: bool) -> Entry:
    if values.empty:
        return EMPTY
    trace = (f"by seed: {', '.join(f'{s}: {v:.6g}' for s, v in values.items())}",)
    mean = float(values.mean())
    if len(values) < 2:
        return Entry(value=mean, decimals=decimals_for(mean), best=best, trace=trace)
    found = t_interval(values.tolist())
    return Entry(
        value=mean,
        spread=(found.high - found.low) / 2,
        decimals=decimals_for(mean),
        best=best,
        trace=trace,
    )


def _settings(lines: pd.DataFrame) -> Entry:
    """The settings that were chosen in the seeds, each with how often."""
    names = [
        f"{row['setting']:g}" if row.get("kept", True) else "none"
        for row in lines.to_dict("records")
    ]
    counts = Counter(names)
    told = [name if n == len(names) else f"{name} ×{n}" for name, n in counts.items()]
    return Entry(text=", ".join(sorted(told)))


def lines_of(reader: Reader, grids: Sequence[str]) -> pd.DataFrame:
    """The models of the grids against their baselines."""
    found = measured(reader.collection, grids)
    return against_baseline(found) if _complete(found) else found.iloc[:0]


def by_dataset(
    lines: pd.DataFrame, rows: Callable[[pd.DataFrame], list[Row]]
) -> tuple[Row, ...]:
    """Returns the rows that each dataset's lines make, dataset by dataset."""
    datasets = ordered_datasets(lines["data"]) if len(lines) else []
    return tuple(row for data in datasets for row in rows(lines[lines["data"] == data]))


def _complete(lines: pd.DataFrame) -> bool:
    needed: Sequence[str] = ("ip_common", "ip_floor", "method")
    return len(lines) > 0 and all(name in lines for name in needed)
