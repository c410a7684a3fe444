"""What a column holds, read off its values."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cftrain.data.columns import ColumnKind, listed
from cftrain.data.kinds.dates import FORMATS, days_of
from cftrain.data.tables.cleaning import MissingRule
from cftrain.data.tables.figures import Notation, numbers_in

MOSTLY = 0.9
"""Where so many values are numbers, the others are taken for mistakes."""

UNIQUE = 0.8
"""Texts of which so many are different are names of rows, or free text."""

FEW_ROWS = 20
"""With fewer rows, different values say little."""

SAMPLE = 200
"""Values that have to be dates before all are looked at."""

CALLED_ID = re.compile(r"(?:^|[\s_.-])(?:id|uuid|key|index|nr|no)$|^unnamed|^$|Id$|ID$")


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The kind of a column, or why it is left out; where its values do not fit, the
    first one that does not.
    """

    kind: ColumnKind | None
    reason: str
    misfit: int | None = None


@dataclass(frozen=True, kw_only=True)
class GuessedColumn:
    """A column as it is taken: without a kind it is left out, for the reason.

    `levels` are those of categories, in order. `values` is what it has, for people.
    """

    name: str
    kind: ColumnKind | None
    reason: str
    levels: tuple[str, ...] | None
    missing: float
    rule: MissingRule | None
    values: str


def kind_of(values: pd.Series, notation: Notation, most_levels: int) -> Guess:
    """Returns what a column of text, numbers or truth values holds.

    None of the values is missing, and there is at least one.
    """
    distinct = values.nunique()
    numbers = _numbers(values, notation)
    is_number = ~np.isnan(numbers)
    if values.dtype.kind == "b":
        return Guess(kind="categorical", reason="true or false")
    if is_number.all():
        return _of_numbers(str(values.name), numbers, distinct)
    if is_number.mean() >= MOSTLY and np.unique(numbers[is_number]).size > most_levels:
        return Guess(kind="numeric", reason="", misfit=int((~is_number).argmax()))
    dates = _date_kind(values)
    if dates is not None:
        return Guess(kind=dates, reason=f"dates like {values.iloc[0]}")
    if distinct > max(most_levels, UNIQUE * len(values)) and len(values) >= FEW_ROWS:
        return Guess(
            kind=None,
            reason=f"{distinct} different texts in {len(values)} rows: names of rows "
            "or free text",
        )
    return Guess(kind="categorical", reason="")


def held_against(values: pd.Series, kind: ColumnKind, notation: Notation) -> Guess:
    """Returns the kind that a column is said to have, with the first misfit."""
    wrong = np.zeros(len(values), dtype=np.bool_)
    if kind == "numeric":
        wrong = np.isnan(_numbers(values, notation))
    elif kind in FORMATS:
        days = (days_of(values, form) for form in FORMATS[kind])
        wrong = min((np.isnan(each) for each in days), key=lambda each: each.sum())
    misfit = int(wrong.argmax()) if wrong.any() else None
    return Guess(kind=kind, reason="", misfit=misfit)


def _of_numbers(name: str, numbers: np.ndarray, distinct: int) -> Guess:
    whole = np.array_equal(numbers, np.rint(numbers))
    if whole and distinct == len(numbers) >= FEW_ROWS:
        gapless = numbers.max() - numbers.min() == len(numbers) - 1
        if gapless or CALLED_ID.search(name):
            how = "one after the other" if gapless else "under such a name"
            return Guess(
                kind=None, reason=f"whole numbers, all different, {how}: an identifier"
            )
    if whole and distinct == 2:
        return Guess(kind="categorical", reason="two whole numbers")
    return Guess(kind="numeric", reason="whole numbers" if whole else "numbers")


def _numbers(values: pd.Series, notation: Notation) -> np.ndarray:
    if values.dtype.kind in "iufb":
        return values.to_numpy(dtype=np.float64)
    plain = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    if values.map(lambda value: isinstance(value, str)).all():
        return numbers_in(values, notation)
    return plain


def _date_kind(values: pd.Series) -> ColumnKind | None:
    """The kind of dates that all values are, written in one way; else None."""
    for kind, forms in FORMATS.items():
        for form in forms:
            if np.isnan(days_of(values[:SAMPLE], form)).any():
                continue
            if not np.isnan(days_of(values, form)).any():
                return kind  # type: ignore[return-value]
    return None


def range_of(values: pd.Series, kind: ColumnKind, notation: Notation) -> str:
    """Returns the values of a column, for people."""
    if kind == "numeric":
        numbers = _numbers(values, notation)
        return f"{numbers.min():.10g} to {numbers.max():.10g}"
    if kind in FORMATS:
        (_, days), *_ = sorted(
            ((form, days_of(values, form)) for form in FORMATS[kind]),
            key=lambda each: np.isnan(each[1]).sum(),
        )
        return f"{values.iloc[days.argmin()]} to {values.iloc[days.argmax()]}"
    return listed(sorted(map(str, values.unique())))
