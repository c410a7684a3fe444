"""What a person is told about a decision: raw units, and only what still holds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from cftrain.advice.advisor import Advisor
from cftrain.advice.answer import Answer, Change, Values, raw_values, told_answers
from cftrain.advice.answers import Answers, first_answers, other_answers
from cftrain.advice.cutoff import Cutoff
from cftrain.advice.reasons import reasons
from cftrain.advice.unusual import unusual
from cftrain.data.constraints import Constraints
from cftrain.data.told import Told
from cftrain.tensors import Labels

PORTION = 1000
"""Rows that are explained at a time: memory does not grow with their number."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """A decision and its valid answers; `reason` says why there is none.

    `notes` tell what is unusual about the given row; `group` is the one that it is
    counted with, if rows are grouped. The `probability` is that of the decision, which
    is not the larger one where a `cutoff` says otherwise. A row that is a file has its
    `name`.
    """

    row: int
    group: str | None
    given: Values
    notes: tuple[str, ...]
    decision: str
    probability: float
    target: str
    answers: tuple[Answer, ...]
    reason: str | None
    cutoff: Cutoff | None = None
    name: str | None = None


def advise(
    advisor: Advisor,
    factual: Told,
    *,
    target: int | None,
    count: int,
    first_row: int = 0,
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    domain: Constraints | None = None,
) -> Iterator[Advice]:
    """Yields the advice for each row, with up to `count` answers.

    Without a target it is the most probable class but the predicted one. Rows are
    counted on from `first_row`; `groups` has the group of each, `names` its name. What
    is outside the `domain` of the training is noted, if that is given, and what breaks
    a relation.
    """
    for places in torch.arange(len(factual)).split(PORTION):
        start = int(places[0])
        rows = factual.at(places)
        relations = advisor.constraints.relations
        notes = unusual(
            rows,
            advisor.codec,
            domain,
            relations,
            together=advisor.image is not None,
        )
        for advice in _portion(advisor, rows, target, count):
            own = tuple(notes.get(advice.row, ()))
            place = start + advice.row
            yield replace(
                advice,
                row=first_row + place,
                group=None if groups is None else groups[place],
                name=None if names is None else names[place],
                notes=own,
            )


def _portion(
    advisor: Advisor, factual: Told, target: int | None, count: int
) -> Iterator[Advice]:
    probability = advisor.probabilities(factual.inputs)
    decided = advisor.decided(probability)
    decision = decided.argmax(1)
    wanted = _targets(decided, target)
    found: list[Answers] = []
    for _ in range(count):
        found.append(
            other_answers(advisor, factual, wanted, found)
            if found
            else first_answers(advisor, factual, wanted)
        )
    why = reasons(advisor, factual, wanted, found)
    given = raw_values(factual.raw)
    told = [told_answers(advisor, answers, factual, given, wanted) for answers in found]
    for row, (own, goal) in enumerate(
        zip(decision.tolist(), wanted.tolist(), strict=True)
    ):
        answers = () if own == goal else _distinct(each[row] for each in told)
        yield Advice(
            row=row,
            group=None,
            given=given[row],
            notes=(),
            decision=advisor.class_names[own],
            probability=float(probability[row, own]),
            target=advisor.class_names[goal],
            answers=answers,
            reason=why.get(row),
            cutoff=advisor.cutoff,
        )


def _targets(probability: torch.Tensor, target: int | None) -> Labels:
    if target is not None:
        return torch.full((len(probability),), target)
    own = probability.argmax(1, keepdim=True)
    return probability.scatter(1, own, -1.0).argmax(1)


def _distinct(found: Iterable[Answer | None]) -> tuple[Answer, ...]:
    """The valid answers of a row, each once."""
    shown: dict[tuple[Change, ...], Answer] = {}
    for answer in found:
        if answer is not None:
            shown.setdefault(answer.changes, answer)
    return tuple(shown.values())
