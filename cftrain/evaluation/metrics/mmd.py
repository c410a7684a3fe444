"""IP*: divergence between counterfactuals and observed rows of their target class."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from cftrain.config.names import named
from cftrain.evaluation.discrepancy import (
    Discrepancy,
    Members,
    Observed,
    PerSample,
    Samples,
    gaussian,
)


@named("mmd")
@final
@dataclass(frozen=True, kw_only=True)
class MmdImplausibility(Discrepancy):
    """Squared maximum mean discrepancy, unbiased (paper Eq. 7; Gretton et al., 2012).

    Being unbiased, a single value may be negative: `clamp` lifts those to zero, as the
    authors' code does, which biases the mean of small samples upwards.
    """

    unit: ClassVar[str] = "MMD^2"
    higher_is_better: ClassVar[bool] = False

    clamp: bool

    def of_samples(self, x: Samples, there: Members, observed: Observed) -> PerSample:
        weight = there.to(x)
        count = weight.sum(-1)
        own = gaussian(x, x, observed.length_scale) @ weight.unsqueeze(-1)
        pairs = (own.squeeze(-1) * weight).sum(-1) - count
        cross = gaussian(x, observed.rows, observed.length_scale).mean(-1)
        value = (
            pairs / (count * (count - 1))
            + observed.within
            - 2 * (cross * weight).sum(-1) / count
        )
        value = torch.where(count > 1, value, torch.nan)
        return value.clamp(min=0) if self.clamp else value
