"""Values, changes and shares as people read them, on a terminal and on a page."""

import math
from typing import Any

from cftrain.advice.answer import Change
from cftrain.advice.cutoff import Cutoff

NO_VALUE = "(missing)"

NEARLY = 0.001
"""A probability that is told as less than one percent."""


def cutoff_text(cutoff: Cutoff | None) -> str:
    """Returns what follows a probability: nothing where the larger one decides."""
    return "" if cutoff is None else f"; {cutoff}"


def value_text(value: Any) -> str:
    """Returns a raw value without needless digits, but exactly: what is printed is what
    was judged.
    """
    if value is None:
        return NO_VALUE
    if not isinstance(value, float):
        return str(value)
    short = f"{value:.10g}"
    return short if float(short) == value else repr(value)


def difference_text(change: Change) -> str:
    """Returns by how much a number changes, with its sign; nothing for levels."""
    return "" if change.by is None else signed_text(change.by)


def signed_text(value: float) -> str:
    """Returns a number with its sign."""
    number = int(value) if value == int(value) else f"{value:.10g}"
    return f"{'+' if value > 0 else ''}{number}"


def probability_text(probability: float) -> str:
    """Returns a model's probability in percent, never 0 or 100: no model is certain,
    even where the digits of a computer end.
    """
    return share_text(min(max(probability, NEARLY), 1 - NEARLY))


def least_probability_text(probability: float) -> str:
    """Returns a probability as one that was not enough: in whole percent, not more than
    it is.
    """
    return probability_text(math.floor(100 * probability) / 100)


def share_text(share: float) -> str:
    """Returns a share in percent, never 0 or 100 for what is only nearly so."""
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{share:.0%}"
