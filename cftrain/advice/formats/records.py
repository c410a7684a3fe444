"""Advice as a table with a line for each change."""

from collections.abc import Iterator
from typing import Any

from cftrain.advice.advice import Advice

KINDS: dict[str, type] = {
    "row": int,
    "decision": str,
    "decision_probability": float,
    "target": str,
    "answer": int,
    "probability": float,
    "firm": bool,
    "cost": float,
    "farther_than": float,
    "other_models": float,
    "under_noise": float,
    "column": str,
    "before": str,
    "after": str,
    "reason": str,
}
"""The columns, and what they hold unless it is nothing."""


def records(advice: Advice) -> Iterator[dict[str, Any]]:
    """Yields a record for each change of each answer, or one with the reason."""
    about = {
        **dict.fromkeys(KINDS),
        "row": advice.row,
        "decision": advice.decision,
        "decision_probability": advice.probability,
        "target": advice.target,
    }
    if not advice.answers:
        yield {**about, "reason": advice.reason}
    for number, answer in enumerate(advice.answers, start=1):
        numbers = {
            "answer": number,
            "probability": answer.probability,
            "firm": answer.firm,
            "cost": answer.cost,
            "farther_than": answer.farther_than,
            "other_models": answer.other_models,
            "under_noise": answer.under_noise,
        }
        for change in answer.changes:
            yield {
                **about,
                **numbers,
                "column": change.column,
                "before": str(change.before),
                "after": str(change.after),
            }
