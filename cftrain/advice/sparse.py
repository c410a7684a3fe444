"""Changes that turn out to be unnecessary are put back."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cftrain.advice.advisor import Advisor
from cftrain.data.relations.relations import Relations
from cftrain.data.told import Told
from cftrain.tensors import Features, Labels


def without_needless(
    advisor: Advisor,
    found: Told,
    factual: Told,
    target: Labels,
    relations: Relations | None,
) -> tuple[Told, Int[Tensor, " row"]]:
    """Returns counterfactuals with as many columns put back as can be, and how many.

    One after the other, from the smallest change on, while the row obeys the relations
    and keeps its class and, if it had it, the probability at which a search stops. (A
    greedy search: another set of columns may be smaller still.)
    """
    size = changes(advisor, found, factual)
    firm = advisor.judged(found.inputs, target).firm
    order = size.masked_fill(size == 0, torch.inf).argsort(1)
    inputs, back = found.inputs, torch.zeros_like(size, dtype=torch.bool)
    for place in range(size.shape[1]):
        column = order[:, place : place + 1]
        changed = size.gather(1, column)[:, 0] > 0
        if not changed.any():
            break
        chosen = torch.zeros_like(size, dtype=torch.bool).scatter(1, column, value=True)
        trial = torch.where(chosen[:, advisor.columns], factual.inputs, inputs)
        keeps = _keeps(advisor, trial, target, firm) & changed
        if relations is not None:
            put = found.with_columns(back | chosen, factual, advisor.columns)
            keeps &= advisor.obeying(put, relations)
        keeps = keeps.unsqueeze(1)
        inputs = torch.where(keeps, trial, inputs)
        back |= chosen & keeps
    return found.with_columns(back, factual, advisor.columns), back.sum(1)


def changes(advisor: Advisor, found: Told, factual: Told) -> Tensor:
    """Returns by how much each column moved: (row, column), L1 in model inputs."""
    moved = (found.inputs - factual.inputs).abs()
    size = moved.new_zeros(len(found), len(advisor.codec.columns))
    return size.index_add(1, advisor.columns, moved)


def _keeps(
    advisor: Advisor, trial: Features, target: Labels, firm: Bool[Tensor, " row"]
) -> Bool[Tensor, " row"]:
    judged = advisor.judged(trial, target)
    return judged.reached & (judged.firm | ~firm)
