"""An answer as people read it: what changes, and what speaks for it."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cftrain.advice.advisor import Advisor
from cftrain.advice.answers import Answers
from cftrain.advice.support import Plausibility, support
from cftrain.data.columns import NumericColumn
from cftrain.data.encoding import Codec
from cftrain.data.told import Told
from cftrain.tensors import Features, Labels

Values = dict[str, Any]
"""A raw row by its columns."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A column that would have to be another one; numbers have a difference, `by`."""

    column: str
    before: Any
    after: Any
    by: float | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A counterfactual as printed; `probability` is that of the target.

    See `cftrain.advice.support.Support` for the numbers below it. Where no observed
    rows are stored there is neither `farther_than` nor `nearest`.
    """

    changes: tuple[Change, ...]
    probability: float
    firm: bool
    put_back: int
    cost: float
    farther_than: float | None
    nearest: Values | None
    other_models: float | None
    under_noise: float


def told_answers(
    advisor: Advisor,
    answers: Answers,
    factual: Told,
    given: Sequence[Values],
    target: Labels,
) -> list[Answer | None]:
    """Returns an answer for each row, None where it is not valid."""
    evidence = support(advisor, answers, factual, target)
    near, others = evidence.plausibility, evidence.other_models
    missing = [None] * len(given)
    columns = {
        "probability": answers.probability.tolist(),
        "firm": answers.firm.tolist(),
        "put_back": answers.put_back.tolist(),
        "cost": evidence.cost.tolist(),
        "farther_than": missing if near is None else near.farther_than.tolist(),
        "nearest": missing if near is None else _nearest(advisor, near),
        "other_models": missing if others is None else others.tolist(),
        "under_noise": evidence.under_noise.tolist(),
    }
    numeric = {
        column.name
        for column in advisor.codec.columns
        if isinstance(column.scale, NumericColumn)
    }
    after = raw_values(answers.rows.raw)
    told: list[Answer | None] = []
    for row, values in enumerate(zip(*columns.values(), strict=True)):
        changes = _changes(given[row], after[row], numeric)
        answer = Answer(changes=changes, **dict(zip(columns, values, strict=True)))
        told.append(answer if answers.valid[row] else None)
    return told


def _nearest(advisor: Advisor, near: Plausibility) -> list[Values]:
    if advisor.reference is None:
        raise ValueError("expected observed rows, since some are near")
    observed = advisor.reference.features[near.nearest]
    raw = observed_raw(observed, advisor.codec, pixels=advisor.image is not None)
    return raw_values(raw)


def observed_raw(features: Features, codec: Codec, *, pixels: bool) -> pd.DataFrame:
    """Returns the raw rows of observed inputs (row, feature).

    Pixels are whole, but only nearly so where the codec did not scale them.
    """
    raw = codec.decode(features)
    return raw.round() if pixels else raw


def _changes(
    before: Values, after: Values, numeric: Collection[str]
) -> tuple[Change, ...]:
    return tuple(
        Change(
            column=name,
            before=value,
            after=after[name],
            by=_difference(value, after[name]) if name in numeric else None,
        )
        for name, value in before.items()
        if value != after[name]
    )


def _difference(before: Any, after: Any) -> float | None:
    """Without the digits that come from binary fractions: 0.3 - 0.1 is 0.2.

    None where a value is missing.
    """
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return None
    difference = after - before
    return difference if isinstance(difference, int) else float(f"{difference:.10g}")


def raw_values(raw: pd.DataFrame) -> list[Values]:
    """Returns raw rows as plain Python values, whole numbers as such."""
    columns = [[_plain(value) for value in raw[name].tolist()] for name in raw]
    names = list(raw)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(value: Any) -> Any:
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float) and math.isnan(number):
        return None
    return int(number) if isinstance(number, float) and number.is_integer() else number
