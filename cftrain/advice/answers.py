"""Counterfactuals of given rows, told in raw units and judged again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cftrain.advice.advisor import Advisor
from cftrain.advice.sparse import changes, without_needless
from cftrain.data.constraints import Constraints
from cftrain.data.told import Told, told
from cftrain.tensors import Labels

TOLERANCE = 1e-6
"""Of model inputs, as in `Constraints.violations`."""

Held = frozenset[int]
"""Places of columns that may not move."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A counterfactual for each row, as printed, and what the model says of just that.

    `valid` rows are decided as their target and break no constraint, `firm` ones have
    the probability at which a search stops as well. `put_back` counts columns.
    """

    rows: Told
    probability: Float[Tensor, " row"]
    valid: Bool[Tensor, " row"]
    firm: Bool[Tensor, " row"]
    put_back: Int[Tensor, " row"]


def first_answers(advisor: Advisor, factual: Told, target: Labels) -> Answers:
    """Returns what the search finds for every row."""
    return _answers(advisor, factual, target, advisor.constraints)


def other_answers(
    advisor: Advisor, factual: Told, target: Labels, before: Sequence[Answers]
) -> Answers:
    """Returns answers that do without the largest change of each answer before, of
    images without the part that changes most.

    So people get alternatives that ask for something else.
    """
    held: list[frozenset[int]] = [frozenset()] * len(factual)
    for answers in before:
        size = _by_part(advisor, changes(advisor, answers.rows, factual))
        largest = size.argmax(1).tolist()
        moved = (size.amax(1) > 0).tolist()
        held = [
            parts | {part} if any_moved else parts
            for parts, part, any_moved in zip(held, largest, moved, strict=True)
        ]
    rows_of = defaultdict(list)
    for row, parts in enumerate(held):
        rows_of[parts].append(row)
    found = []
    for parts, rows in rows_of.items():
        index = torch.tensor(rows)
        columns = torch.isin(advisor.parts, torch.tensor(sorted(parts)))
        limits = holding(advisor, frozenset(columns.nonzero()[:, 0].tolist()))
        found.append(_answers(advisor, factual.at(index), target[index], limits))
    places = torch.tensor([row for rows in rows_of.values() for row in rows])
    return _ordered(found, places.argsort())


def _by_part(advisor: Advisor, size: Tensor) -> Tensor:
    """Sizes (row, column) of changes, summed over the columns of each part."""
    summed = size.new_zeros(len(size), int(advisor.parts.max()) + 1)
    return summed.index_add(1, advisor.parts, size)


def holding(advisor: Advisor, columns: Held) -> Constraints:
    """Returns the constraints with some columns immutable."""
    still = torch.isin(advisor.columns, torch.tensor(sorted(columns)))
    limits = advisor.constraints
    return replace(
        limits,
        may_increase=limits.may_increase & ~still,
        may_decrease=limits.may_decrease & ~still,
    )


def releasing(advisor: Advisor, columns: Held) -> Constraints:
    """Returns the constraints with some columns free to move."""
    free = torch.isin(advisor.columns, torch.tensor(sorted(columns)))
    limits = advisor.constraints
    return replace(
        limits,
        may_increase=limits.may_increase | free,
        may_decrease=limits.may_decrease | free,
    )


def ignoring(advisor: Advisor, relation: int) -> Constraints:
    """Returns the constraints without one of the relations."""
    limits = advisor.constraints
    if limits.relations is None:
        return limits
    return replace(limits, relations=limits.relations.without(relation))


def reached(
    advisor: Advisor, factual: Told, target: Labels, limits: Constraints
) -> Bool[Tensor, " row"]:
    """Returns for which rows there is a valid answer within other constraints."""
    return _answers(advisor, factual, target, limits).valid


def _answers(
    advisor: Advisor, factual: Told, target: Labels, limits: Constraints
) -> Answers:
    found = advisor.search(
        advisor.deciding,
        factual.inputs.unsqueeze(0),
        target.unsqueeze(0),
        constraints=limits,
    )
    rows = told(found.counterfactual[0], factual, advisor.codec, limits)
    put_back = torch.zeros(len(rows), dtype=torch.int64)
    if advisor.sparse:
        rows, put_back = without_needless(
            advisor, rows, factual, target, limits.relations
        )
    judged = advisor.judged(rows.inputs, target)
    valid = judged.reached & ~_broken(rows, factual, limits)
    valid &= advisor.obeying(rows, limits.relations)
    return Answers(
        rows=rows,
        probability=judged.probability,
        valid=valid,
        firm=valid & judged.firm,
        put_back=put_back,
    )


def _broken(rows: Told, factual: Told, limits: Constraints) -> Bool[Tensor, " row"]:
    """Which answers leave the domain, or move what must stay, by what they change.

    A row may start outside the domain: nothing is asked of it by staying there, but
    what it changes has to be inside. It may not start outside a relation and stay
    there, which is judged in raw units.
    """
    start, end = factual.inputs.unsqueeze(0), rows.inputs.unsqueeze(0)
    stays = end == start
    asked = torch.where(stays, limits.clamp(start, start), end)
    moved_inside = torch.where(stays, end, end.clamp(limits.lower, limits.upper))
    outside = ((end - moved_inside).abs() > TOLERANCE).any(-1)
    broken = replace(limits, relations=None).violations(
        asked, start, tolerance=TOLERANCE
    )
    return (broken | outside)[0]


def _ordered(parts: Sequence[Answers], order: Tensor) -> Answers:
    """Returns parts one after the other, then in another order."""
    raw = pd.concat([part.rows.raw for part in parts], ignore_index=True)
    inputs = torch.cat([part.rows.inputs for part in parts])
    joined = {
        name: torch.cat([getattr(part, name) for part in parts])[order]
        for name in ("probability", "valid", "firm", "put_back")
    }
    return Answers(rows=Told(raw=raw, inputs=inputs).at(order), **joined)
