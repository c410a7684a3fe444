"""Dates as days since 1970, written back as they were."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cftrain.data.kinds.column import ScaledColumn
from cftrain.errors import DataError

DAY = np.timedelta64(1, "D")
FIRST = np.datetime64("1970-01-01")
SECONDS = 24 * 60 * 60

TIMES = ("", "T%H:%M:%S", " %H:%M:%S", " %H:%M")
DATES = {
    "date": ("%Y-%m-%d", "%Y/%m/%d"),
    "date_day_first": ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"),
    "date_month_first": ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y"),
}
FORMATS = {
    kind: tuple(date + time for date in dates for time in TIMES)
    for kind, dates in DATES.items()
}
"""How dates of each kind may be written; all of a column are written in one way."""


@dataclass(frozen=True, kw_only=True)
class DateColumn(ScaledColumn):
    """Dates, which are told in whole days unless the pool has times of the day."""

    format: str

    def measured(self, values: pd.Series) -> np.ndarray:
        days = days_of(values, self.format)
        if np.isnan(days).any():
            place = int(np.isnan(days).argmax())
            raise DataError(
                f"column {self.name!r}: expected dates like {self.written_now}, got "
                f"{values.iloc[place]!r} in row {values.index[place]} (counted from 0)"
            )
        return days

    @property
    def written_now(self) -> str:
        """Returns the first day of 2025 as this column has it."""
        return pd.Timestamp("2025-01-31 14:30").strftime(self.format)

    def written(self, measures: np.ndarray) -> np.ndarray:
        seconds = np.rint(measures * SECONDS).astype("timedelta64[s]")
        dates = pd.Series(FIRST.astype("datetime64[s]") + seconds)
        texts: np.ndarray = dates.dt.strftime(self.format).to_numpy(dtype=object)
        return texts

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "date", **self.__dict__}


def days_of(values: pd.Series, form: str) -> np.ndarray:
    """Returns days since 1970, NaN for what is not written in this form."""
    texts = values.astype(object).where(values.notna(), None)
    dates = pd.to_datetime(texts, format=form, errors="coerce")
    days: np.ndarray = (dates.to_numpy(dtype="datetime64[s]") - FIRST) / DAY
    return days


def fit_date(values: pd.Series, kind: str) -> tuple[str, np.ndarray]:
    """Returns how the dates are written, and their days. Raises DataError."""
    closest = min(
        ((form, days_of(values, form)) for form in FORMATS[kind]),
        key=lambda each: int(np.isnan(each[1]).sum()),
    )
    form, days = closest
    if np.isnan(days).any():
        place = int(np.isnan(days).argmax())
        raise DataError(
            f"column {values.name!r}: expected dates that are all written in one way, "
            f"such as {form}, got {values.iloc[place]!r} in row {values.index[place]} "
            "(counted from 0)"
        )
    return form, days
