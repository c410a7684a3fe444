"""Joint training of a classifier and of the density that it implies."""

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.tensors import PerCell

LARGEST_GAP = 100.0
"""A model whose mean energies are further apart than that has diverged."""


def energy_gap(
    observed: Float[Tensor, "stack row class"],
    drawn: Float[Tensor, "stack other class"],
) -> PerCell:
    """Returns the mean energy of observed rows minus that of drawn ones.

    The energy of a row is -logsumexp of its logits; minus the gradient of this gap is
    that of the log-likelihood of observed rows, if the others are drawn from the
    model's density (JEM; Grathwohl et al., 2020, Eq. 2). 0 without drawn rows.
    """
    if not drawn.shape[1]:
        return drawn.new_zeros(len(drawn))
    return drawn.logsumexp(-1).mean(1) - observed.logsumexp(-1).mean(1)


def guarded(gap: PerCell, weight: Tensor) -> PerCell:
    """Returns NaN for cells that have diverged, so that their steps are left out, and
    the others go on. Cells without such a term are of no account.
    """
    diverged = (gap.detach().abs() > LARGEST_GAP) & (weight != 0).to(gap.device)
    return torch.where(diverged, torch.nan, gap)
