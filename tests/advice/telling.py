"""Advice that was never searched for, as what is told of it is tested with."""

from typing import Any

from cftrain.advice.advice import Advice
from cftrain.advice.answer import Answer, Change


def change(column: str, before: Any, after: Any) -> Change:
    by = None if isinstance(before, str) else after - before
    return Change(column=column, before=before, after=after, by=by)


def answer(
    *changes: Change, cost: float = 1.5, firm: bool = True, probability: float = 0.8
) -> Answer:
    return Answer(
        changes=changes,
        probability=probability,
        firm=firm,
        put_back=0,
        cost=cost,
        farther_than=0.25,
        nearest={"job": "clerk"},
        other_models=None,
        under_noise=1.0,
    )


def advice(
    *changes: Change,
    row: int = 3,
    reason: str | None = None,
    decision: str = "no",
    cost: float = 1.5,
    notes: tuple[str, ...] = (),
    group: str | None = None,
    probability: float = 0.9,
) -> Advice:
    """One answer with these changes and the row's probability, or none."""
    answers = (answer(*changes, cost=cost, probability=probability),)
    return Advice(
        row=row,
        group=group,
        given={"job": "=1+1", "debt": -5},
        notes=notes,
        decision=decision,
        probability=probability,
        target="yes",
        answers=answers if changes else (),
        reason=reason,
    )
