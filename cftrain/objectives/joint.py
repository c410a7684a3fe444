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
    model's density (JEM; Grathwohl et al., 2020, Eq. 2). A cell that has diverged has
    NaN, so that its step is left out, and the others go on. 0 without drawn rows.
    """
    if not drawn.shape[1]:
        return drawn.new_zeros(len(drawn))
    gap = drawn.logsumexp(-1).mean(1) - observed.logsumexp(-1).mean(1)
    return torch.where(gap.detach().abs() > LARGEST_GAP, torch.nan, gap)
