"""From what is said of a table, and its rows, to what every column is taken for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cftrain.data.columns import CATEGORIES, ColumnKind
from cftrain.data.tables.cleaning import MissingRule
from cftrain.data.tables.guessing.columns import (
    Guess,
    GuessedColumn,
    held_against,
    kind_of,
    range_of,
)
from cftrain.data.tables.guessing.labels import Labels, labels_of
from cftrain.data.tables.guessing.levels import in_pool
from cftrain.data.tables.guessing.raw import RawTable, raw_table
from cftrain.data.tables.guessing.table import Table
from cftrain.errors import ConfigError, DataError


@dataclass(frozen=True, kw_only=True)
class GuessedTable:
    """All columns as they are taken, the labels, and the sizes of the parts.

    `rows` are those that are left, `dropped` those that miss something, `copies` those
    that are equal to an earlier one.
    """

    table: Table
    raw: RawTable
    labels: Labels
    columns: tuple[GuessedColumn, ...]
    rows: int
    dropped: int
    copies: int
    pool_share: float
    validation_rows: int

    @property
    def training_rows(self) -> int:
        return round(self.pool_share * self.rows) - self.validation_rows

    @property
    def used(self) -> list[GuessedColumn]:
        return [column for column in self.columns if column.kind is not None]


def guessed(table: Table) -> GuessedTable:
    """Returns what a table is taken for. Raises DataError and ConfigError."""
    raw = raw_table(table)
    names = list(map(str, raw.frame))
    unknown = table.unknown(names)
    if unknown:
        raise ConfigError(unknown)
    labels = labels_of(table, raw)
    features = _features(table, names, label=labels.rule.column)
    # Copies would make an identifier look like something that repeats itself.
    copies = raw.frame.duplicated()
    looked = raw.frame[~copies]
    first = [_first_look(table, raw, looked[name]) for name in features]
    wrong = [
        _misfit(table, raw, looked[each.name], guess)
        for each, guess in first
        if guess.misfit is not None
    ]
    if wrong:
        raise DataError("\n".join(wrong))
    columns, kept = _settled(table, raw, labels, [each for each, _ in first])
    _check_directions(table, columns)
    if not any(column.kind for column in columns):
        raise DataError(
            f"{raw.file.path}: expected at least one column to learn from, got none: "
            + "; ".join(f"{column.name!r}: {column.reason}" for column in columns)
        )
    rows = len(table.order(labels.classes[kept]))
    if rows < table.least_rows:
        raise DataError(
            f"{raw.file.path}: expected at least {table.least_rows} rows, got {rows} "
            "whose values are as needed"
        )
    pool = round(table.pool_share * rows)
    return GuessedTable(
        table=table,
        raw=raw,
        labels=labels,
        columns=tuple(columns),
        rows=rows,
        dropped=int((~kept).sum()),
        copies=int(copies.sum()),
        pool_share=table.pool_share,
        validation_rows=min(pool - 1, max(1, round(table.validation_share * rows))),
    )


def _features(table: Table, names: Sequence[str], *, label: str) -> list[str]:
    """The columns that may be inputs. Raises ConfigError for the label as weight."""
    if table.weight == label:
        raise ConfigError(
            f"data.weight: expected another column than the label's, got {label!r}"
        )
    return [name for name in names if name not in (table.weight, label)]


def _check_directions(table: Table, columns: Sequence[GuessedColumn]) -> None:
    """Raises ConfigError for directions of categories that have no order."""
    directed = {*table.increase, *table.decrease}
    mistakes = [
        f"data.{'increase' if column.name in table.increase else 'decrease'}: expected "
        f"columns with an order, got the category {column.name!r}; data.levels gives "
        f"it one, as in 'data.levels={{{column.name}: [low, middle, high]}}'"
        for column in columns
        if column.kind in CATEGORIES and column.name in directed
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _misfit(table: Table, raw: RawTable, column: pd.Series, guess: Guess) -> str:
    name, values = column.name, column.dropna()
    place = guess.misfit or 0
    row = int(values.index[place])
    where, got = f"{raw.where(row)}, column {name!r}", repr(values.iloc[place])
    if name in table.kinds:
        what = "a number" if guess.kind == "numeric" else "dates written in one way"
        return f"{where}: expected {what}, as data.kinds.{name} says, got {got}"
    return (
        f"{where}: expected a number as in nearly all other "
        f"rows, got {got}; data.missing_texts may have texts that "
        f"stand for no value, data.kinds.{name}=categorical takes all for a category"
    )


def _first_look(
    table: Table, raw: RawTable, values: pd.Series
) -> tuple[GuessedColumn, Guess]:
    """A column by its values alone; its levels need to know the pool."""
    name = str(values.name)
    there = values[values.notna()]
    missing = 1 - len(there) / len(values)
    plain = GuessedColumn(
        name=name,
        kind=None,
        reason="",
        levels=None,
        missing=missing,
        rule=None,
        values="",
    )
    given = table.kinds.get(name)
    if name in table.leave_out or given == "leave_out":
        guess = Guess(kind=None, reason="as you said")
    elif there.empty:
        guess = Guess(kind=None, reason="no values")
    elif missing > table.most_missing and given is None:
        guess = Guess(kind=None, reason=f"{missing:.0%} missing")
    elif given is not None:
        guess = held_against(there.infer_objects(), given, raw.notation)
    elif name in table.levels:
        guess = Guess(kind="ordered", reason="")
    else:
        guess = kind_of(there.infer_objects(), raw.notation, table.most_levels)
    kind = guess.kind
    if kind is None or guess.misfit is not None:
        return replace(plain, kind=None, reason=guess.reason), guess
    return (
        replace(
            plain,
            kind=kind,
            reason=guess.reason,
            rule=_rule(table, name, kind, missing),
            values=range_of(there.infer_objects(), kind, raw.notation),
        ),
        guess,
    )


def _rule(
    table: Table, name: str, kind: ColumnKind, missing: float
) -> MissingRule | None:
    if name in table.missing:
        return table.missing[name]
    if missing == 0:
        return None
    if kind in CATEGORIES:
        return "own_level"
    return "drop_rows" if missing <= table.drop_share else "median"


def _settled(
    table: Table, raw: RawTable, labels: Labels, columns: Sequence[GuessedColumn]
) -> tuple[list[GuessedColumn], np.ndarray]:
    """The columns with levels that the pool has, and the rows that are kept.

    What the pool lacks changes which rows are kept, and these the pool.
    """
    settled = list(columns)
    while True:
        kept = _kept(raw, labels, settled)
        pool = raw.frame.iloc[_pool(labels.classes, kept, table)]
        found = [in_pool(table, raw.frame[kept], pool, each) for each in settled]
        if [each.rule for each in found] == [each.rule for each in settled]:
            return found, kept
        settled = [
            replace(before, rule=after.rule) if after.kind is not None else after
            for before, after in zip(settled, found, strict=True)
        ]


def _kept(
    raw: RawTable, labels: Labels, columns: Sequence[GuessedColumn]
) -> np.ndarray:
    kept = labels.classes >= 0
    for column in columns:
        if column.kind is not None and column.rule == "drop_rows":
            kept &= raw.frame[column.name].notna().to_numpy()
    return kept


def _pool(classes: np.ndarray, kept: np.ndarray, table: Table) -> np.ndarray:
    """The rows of the file that will be for training and validation."""
    places = np.flatnonzero(kept)
    order = table.order(classes[places])
    return places[order[: round(table.pool_share * len(order))]]
