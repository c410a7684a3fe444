"""Why a row has no answer."""

from collections.abc import Sequence

import torch

from cftrain.advice.advisor import Advisor
from cftrain.advice.answers import Answers, reached, releasing
from cftrain.data.told import Told
from cftrain.tensors import Labels


def reasons(
    advisor: Advisor, factual: Told, target: Labels, found: Sequence[Answers]
) -> dict[int, str]:
    """Returns, by row, why there is no valid answer; rows with one are left out."""
    start = advisor.judged(factual.inputs, target)
    answered = torch.stack([answers.valid for answers in found]).any(0)
    best = torch.stack([answers.probability for answers in found]).amax(0)
    told = dict.fromkeys(start.reached.nonzero()[:, 0].tolist(), "already there")
    lost = (~answered & ~start.reached).nonzero()[:, 0]
    keys = _keys(advisor, factual.at(lost), target[lost])
    for row, unlocking in zip(lost.tolist(), keys, strict=True):
        steps = advisor.search.descent.max_steps
        told[row] = (
            f"not reached in {steps} steps: the probability went from "
            f"{float(start.probability[row]):.2f} to {float(best[row]):.2f}"
        )
        if advisor.cutoff is not None:
            needed = advisor.cutoff.needed(advisor.class_names[int(target[row])])
            told[row] += f", and {needed:g} is needed"
        if unlocking:
            told[row] += f"; it would be if {' or '.join(unlocking)} could move freely"
    return told


def _keys(advisor: Advisor, factual: Told, target: Labels) -> list[list[str]]:
    """For each row the protected columns of which a single one, left free, would give
    an answer.
    """
    found: list[list[str]] = [[] for _ in range(len(factual))]
    if not found:
        return found
    for place, (name, inputs) in enumerate(advisor.codec.inputs.items()):
        if not advisor.constraints.protected[list(inputs)].any():
            continue
        free = reached(advisor, factual, target, releasing(advisor, place))
        for row in free.nonzero()[:, 0].tolist():
            found[row].append(name)
    return found
