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
        values = torch.full(
            by_round.shape[:3], torch.nan, dtype=torch.float64, device=by_round.device
        )
        for label in range(reference.classes):
            members = (individuals.pair_target == label).nonzero().flatten()
            observed = reference.of(label).rows[: self.rows]
            if len(members) < 2 or len(observed) < 2:
                continue
            group = by_round[:, :, members[: self.rows]]
            values[:, :, members] = self._groups(group, observed).unsqueeze(-1)
        return values.flatten(1)

    def _groups(self, x: Tensor, observed: Tensor) -> Tensor:
        """MMD^2 of (stack, round, row, feature) to (row, feature): (stack, round)."""
        observed = observed.double()
        within = _mean_off_diagonal(self._kernel(observed, observed))
        values = []
        for cell in x:
            cell = cell.double()
            cross = self._kernel(cell, observed).mean((-2, -1))
            own = _mean_off_diagonal(self._kernel(cell, cell))
            values.append(own + within - 2 * cross)
        stacked = torch.stack(values)
        return stacked.clamp(min=0) if self.clamp else stacked

    def _kernel(self, x: Tensor, y: Tensor) -> Tensor:
        """exp(-|x - y|^2 / (2 l^2))."""
        squares = (x * x).sum(-1).unsqueeze(-1) + (y * y).sum(-1).unsqueeze(-2)
        distance = (squares - 2 * x @ y.mT).clamp(min=0)
        return torch.exp(-distance / (2 * self.length_scale**2))


def _mean_off_diagonal(kernel: Tensor) -> Tensor:
    count = kernel.shape[-1]
    trace = kernel.diagonal(dim1=-2, dim2=-1).sum(-1)
    return (kernel.sum((-2, -1)) - trace) / (count * (count - 1))
