"""How well an answer is supported: by observed rows, by other models, under noise."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain.advice.advisor import Advisor
from cftrain.advice.answers import Answers
from cftrain.data.told import Told
from cftrain.evaluation.reference import Reference, ReferenceClass
from cftrain.models.stack_slicing import predict
from cftrain.seeding import Stream
from cftrain.tensors import Features, Labels

NOISE = 0.05
"""Standard deviation of the noise on numeric inputs; these have one of about 1."""

NOISE_DRAWS = 100
NEAREST_ROWS = 2048
"""Rows of a class among which the nearest one is sought."""


@dataclass(frozen=True, kw_only=True)
class Plausibility:
    """For each answer: the mean `distance` to the observed rows of its target; the
    share of these rows that are nearer to their class than that (`farther_than`, a
    percentile of plausibility); `nearest`, the place of the nearest observed row.
    """

    distance: Float[Tensor, " row"]
    farther_than: Float[Tensor, " row"]
    nearest: Int[Tensor, " row"]


@dataclass(frozen=True, kw_only=True)
class Support:
    """For each answer: `cost`, the L1 distance to its factual in model inputs; how near
    it is to observed rows (None without such); the share of other seeds' models (None
    without such) and of noisy copies for which it is still valid.
    """

    cost: Float[Tensor, " row"]
    plausibility: Plausibility | None
    other_models: Float[Tensor, " row"] | None
    under_noise: Float[Tensor, " row"]


def support(
    advisor: Advisor, answers: Answers, factual: Told, target: Labels
) -> Support:
    """Returns what speaks for each answer, whether it is valid or not."""
    inputs = answers.rows.inputs
    reference = advisor.reference
    return Support(
        cost=(inputs - factual.inputs).abs().sum(1),
        plausibility=None if reference is None else _near(reference, inputs, target),
        other_models=_agreeing(advisor, inputs, target),
        under_noise=_steady(advisor, inputs, target),
    )


def _near(reference: Reference, inputs: Features, target: Labels) -> Plausibility:
    distance = torch.zeros(len(inputs), dtype=torch.float64)
    share, nearest = torch.zeros_like(distance), torch.zeros_like(target)
    for label in target.unique().tolist():
        chosen = target == label
        members = reference.of(label)
        own = members.once(_own_distances)
        distance[chosen] = members.mean_distance(inputs[chosen])
        share[chosen] = torch.searchsorted(own, distance[chosen]).double() / len(own)
        nearest[chosen] = _nearest(reference, inputs[chosen], label)
    return Plausibility(distance=distance, farther_than=share, nearest=nearest)


def _own_distances(members: ReferenceClass) -> Tensor:
    """What the rows of a class score themselves, sorted."""
    return members.mean_distance(members.rows).sort().values


def _nearest(reference: Reference, inputs: Features, label: int) -> Tensor:
    """The place, among training and validation rows, of the nearest row by L1."""
    places = (reference.labels == label).nonzero()[:, 0][:NEAREST_ROWS]
    near = torch.cdist(inputs, reference.features[places], p=1).argmin(1)
    return places[near]


def _agreeing(advisor: Advisor, inputs: Features, target: Labels) -> Tensor | None:
    others = advisor.others_deciding
    if others is None:
        return None
    predicted = predict(others, inputs.unsqueeze(0))
    return (predicted == target).float().mean(0)


def _steady(advisor: Advisor, inputs: Features, target: Labels) -> Tensor:
    """The share of noisy copies with the target's class; categories get no noise.

    Every row gets the same noise, so that it does not depend on its neighbours.
    """
    numeric = torch.ones(inputs.shape[1])
    numeric[[place for group in advisor.constraints.groups for place in group]] = 0
    generator = Stream(0).child("advice", "noise").generator()
    noise = (
        NOISE * numeric * torch.randn(NOISE_DRAWS, len(numeric), generator=generator)
    )
    steady = torch.zeros(len(inputs))
    for draw in noise:
        steady += advisor.judged(inputs + draw, target).reached
    return steady / NOISE_DRAWS
