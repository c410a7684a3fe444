"""Energy of a row for a class. The sign of energy lives in this file only."""

import torch
from torch import Tensor

from cftrain.tensors import Classes, Logits, PerRow


def target_logit(logits: Logits, target: Classes) -> PerRow:
    return logits.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def energy(logits: Logits, target: Classes) -> PerRow:
    """Returns minus the logit of the target class (paper, below Eq. 2)."""
    return -target_logit(logits, target)


def add_energy_slope(slope: Logits, target: Classes, factor: PerRow) -> Logits:
    """Adds the gradient of factor * energy by the logits to a slope, in place."""
    return slope.scatter_add_(-1, target.unsqueeze(-1), -factor.unsqueeze(-1))


def log_odds_energy(logits: Logits, target: Classes) -> PerRow:
    """Returns minus the log-odds of the target class against all the others.

    It does not change if a number is added to all logits, as the classes do not.
    """
    others = logits.scatter(-1, target.unsqueeze(-1), -torch.inf)
    return others.logsumexp(-1) - target_logit(logits, target)


GUIDING_SHARE = 0.25
"""Of the target logit in `guidance`, beside the log-odds."""


def guidance(logits: Logits, target: Classes) -> PerRow:
    """Returns what searches climb: log-odds of the target, and a share of its logit.

    The cross-entropy has the direction of the log-odds, but no length where the model
    is sure; the logit is what ECCo's constraint adds.
    """
    share = GUIDING_SHARE * energy(logits, target)
    return -(log_odds_energy(logits, target) + share)


def guidance_slope(logits: Logits, target: Classes) -> Logits:
    """Returns the gradient of each row's guidance by its logits."""
    slope = -shares_of_others(logits, target)
    share = torch.full_like(slope[..., 0], -1 - GUIDING_SHARE)
    return add_energy_slope(slope, target, share)


def guidance_curvature(logits: Logits, target: Classes, direction: Logits) -> Logits:
    """Returns how that gradient changes in a direction: the Hessian times it."""
    return -_softmax_change(shares_of_others(logits, target), direction)


def cross_entropy(logits: Logits, label: Classes) -> PerRow:
    """Returns the softmax cross-entropy of each row."""
    # Classes first: a softmax over a short last axis takes ten times as long.
    rows: Tensor = torch.nn.functional.cross_entropy(logits.mT, label, reduction="none")
    return rows


def cross_entropy_slope(logits: Logits, label: Classes) -> Logits:
    """Returns the gradient of each row's cross-entropy by its logits."""
    slope = probabilities(logits)
    return add_energy_slope(slope, label, torch.ones_like(slope[..., 0]))


def cross_entropy_curvature(
    logits: Logits, label: Classes, direction: Logits
) -> Logits:
    """Returns how that gradient changes in a direction: the Hessian times it."""
    return _softmax_change(probabilities(logits), direction)


def probabilities(logits: Logits) -> Logits:
    """Returns the softmax probabilities of all classes."""
    # Classes first, as above.
    return logits.mT.softmax(1).mT


def shares_of_others(logits: Logits, target: Classes) -> Logits:
    """Returns the softmax over all classes but the target, whose share is zero."""
    return probabilities(logits.scatter(-1, target.unsqueeze(-1), -torch.inf))


def target_probability(logits: Logits, target: Classes) -> PerRow:
    """Returns the softmax probability of the target class."""
    return target_logit(probabilities(logits), target)


def _softmax_change(shares: Logits, direction: Logits) -> Logits:
    """Returns the derivative of a softmax in a direction of its logits."""
    weighted = shares * direction
    return weighted - shares * weighted.sum(-1, keepdim=True)
