"""The gradient of the loss by the logits, in closed form.

Terms that are no functions of a batch's logits, alignment and squared input gradients,
have no part in it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cftrain.counterfactuals.energy import (
    add_energy_slope,
    probabilities,
    shares_of_others,
)
from cftrain.counterfactuals.hyperparameters import counts
from cftrain.objectives.class_weights import class_shares
from cftrain.objectives.naming import PARTS
from cftrain.objectives.objective import ENERGIES, Objective
from cftrain.objectives.terms import logistic_divergence_slope, ridge_slope
from cftrain.tensors import Classes, Logits, PerCell, PerRow

OfRows = Float[Tensor, "stack row 1"]


@dataclass(frozen=True, kw_only=True)
class Coefficients:
    """What of a batch's loss is known before its logits z are.

    With class k of a row, its label or its target, and the softmax p, the slope is
    `share` * p + (`constant` + `square` * z_k) at k: cross-entropies have a share, and
    divergence and ridge of the published energies -z_k are a constant and a multiple.
    Smoothed labels take `evenly` from all classes.

    Other energies and divergences leave their `pairs` to be looked at besides.
    """

    place: Int[Tensor, "stack row 1"]
    share: OfRows
    constant: OfRows
    square: OfRows
    evenly: OfRows | None
    pairs: "Pairs | None"


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Positives, then counterfactuals, which stand at some `places` of a batch."""

    places: slice
    target: Int[Tensor, "stack tuple"]
    gap: Float[Tensor, "stack tuple"]
    ridge: Float[Tensor, "stack tuple"]
    margin: Float[Tensor, "stack tuple"]


def coefficients(
    objective: Objective,
    *,
    observed_label: Int[Tensor, "stack observed"],
    nascent_label: Int[Tensor, "stack tuple"],
    observed_weight: Float[Tensor, "stack observed"] | None,
    nascent_weight: Float[Tensor, "stack tuple"] | None,
    target: Int[Tensor, "stack tuple"],
    ridge_share: Float[Tensor, "stack tuple"],
    margin: Float[Tensor, "stack tuple"],
) -> Coefficients:
    """Returns what labels, targets and weights say of batches, as `Batch` has them."""
    weights = dict(
        zip(PARTS, objective.part_weights(margin).unsqueeze(-1), strict=True)
    )

    def shares(part: str, label: Classes, own: PerRow | None) -> PerRow:
        return weights[part] * class_shares(label, objective.by_class, own, like=margin)

    of_labelled = [shares("class_loss", observed_label, observed_weight)]
    if nascent_label.shape[1]:
        of_labelled.append(shares("adversarial_loss", nascent_label, nascent_weight))
    attacked = [observed_label] if counts(objective.attack_weight) else []
    of_attacked = [shares("attack_loss", each, observed_weight) for each in attacked]
    tuples, smoothing = target.shape[1], objective.label_smoothing
    gap = weights["divergence"] / max(1, tuples) + torch.zeros_like(margin)
    ridge = weights["ridge"] / max(1, tuples) * ridge_share
    pairs = slice(size := observed_label.shape[1] + tuples, size + 2 * tuples)
    none = torch.zeros_like(margin)
    share = torch.cat([*of_labelled, none, none, *of_attacked], 1)
    constant, square = -share * (1 - smoothing), torch.zeros_like(share)
    plain = objective.energy == "logit" and objective.divergence == "linear"
    if plain:
        constant[:, pairs] = torch.cat([-gap, gap], 1)
        square[:, pairs] = 2 * torch.cat([ridge, ridge], 1)
    place = [observed_label, nascent_label, target, target, *attacked]
    open_pairs = Pairs(places=pairs, target=target, gap=gap, ridge=ridge, margin=margin)
    return Coefficients(
        place=torch.cat(place, 1).unsqueeze(-1),
        share=share.unsqueeze(-1),
        constant=constant.unsqueeze(-1),
        square=square.unsqueeze(-1),
        evenly=(share * smoothing).unsqueeze(-1) if counts(smoothing) else None,
        pairs=None if plain or not tuples else open_pairs,
    )


def by_logits(
    objective: Objective, logits: Logits, known: Coefficients
) -> tuple[Logits, PerCell]:
    """Returns the gradient of each cell's total by its logits, which have no graph, and
    a number that is not finite where the total is not.
    """
    picked = logits.gather(-1, known.place)
    factor = torch.addcmul(known.constant, known.square, picked)
    slope = probabilities(logits).mul_(known.share)
    slope.scatter_add_(-1, known.place, factor)
    size = (factor * picked).sum((1, 2))
    if known.evenly is not None:
        slope -= known.evenly / logits.shape[-1]
    if known.pairs is None:
        return slope, size
    places = known.pairs.places
    found, energies = _of_pairs(objective, logits[:, places], known.pairs)
    slope[:, places] += found
    return slope, size + energies


def _of_pairs(
    objective: Objective, logits: Logits, known: Pairs
) -> tuple[Logits, PerCell]:
    """Returns the slope of pairs, and the sums of their squared energies."""
    target = torch.cat([known.target] * 2, 1)
    energies = ENERGIES[objective.energy](logits, target)
    positive, counterfactual = energies.chunk(2, 1)
    gap = known.gap
    if objective.divergence == "logistic":
        gap = gap * logistic_divergence_slope(positive, counterfactual, known.margin)
    by_positive = known.ridge * ridge_slope(positive) + gap
    by_counterfactual = known.ridge * ridge_slope(counterfactual) - gap
    by_energy = torch.cat([by_positive, by_counterfactual], 1)
    slope = torch.zeros_like(logits)
    if objective.energy == "log_odds":
        slope = shares_of_others(logits, target) * by_energy.unsqueeze(-1)
    return add_energy_slope(slope, target, by_energy), energies.square().sum(1)
