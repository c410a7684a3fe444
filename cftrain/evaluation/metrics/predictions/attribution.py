"""What predictions owe to features that may not move freely."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from cftrain.config.names import named
from cftrain.config.ranges import Count, Seed
from cftrain.evaluation.metric import ResampledMetric
from cftrain.evaluation.subject import Subject
from cftrain.models.stack_slicing import stack_size
from cftrain.seeding import Stream


@named("protected_attribution")
@final
@dataclass(frozen=True, kw_only=True)
class ProtectedAttribution(ResampledMetric):
    """Normalised integrated gradients of the protected features.

    In every round, g is the mean over `rows` test rows, drawn with replacement and the
    same for all cells. Features are protected that may not move both ways.

    `published`: the mean over protected features of (g - min g) / (max g - min g), or
    for two features in all of |g| / (max g - min g), which has no upper bound.
    `bounded`: the share of protected features in the sum of |g|.
    """

    higher_is_better: ClassVar[bool] = False

    rounds: Count
    rows: Count
    steps: Count
    normalisation: Literal["published", "bounded"]
    seed: Seed

    @property
    def unit(self) -> str:
        return "share" if self.normalisation == "bounded" else "ratio"

    def __call__(self, subject: Subject) -> Float[Tensor, "round stack"]:
        protected = subject.dataset.constraints.protected
        if not protected.any():
            cells = stack_size(subject.classifier)
            return torch.zeros(0, cells, dtype=torch.float64)
        found = subject.attributions(steps=self.steps, seed=self.seed)
        shares = self._shares(found.shape[1]).to(found.device)
        means = torch.einsum("ij,sjf->isf", shares, found.double())
        if self.normalisation == "bounded":
            size = means.abs()
            return size[..., protected].sum(-1) / size.sum(-1)
        return _published(means)[..., protected].mean(-1)

    def _shares(self, count: int) -> Float[Tensor, "round row"]:
        """Returns the share of every test row in the draws of each round."""
        generator = Stream(self.seed).child("rounds").generator()
        drawn = torch.randint(count, (self.rounds, self.rows), generator=generator)
        shares = torch.zeros(self.rounds, count, dtype=torch.float64)
        each = torch.full(drawn.shape, 1 / self.rows, dtype=torch.float64)
        return shares.scatter_add_(1, drawn, each)


def _published(
    means: Float[Tensor, "round stack feature"],
) -> Float[Tensor, "round stack feature"]:
    low, high = means.amin(-1, keepdim=True), means.amax(-1, keepdim=True)
    above = means.abs() if means.shape[-1] == 2 else means - low
    return above / (high - low)
