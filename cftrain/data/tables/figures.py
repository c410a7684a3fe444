"""Numbers as people write them: a decimal comma, thousands that are set apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Decimal = Literal[".", ","]
Thousands = Literal[".", ",", " ", "'"]

DECIMALS: tuple[Decimal, ...] = (".", ",")
THOUSANDS: dict[Decimal, tuple[Thousands, ...]] = {
    ".": (",", " ", "'"),
    ",": (".", " ", "'"),
}


@dataclass(frozen=True, kw_only=True)
class Notation:
    """The signs of numbers: what is before the decimals, and between thousands."""

    decimal: Decimal
    thousands: Thousands | None

    @property
    def pattern(self) -> str:
        whole = r"\d+"
        if self.thousands is not None:
            whole = rf"(?:\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+|\d+)"
        point = re.escape(self.decimal)
        return rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?"


def numbers_in(texts: pd.Series, notation: Notation) -> np.ndarray:
    """Returns the numbers that texts stand for, NaN for all others."""
    whole = texts.astype(object).where(texts.notna(), "")
    plain = pd.Series(whole, dtype=str)
    fits = plain.str.fullmatch(notation.pattern).to_numpy(dtype=bool)
    if notation.thousands is not None:
        plain = plain.str.replace(notation.thousands, "", regex=False)
    if notation.decimal != ".":
        plain = plain.str.replace(notation.decimal, ".", regex=False)
    numbers = pd.to_numeric(plain.where(fits), errors="coerce")
    return numbers.to_numpy(dtype=np.float64)


def notation_of(
    columns: Sequence[pd.Series],
    decimal: Decimal | None = None,
    first: Notation | None = None,
) -> Notation:
    """Returns the notation that makes most cells numbers; of equals `first`, or else
    the plainest.
    """
    points = [point for point in DECIMALS if decimal in (None, point)]
    candidates = [] if first is None else [first]
    candidates += [Notation(decimal=point, thousands=None) for point in points]
    candidates += [
        Notation(decimal=point, thousands=sign)
        for point in points
        for sign in THOUSANDS[point]
    ]
    seen = [column[column.str.contains(r"\d", na=False)] for column in columns]
    # The first of equal ones: a notation with thousands has to explain more cells.
    return max(
        candidates,
        key=lambda notation: sum(
            int((~np.isnan(numbers_in(part, notation))).sum()) for part in seen
        ),
    )
