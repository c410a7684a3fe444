"""Which column has the classes, and which these are."""

from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from cftrain.data.columns import levels_of, listed
from cftrain.data.tables.figures import numbers_in
from cftrain.data.tables.guessing.raw import RawTable
from cftrain.data.tables.guessing.table import Table
from cftrain.data.tables.labels import ByThreshold, ByValue, LabelRule
from cftrain.errors import DataError

USUAL = ("label", "target", "class", "y", "outcome")
MOST_CLASSES = 30


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The rule of the label, and the class of every row, -1 where it is missing."""

    rule: LabelRule
    classes: np.ndarray

    @property
    def shown(self) -> str:
        counts = np.bincount(self.classes[self.classes >= 0])
        pairs = zip(self.rule.names, counts, strict=True)
        return ", ".join(f"{name} ({count})" for name, count in pairs)


def labels_of(table: Table, raw: RawTable) -> Labels:
    """Returns the label's rule and what it says of every row. Raises DataError."""
    name = table.label if table.label is not None else _guessed(raw)
    where = f"{raw.file.path}, column {name!r}"
    if name not in raw.frame:
        close = get_close_matches(name, list(map(str, raw.frame)), n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise DataError(
            f"data.label: expected a column of {raw.file.path} "
            f"({listed(list(raw.frame))}), got {name!r}{hint}"
        )
    values = raw.frame[name]
    there = values.notna().to_numpy()
    if not there.any():
        raise DataError(f"{where}: expected labels, got none")
    numbers = np.full(len(values), np.nan)
    if values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=np.float64)
    elif raw.form is not None:
        numbers = numbers_in(values, raw.notation)
    numeric = not np.isnan(numbers[there]).any()
    given = pd.Series(numbers, name=name) if numeric else values
    rule = _rule(table, name, where, given[there], numeric=numeric)
    classes = np.full(len(values), -1)
    classes[there] = rule.labels(given[there])
    _check_counts(where, rule, classes[there], table.least_class_rows)
    return Labels(rule=rule, classes=classes)


def _rule(
    table: Table, name: str, where: str, values: pd.Series, *, numeric: bool
) -> LabelRule:
    if table.label_threshold is not None:
        if not numeric:
            raise DataError(
                f"{where}: expected numbers, as data.label_threshold is "
                f"{table.label_threshold:g}, got texts such as {values.iloc[0]!r}"
            )
        return ByThreshold(column=name, threshold=table.label_threshold)
    found = sorted(
        levels_of(values)[1], key=lambda level: (isinstance(level, str), level)
    )
    if table.classes is None and len(found) > MOST_CLASSES:
        raise DataError(
            f"{where}: expected at most {MOST_CLASSES} classes, got {len(found)} "
            f"different values such as {listed(found[:3])}; with numbers, "
            "data.label_threshold=... makes class 1 of the rows with at least that "
            "number"
        )
    return ByValue(column=name, values=table.classes or tuple(map(str, found)))


def _check_counts(where: str, rule: LabelRule, classes: np.ndarray, least: int) -> None:
    counts = np.bincount(classes, minlength=rule.classes)
    if (counts > 0).sum() < 2:
        raise DataError(
            f"{where}: expected at least 2 classes, got "
            f"{rule.names[int(counts.argmax())]!r} in all {len(classes)} rows"
        )
    few = [
        f"{count} of {name!r}"
        for name, count in zip(rule.names, counts, strict=True)
        if count < least
    ]
    if few:
        raise DataError(
            f"{where}: expected at least {least} rows of every class, got only "
            f"{', '.join(few)}"
        )


def _guessed(raw: RawTable) -> str:
    """A column with a usual name, else the last one."""
    names = list(map(str, raw.frame))
    usual = [name for name in names if name.lower() in USUAL]
    return usual[0] if usual else names[-1]
