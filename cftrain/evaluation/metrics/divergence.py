"""IP*: divergence between counterfactuals and observed rows of their target class."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from cftrain.evaluation.metric import CounterfactualMetric, Individuals
from cftrain.evaluation.reference import Reference
from cftrain.ranges import Count, PositiveFloat
from cftrain.tensors import PerRow


@final
@dataclass(frozen=True, kw_only=True)
class MmdImplausibility(CounterfactualMetric):
    """Squared maximum mean discrepancy, unbiased (paper Eq. 7; Gretton et al., 2012).

    One value per round and target class, given to each of its rows; the first `rows`
    of a group enter, and as many reference rows. Groups of one have no value (NaN).
    Being unbiased, a single value may be negative: `clamp` lifts those to zero, as the
    authors' code does, which biases the mean of small groups upwards.
    """

    name: ClassVar[str] = "ip_star"
    unit: ClassVar[str] = "MMD^2"
    higher_is_better: ClassVar[bool] = False

    length_scale: PositiveFloat
    rows: Count
    clamp: bool

    def __call__(self, individuals: Individuals, reference: Reference) -> PerRow:
        by_round = individuals.by_round(individuals.found.counterfactual)
        present = individuals.by_round(individuals.present)
        values = torch.full(
            by_round.shape[:3], torch.nan, dtype=torch.float64, device=by_round.device
        )
        for label in range(reference.classes):
            members = (individuals.pair_target == label).nonzero().flatten()
            observed = reference.of(label).rows[: self.rows].double()
            if not len(members) or len(observed) < 2:
                continue
            kept = members[: self.rows]
            values[:, :, members] = torch.stack(
                [
                    self._groups(x.double(), there.double(), observed)
                    for x, there in zip(
                        by_round[:, :, kept], present[:, :, kept], strict=True
                    )
                ]
            ).unsqueeze(-1)
        return values.flatten(1)

    def _groups(self, x: Tensor, there: Tensor, observed: Tensor) -> Tensor:
        """MMD^2 of (round, row, feature) to (row, feature): (round,).

        `there` is 1 for rows that count and 0 for others; NaN below two of them.
        """
        count = there.sum(-1)
        pairs = there.unsqueeze(-1) * there.unsqueeze(-2)
        own = (self._kernel(x, x) * pairs).sum((-2, -1)) - count
        own = own / (count * (count - 1))
        cross = self._kernel(x, observed).mean(-1) * there
        within = self._kernel(observed, observed)
        rows = len(observed)
        among = (within.sum() - rows) / (rows * (rows - 1))
        value = own + among - 2 * cross.sum(-1) / count
        value = torch.where(count > 1, value, torch.nan)
        return value.clamp(min=0) if self.clamp else value

    def _kernel(self, x: Tensor, y: Tensor) -> Tensor:
        """exp(-|x - y|^2 / (2 l^2)); 1 on the diagonal of k(x, x), but for rounding."""
        squares = (x * x).sum(-1).unsqueeze(-1) + (y * y).sum(-1).unsqueeze(-2)
        distance = (squares - 2 * x @ y.mT).clamp(min=0)
        return torch.exp(-distance / (2 * self.length_scale**2))
