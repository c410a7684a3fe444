"""Energy of a row for a class. The sign of energy lives in this file only."""

import torch
from torch import Tensor

from cftrain.tensors import Classes, Logits, PerRow


def target_logit(logits: Logits, target: Classes) -> PerRow:
    return logits.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def energy(logits: Logits, target: Classes) -> PerRow:
    """Returns minus the logit of the target class (paper, below Eq. 2)."""
    return -target_logit(logits, target)


def cross_entropy(logits: Logits, label: Classes) -> PerRow:
    """Returns the softmax cross-entropy of each row."""
    # Classes first: a softmax over a short last axis takes ten times as long.
    rows: Tensor = torch.nn.functional.cross_entropy(logits.mT, label, reduction="none")
    return rows


def target_probability(logits: Logits, target: Classes) -> PerRow:
    """Returns the softmax probability of the target class."""
    return torch.exp(-cross_entropy(logits, target))
