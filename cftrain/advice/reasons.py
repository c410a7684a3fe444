"""Why a row has no answer."""

from collections.abc import Mapping, Sequence

import torch

from cftrain.advice.advisor import Advisor
from cftrain.advice.answers import Answers, ignoring, reached, releasing
from cftrain.advice.wording import least_probability_text, probability_text
from cftrain.data.constraints import Constraints
from cftrain.data.relations.rows import breaches
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
    rows, goals = factual.at(lost), target[lost]
    keys = _keys(advisor, rows, goals)
    in_the_way = _in_the_way(advisor, rows, goals)
    in_breach = _in_breach(advisor, lost, goals, found)
    for place, row in enumerate(lost.tolist()):
        told[row] = in_breach.get(place) or _not_reached(
            advisor, float(start.probability[row]), float(best[row]), int(target[row])
        )
        if keys[place]:
            free = " or ".join(keys[place])
            told[row] += f"; it would be if {free} could move freely"
        if in_the_way[place]:
            told[row] += f"; it would have to break {' or '.join(in_the_way[place])}"
    return told


def _not_reached(advisor: Advisor, start: float, best: float, target: int) -> str:
    """How near the search came, and to what."""
    steps = advisor.search.descent.max_steps
    reached = f"{probability_text(start)} to {least_probability_text(best)}"
    went = f"the probability went from {reached}"
    text = f"not reached in {steps} steps: {went}"
    if advisor.cutoff is None:
        return text
    needed = advisor.cutoff.needed(advisor.class_names[target])
    return f"{text}, and {100 * needed:.6g}% is needed"


def _keys(advisor: Advisor, factual: Told, target: Labels) -> list[list[str]]:
    """For each row the protected columns of which a single one, left free, would give
    an answer; of images, all of them together.
    """
    held = {
        name: frozenset([place])
        for place, (name, inputs) in enumerate(advisor.codec.inputs.items())
        if advisor.constraints.protected[list(inputs)].any()
    }
    if advisor.image is not None and held:
        held = {"the pixels that are held": frozenset().union(*held.values())}
    limits = {name: releasing(advisor, places) for name, places in held.items()}
    return _unlocking(advisor, factual, target, limits)


def _in_the_way(advisor: Advisor, factual: Told, target: Labels) -> list[list[str]]:
    """For each row the relations without a single one of which it has an answer."""
    relations = advisor.constraints.relations
    declared = () if relations is None else relations.declared
    limits = {
        relation.text: ignoring(advisor, place)
        for place, relation in enumerate(declared)
    }
    return _unlocking(advisor, factual, target, limits)


def _unlocking(
    advisor: Advisor, factual: Told, target: Labels, limits: Mapping[str, Constraints]
) -> list[list[str]]:
    """For each row the names of those looser constraints that give it an answer."""
    found: list[list[str]] = [[] for _ in range(len(factual))]
    if not found:
        return found
    for name, looser in limits.items():
        free = reached(advisor, factual, target, looser)
        for row in free.nonzero()[:, 0].tolist():
            found[row].append(name)
    return found


def _in_breach(
    advisor: Advisor, lost: Labels, target: Labels, found: Sequence[Answers]
) -> dict[int, str]:
    """What to say of rows that reach their target only by breaking a relation."""
    told: dict[int, str] = {}
    for answers in found:
        rows = answers.rows.at(lost)
        there = advisor.judged(rows.inputs, target).reached
        broken = breaches(rows.raw, advisor.constraints.relations, advisor.codec)
        for row, texts in broken.items():
            if there[row]:
                text = " and ".join(texts)
                told.setdefault(row, f"none was found that obeys {text}")
    return told
