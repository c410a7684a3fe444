"""Levels of categories as far as they are in the pool, rare ones as one of them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from cftrain.data.columns import CATEGORIES, levels_of
from cftrain.data.tables.guessing.columns import GuessedColumn
from cftrain.data.tables.guessing.table import Table

OTHER = "other"
"""The level of values that are too rare for one of their own."""


def in_pool(
    table: Table, rows: pd.DataFrame, pool: pd.DataFrame, column: GuessedColumn
) -> GuessedColumn:
    """Returns the column with levels that are in the pool; left out if it is constant
    there.
    """
    kind, name = column.kind, column.name
    if kind is None:
        return column
    values = pool[name]
    if values.nunique(dropna=column.rule != "own_level") < 2:
        return replace(
            column, kind=None, rule=None, reason="constant, but for test rows at most"
        )
    if kind not in CATEGORIES:
        wanted = table.levels.get(name)
        return replace(column, levels=tuple(map(str, wanted)) if wanted else None)
    if column.rule == "own_level" and rows[name].isna().any() > values.isna().any():
        return replace(column, rule="drop_rows")
    return _levelled(table, rows[name], values, column)


def _levelled(
    table: Table, every: pd.Series, pool: pd.Series, column: GuessedColumn
) -> GuessedColumn:
    """A category with its levels: rare ones are one where there are too many, and
    where the pool lacks some.
    """
    given = table.levels.get(column.name)
    if given:
        return replace(column, levels=tuple(map(str, given)))
    codes, found = levels_of(pool)
    counts = dict(zip(found, np.bincount(codes).tolist(), strict=True))
    unseen = set(levels_of(every)[1]) - set(found)
    by_text = sorted(found, key=lambda level: (isinstance(level, str), level))
    many = len(found) > table.most_levels or column.kind == "grouped"
    if not (many or unseen):
        return replace(column, levels=tuple(map(str, by_text)))
    frequent = sorted(found, key=lambda level: -counts[level])
    most = table.most_levels - 1 if many else len(found) - 1
    least = table.least_level_rows if many else 0
    kept = [level for level in frequent[:most] if counts[level] >= least]
    if not kept:
        return replace(
            column,
            kind=None,
            rule=None,
            reason=f"{len(found)} levels, none of them in {least} rows",
        )
    rest = len(found) + len(unseen) - len(kept)
    name = OTHER
    while name in map(str, kept):
        name = f"{name}_"
    levels = (*(str(level) for level in by_text if level in kept), name)
    return replace(
        column,
        kind="grouped",
        levels=levels,
        reason=f"{rest} rare levels are one, {name!r}",
    )
